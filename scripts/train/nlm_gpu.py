#!/usr/bin/env python3
"""Trains the neural language model on a GPU, from scratch, in one run: ten minutes of an H100.

    python nlm_gpu.py --core .cache/core --tokens .cache/nlm/tokens.npy --words models/en/words.txt --dev dev.txt --out .cache/nlm

The network, the text and the loss are those of `nlm.py`; only the batches differ. There a batch is 128 streams
of text, here sentences of about the same length, each from the zero state that `<s>` begins with, so that the
library's LSTM serves. `--core` is read where `tokens.npy` is not there yet; `--dev` names transcripts, a line each.
"""

import argparse
import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from nlm_network import Network, Sampler, Shape, Tally
from nlm_text import Text

WARM = 500  # steps until the full rate


class Sentences:
    """Batches of sentences of about the same length: (words, time) inputs and targets, 0 in `counted` where padded."""

    def __init__(self, tokens, begin, device):
        self.tokens = torch.from_numpy(tokens.astype(np.int32)).to(device)
        self.starts = (self.tokens == begin).nonzero().squeeze(1)
        end = torch.tensor([len(tokens)], device=device)
        self.lengths = torch.diff(torch.cat([self.starts, end])) - 1  # of inputs, and of targets

    def batches(self, words, generator):
        """Ranges of sentences in order of length, each of about so many words, in a random order."""
        noise = torch.rand(len(self.lengths), device=self.lengths.device, generator=generator)
        order = torch.argsort(self.lengths + noise)
        order = order[self.lengths[order] > 0]
        lengths = self.lengths[order].cpu().numpy()
        cuts, at = [0], 0
        while at < len(lengths):
            count = max(8, words // int(lengths[min(at + words // int(lengths[at]), len(lengths) - 1)]))
            at = min(at + count, len(lengths))
            cuts.append(at)
        permutation = torch.randperm(len(cuts) - 1, generator=generator, device=self.lengths.device).cpu().numpy()
        return order, [(cuts[i], cuts[i + 1], int(lengths[cuts[i + 1] - 1])) for i in permutation]

    def batch(self, rows, longest):
        """Inputs and targets (time, batch), and which targets there are."""
        time_ = torch.arange(longest, device=rows.device).unsqueeze(1)
        counted = time_ < self.lengths[rows]
        at = torch.where(counted, self.starts[rows] + time_, 0)
        return self.tokens[at].long(), self.tokens[at + 1].long(), counted


def lstm(net, x):
    """What `net.lstm` computes from the zero state, by the library."""
    shape = net.shape
    zeros = torch.zeros_like(net.gate_bias)
    weights = [net.w_x, net.w_h, net.gate_bias, zeros, net.w_p]
    state = (x.new_zeros(1, x.shape[1], shape.width), x.new_zeros(1, x.shape[1], shape.cell))
    return torch._VF.lstm(x, state, weights, True, 1, 0.0, torch.is_grad_enabled(), False, False)[0]


@torch.compile(dynamic=True)
def normaliser(scores, bias, word, own_word, target):
    """ln Z of each row over its target and the candidates, of which the target's own word is left out."""
    scores = torch.where(own_word.unsqueeze(1) == word, -1e30, scores.float() + bias)
    return torch.logaddexp(torch.logsumexp(scores, 1), target)


@torch.compile(dynamic=True)
def gradient(scores, bias, word, own_word, log_z, scale):
    """The derivative by the scores."""
    share = torch.exp(scores.float() + bias - log_z.unsqueeze(1)) * scale.unsqueeze(1)
    return torch.where(own_word.unsqueeze(1) == word, 0.0, share).bfloat16()


class Softmax(torch.autograd.Function):
    """Sum over rows of weight * (ln Z - score of the target + alpha ln² Z), as `SampledLoss`, by fused kernels."""

    ROWS = 8192

    @staticmethod
    def forward(ctx, h, table, bias, own_vectors, own_bias, word, own_word, weight, alpha):
        target = (h * own_vectors).sum(1) + own_bias
        low = table.bfloat16()
        # Beside a column of ones, what is gathered for the table holds the bias' gradient too.
        ones = h.new_ones(len(h), 8)
        low_h = torch.cat([h, ones], 1).bfloat16()
        d_h, d_table = torch.empty_like(h), table.new_zeros(len(table), h.shape[1] + 8)
        d_target, log_z = torch.empty_like(target), torch.empty_like(target)
        for at in range(0, len(h), Softmax.ROWS):
            part = slice(at, at + Softmax.ROWS)
            scores = torch.mm(low_h[part, : h.shape[1]], low.t())
            log_z[part] = normaliser(scores, bias, word, own_word[part], target[part])
            scale = weight[part] * (1 + 2 * alpha * log_z[part])
            d_target[part] = scale * torch.exp(target[part] - log_z[part]) - weight[part]
            d = gradient(scores, bias, word, own_word[part], log_z[part], scale)
            d_h[part] = torch.mm(d, low).float()
            d_table += torch.mm(d.t(), low_h[part]).float()
        d = d_target.unsqueeze(1)
        ctx.save_for_backward(d_h + d * own_vectors, d_table[:, :-8], d_table[:, -1], d * h, d_target)
        return (weight * (log_z - target)).sum(), log_z

    @staticmethod
    def backward(ctx, g, _):
        return *(g * gradient for gradient in ctx.saved_tensors), None, None, None, None


class Trainer:
    def __init__(self, args, text, device):
        self.args, self.text, self.device = args, text, device
        shape = Shape(width=args.width, cell=args.cell, narrow=args.narrow, frequent=args.frequent)
        self.net = Network(shape, text.counts).to(device)
        fused = device.type == "cuda"
        self.optimiser = torch.optim.Adam(self.net.parameters(), lr=args.rate, betas=(0.9, 0.99), eps=1e-9, fused=fused)
        sampler = Sampler(text.counts, args.always, args.drawn)
        self.always = torch.arange(args.always, device=device)
        self.cumulative = torch.from_numpy(sampler.cumulative).float().to(device)
        self.log_count = torch.from_numpy(np.log(np.maximum(args.drawn * sampler.q, 1e-30))).float().to(device)
        self.never = torch.tensor(text.never, device=device)
        self.step = 0

    def rate(self):
        falling = min(1.0, (self.args.stop - self.step) / max(self.args.decay, 1))
        return self.args.rate * min(1.0, (self.step + 1) / WARM) * falling

    def hidden(self, x, drop):
        vectors = self.net.vectors(x.flatten(), torch.float32).view(*x.shape, -1)
        return F.dropout(lstm(self.net, F.dropout(vectors, drop, drop > 0)), drop, drop > 0)

    def candidates(self):
        """Words to normalise over, and the logarithm of each one's expected count, as `Sampler.draw`."""
        at = torch.searchsorted(self.cumulative, torch.rand(self.args.drawn, device=self.device))
        at = at.clamp_(max=len(self.log_count) - 1)
        words = torch.cat([self.always, at + len(self.always)])
        return words, torch.cat([torch.zeros_like(self.always, dtype=torch.float32), self.log_count[at]])

    def update(self, x, y, counted):
        """One step; the loss a word and the mean of ln² Z, on the device."""
        net = self.net
        hidden = self.hidden(x, self.args.dropout)
        own = y.flatten()
        weight = (counted.flatten() & ~torch.isin(own, self.never)).float()
        weight = weight / weight.sum()
        words, log_count = self.candidates()
        table = torch.cat([net.full[: len(self.always)], net.vectors(words[len(self.always) :], torch.float32)])
        loss, log_z = Softmax.apply(hidden.reshape(len(own), -1), table, net.bias[words] - log_count,
                                    net.vectors(own, torch.float32), net.bias[own], words, own, weight, self.args.alpha)
        self.optimiser.param_groups[0]["lr"] = self.rate()
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        self.optimiser.step()
        self.step += 1
        return loss.detach(), (weight * log_z.detach() ** 2).sum()

    @torch.no_grad()
    def perplexity(self, tokens):
        """Exact perplexity, unknown words left out, and the root mean square of ln Z."""
        sentences = Sentences(tokens, self.text.begin, self.device)
        table, bias = self.net.table(), self.net.bias.clone()
        bias[self.never] = -1e9
        tally = Tally()
        order, ranges = sentences.batches(4096, None)
        for first, last, longest in ranges:
            x, y, counted = sentences.batch(order[first:last], longest)
            own = y.flatten()
            scores = F.linear(self.hidden(x, 0.0).reshape(len(own), -1), table, bias)
            tally.add(scores, own, counted.flatten() & ~torch.isin(own, self.never))
        return tally.result()


def epochs(text, seed):
    """The tokens of one epoch after the other, each shuffled beside the training on the one before."""
    with ThreadPoolExecutor(1) as pool:
        following = pool.submit(text.epoch, 0, seed)
        for number in itertools.count(1):
            tokens = following.result()
            following = pool.submit(text.epoch, number, seed)
            yield tokens


def train(args):
    torch.manual_seed(args.seed)
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.backends.cudnn.allow_tf32 = True
    device = torch.device(args.device)
    text = Text(args.core, args.words, args.tokens)
    dev = text.encode(args.dev.read_text().splitlines())
    valid = np.concatenate(text.validation)[:30_000]
    trainer = Trainer(args, text, device)
    print(f"{sum(p.numel() for p in trainer.net.parameters())} parameters, {sum(map(len, text.blocks))} words", flush=True)
    args.out.mkdir(parents=True, exist_ok=True)
    generator = torch.Generator(device).manual_seed(args.seed)
    began, words, running, saved = time.time(), 0, None, time.time()
    for epoch, tokens in enumerate(epochs(text, args.seed)):
        sentences = Sentences(tokens, text.begin, device)
        order, ranges = sentences.batches(args.words_a_step, generator)
        for first, last, longest in ranges:
            x, y, counted = sentences.batch(order[first:last], longest)
            loss, square = trainer.update(x, y, counted)
            words += x.numel()
            running = torch.stack([loss, square]) if running is None else running.lerp(torch.stack([loss, square]), 0.02)
            if trainer.step % args.log == 0:
                loss, square = running.tolist()
                print(f"step {trainer.step} epoch {epoch} rate {trainer.rate():.2g} loss {loss:.4f} lnZ {square ** 0.5:.3f}; "
                      f"{words} words, {time.time() - began:.0f} s", flush=True)
            if trainer.step % args.check == 0 or trainer.step == args.stop:
                print(f"step {trainer.step} dev {trainer.perplexity(dev)} held out {trainer.perplexity(valid)}", flush=True)
            if time.time() - saved > 60 or trainer.step == args.stop:
                torch.save(trainer.net.state_dict(), args.out / "final.pt")
                saved = time.time()
            if trainer.step == args.stop:
                return


def main():
    args = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ["core", "tokens", "words", "dev", "out"]:
        args.add_argument(f"--{name}", type=Path, required=name != "core")
    for name, value in dict(width=320, cell=1088, narrow=64, frequent=8192, always=8192, drawn=8192, words_a_step=16384,
                            seed=1, log=250, check=3171, stop=38_063, decay=26_644).items():
        args.add_argument(f"--{name.replace('_', '-')}", type=int, default=value)
    for name, value in dict(rate=3e-3, alpha=0.1, dropout=0.1).items():
        args.add_argument(f"--{name}", type=float, default=value)
    args.add_argument("--device", default="cuda")
    train(args.parse_args())


if __name__ == "__main__":
    main()
