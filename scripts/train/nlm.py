#!/usr/bin/env python3
"""Trains the neural language model on the prose; resumes from its last checkpoint.

    nice -n 12 python nlm.py --shared ../shared --core .cache/core --words models/en/words.txt --out .cache/nlm

The learning rate stays level, so that training can go on whenever there is time for it; `--decay N` lets
it fall to zero over the next N steps, from a copy of the level run's checkpoint, and writes `final.pt`.
Choice is by the perplexity of held-out prose and of the LibriSpeech `dev` transcripts; `test` is never read.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch

from nlm_network import Network, Sampler, SampledLoss, Shape, Tally
from nlm_text import Text, dev_lines, streams

WARM = 300  # steps until the full rate


def batches(text, args, epoch, row):
    """(time, batch) inputs, targets, of one epoch from a row on, with the row after."""
    columns = streams(text.epoch(epoch, args.seed), args.batch)
    while row + args.steps < len(columns):
        yield row + args.steps, columns[row : row + args.steps], columns[row + 1 : row + args.steps + 1]
        row += args.steps


def loss_of(net, text, sampler, x, y, state, rng, alpha):
    """Mean loss a word, ln Z's mean square, and the next state."""
    shape = x.shape
    x, y = torch.from_numpy(x.astype(np.int64)), torch.from_numpy(y.astype(np.int64))
    keep = (x != text.begin).to(torch.uint8)
    hidden, state = net.lstm(net.vectors(x.flatten()).view(*shape, -1), keep, state)
    own = y.flatten()
    counted = ~torch.isin(own, torch.tensor(text.never))
    words, log_count = sampler.draw(rng)
    frequent = net.full[: sampler.always].bfloat16()
    table = torch.cat([frequent, net.vectors(words[sampler.always :])])
    weight = counted.float() / counted.sum()
    loss, log_z = SampledLoss.apply(
        hidden.reshape(-1, hidden.shape[-1]), table, net.bias[words] - log_count, net.vectors(own), net.bias[own],
        words.int(), own.int(), weight, alpha)
    return loss, (weight * log_z**2).sum(), state


@torch.no_grad()
def perplexity(net, text, tokens, normalise=True):
    """Exact perplexity of an encoded text, unknown words left out, and the root mean square of ln Z."""
    table = net.table().bfloat16().t().contiguous()
    bias = net.bias.clone()
    bias[text.never] = -1e9
    columns = streams(tokens, 64)
    state, tally = net.state(64), Tally()
    for row in range(0, len(columns) - 1, 16):
        x = torch.from_numpy(columns[row : row + 16].astype(np.int64))
        y = torch.from_numpy(columns[row + 1 : row + 17].astype(np.int64))
        x = x[: len(y)]
        keep = (x != text.begin).to(torch.uint8)
        hidden, state = net.lstm(net.vectors(x.flatten()).view(*x.shape, -1), keep, state)
        own = y.flatten()
        scores = torch.mm(hidden.reshape(len(own), -1), table).float() + bias
        tally.add(scores, own, ~torch.isin(own, torch.tensor(text.never)))
    return tally.result()


def train(args):
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    args.out.mkdir(parents=True, exist_ok=True)
    text = Text(args.core, args.words, args.out / "tokens.npy")
    net = Network(Shape(width=args.width, cell=args.cell, narrow=args.narrow, frequent=args.frequent), text.counts)
    optimiser = torch.optim.Adam(net.parameters(), lr=args.rate, betas=(0.9, 0.99), eps=1e-9, fused=True)
    sampler = Sampler(text.counts, args.always, args.drawn)
    level, decayed = args.out / "level.pt", args.out / "decay.pt"
    at = dict(step=0, epoch=0, row=0, seconds=0.0, decay_from=None)
    source = decayed if args.decay and decayed.exists() else level
    if source.exists():
        saved = torch.load(source, weights_only=False)
        net.load_state_dict(saved["net"])
        optimiser.load_state_dict(saved["optimiser"])
        at = saved["at"]
    if args.decay and at["decay_from"] is None:
        at["decay_from"] = at["step"]
    target = decayed if args.decay else level
    dev = text.encode(dev_lines(args.shared))
    valid = np.concatenate(text.validation)[:30_000]
    print(f"{sum(p.numel() for p in net.parameters())} parameters, {sum(map(len, text.blocks))} words", flush=True)
    state, began, cpu = net.state(args.batch), time.time(), time.process_time()
    saved_at, words, running, square = time.time(), 0, None, 0.0
    while True:
        for row, x, y in batches(text, args, at["epoch"], at["row"]):
            rate = args.rate * min(1.0, (at["step"] + 1) / WARM)
            if args.decay:
                left = 1 - (at["step"] - at["decay_from"]) / args.decay
                if left <= 0:
                    torch.save(net.state_dict(), args.out / "final.pt")
                    print("final:", perplexity(net, text, dev), perplexity(net, text, valid), flush=True)
                    return
                rate *= left
            optimiser.param_groups[0]["lr"] = rate
            rng = np.random.default_rng([args.seed, 1, at["step"]])
            loss, z, state = loss_of(net, text, sampler, x, y, state, rng, args.alpha)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0, foreach=True)
            optimiser.step()
            at["step"] += 1
            at["row"], words = row, words + x.size
            value = loss.item()
            running = value if running is None else running + 0.02 * (value - running)
            square = z.item() if square == 0 else square + 0.02 * (z.item() - square)
            if at["step"] % args.log == 0:
                used = time.process_time() - cpu
                print(f"step {at['step']} epoch {at['epoch']} rate {rate:.2g} loss {running:.4f} lnZ {square ** 0.5:.3f}; "
                      f"{words} words, {time.time() - began:.0f} s, {used:.0f} CPU s, {words / used:.0f} words a CPU second", flush=True)
            if at["step"] % args.check == 0:
                print(f"step {at['step']} dev {perplexity(net, text, dev)} held out {perplexity(net, text, valid)}", flush=True)
            if time.time() - saved_at > 150:
                save(target, net, optimiser, at)
                saved_at = time.time()
            if args.stop and at["step"] >= args.stop:
                return
        at["epoch"], at["row"] = at["epoch"] + 1, 0


def save(path, net, optimiser, at):
    part = path.with_suffix(".part")
    torch.save(dict(net=net.state_dict(), optimiser=optimiser.state_dict(), at=at), part)
    part.rename(path)


def main():
    args = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    args.add_argument("--shared", type=Path, required=True)
    args.add_argument("--core", type=Path, required=True)
    args.add_argument("--words", type=Path, required=True)
    args.add_argument("--out", type=Path, required=True)
    for name, value in dict(width=256, cell=768, narrow=64, frequent=8192, batch=128, steps=32, always=2048, drawn=1024,
                            seed=1, log=25, check=1000, stop=0, decay=0).items():
        args.add_argument(f"--{name}", type=int, default=value)
    args.add_argument("--rate", type=float, default=2e-3)
    args.add_argument("--alpha", type=float, default=0.05)
    train(args.parse_args())


if __name__ == "__main__":
    main()
