#!/usr/bin/env python3
"""Stage 2 and 4: LF-MMI training of the acoustic network, flat start (monophone) or with tied left-biphones.

    python train.py --name mono --width 384 --epochs 3
    python tree.py  --alignments-from mono
    python train.py --name biphone --pdfs .cache/train/tree.npz --start-from mono --epochs 20

Resumes from its last checkpoint; the random stream depends on (seed, epoch, batch), not on when it was stopped. Runs
on `cuda` where there is one (the loss kernel always runs on the CPU's threads), else on the CPU in bfloat16.
"""

import argparse
import os
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

import hmm
from features import BINS, rows_of
from network import Network, Optimiser


class Corpus:
    """Features of one split at one or more speeds, mapped from the cache."""

    def __init__(self, cache, split, speeds, dropped=()):
        self.features, self.spans = {}, {}
        for speed in speeds:
            stem = cache / f"{split}-{speed}"
            self.features[speed] = np.memmap(f"{stem}.f16", np.float16, "r").reshape(-1, BINS)
            for line in open(f"{stem}.tsv"):
                key, first, frames = line.split("\t")
                if key not in dropped and int(frames) >= 30:
                    self.spans[key, speed] = (int(first), int(frames))
        self.keys = sorted({key for key, _ in self.spans})

    def batch(self, items, context, shift=0):
        """[time, sequence, 40] with repeated edges, and the output frames of each sequence."""
        lengths = [-(-self.spans[item][1] // 3) for item in items]
        padded = -(-max(lengths) // 16) * 16  # few distinct shapes: each costs the matrix library a compilation
        frames = 3 * (padded - 1) + 2 * context + 1
        x = np.empty((frames, len(items), BINS), np.float32)
        for i, (key, speed) in enumerate(items):
            first, count = self.spans[key, speed]
            index = np.clip(np.arange(frames) - context + shift, 0, count - 1)
            x[:, i] = self.features[speed][first + index]
        return x, np.array(lengths, np.int32)

    def batches(self, random, speeds, rows):
        """An epoch: every utterance once, at a random speed, in batches of about `rows` output frames of like length."""
        items = [(key, speeds[random.integers(len(speeds))]) for key in self.keys]
        items = [item for item in items if item in self.spans]
        size = np.array([self.spans[item][1] / 3 * random.uniform(0.95, 1.05) for item in items])
        batches, batch = [], []
        for i in np.argsort(size):
            batch.append(items[i])
            if len(batch) % 8 == 0 and (len(batch) + 4) * size[i] > rows:
                batches.append(batch)
                batch = []
        if batch:
            batches.append(batch)
        return [batches[i] for i in random.permutation(len(batches))]


def augment(x, random):
    """SpecAugment in place: two bands of up to 7 filters and two spans of up to 19 frames are set to the mean."""
    for i in range(x.shape[1]):
        for _ in range(2):
            width = random.integers(0, 8)
            start = random.integers(0, BINS - width + 1)
            x[:, i, start : start + width] = 0
            width = random.integers(0, 20)
            start = random.integers(0, max(1, x.shape[0] - width))
            x[start : start + width, i] = 0


def rate_at(step, total, peak, hold):
    """Warm-up over 100 steps, constant until `hold` of the run, then linear to a hundredth."""
    progress = step / total
    fall = 1.0 if progress < hold else max(0.01, (1 - progress) / (1 - hold))
    return peak * min(1.0, (step + 1) / 100) * fall


@torch.no_grad()
def valid_objective(network, chain, corpus, device, precision, count=96):
    network.eval()
    keys = sorted((corpus.spans[key, 1.0][1], key) for key in corpus.keys if key in chain.numerators)
    keys = [(key, 1.0) for _, key in keys[:: max(1, len(keys) // count)]]
    objective = frames = 0
    for i in range(0, len(keys), 8):
        x, lengths = corpus.batch(keys[i : i + 8], network.context)
        logits, _ = network(torch.from_numpy(x).to(device, precision))
        result = chain.loss([key for key, _ in keys[i : i + 8]], lengths, logits.float().cpu().numpy())
        objective, frames = objective + result[2], frames + result[3]
    network.train()
    return objective / frames


def setup(cache, shared, lexicon, pdfs, aligned=None):
    """Phrases, denominator and loss of the train and dev rows."""
    pronunciations = hmm.read_lexicon(lexicon)
    rows = rows_of(shared, "train")
    counts = np.zeros((hmm.START + 1,) * 3)
    phrases = {row["id"]: hmm.Phrase(row["text"], pronunciations) for row in rows}
    for phrase in phrases.values():
        phrase.trigram_counts(counts)
    if aligned is not None:  # what was really said, with a little of what could have been
        counts = 0.05 * counts + aligned
    denominator = hmm.Denominator(counts)
    for row in rows_of(shared, "dev"):
        if row["set"] == "librispeech-test-clean":
            phrases[row["id"]] = hmm.Phrase(row["text"], pronunciations)
    return hmm.Chain(cache, phrases, denominator, pdfs)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--name", required=True)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--cache", type=Path, default=Path(".cache/train"))
    parser.add_argument("--lexicon", type=Path, default=Path(".cache/train/lexicon.txt"))
    parser.add_argument("--pdfs", type=Path, help="tree.npz; monophone without it")
    parser.add_argument("--start-from", help="name of a run whose trunk is taken over")
    parser.add_argument("--epochs", type=float, default=3)
    parser.add_argument("--rows", type=int, default=4800, help="output frames a batch")
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--hold", type=float, default=0.3, help="share of the run at the peak rate")
    parser.add_argument("--width", type=int, default=576)
    parser.add_argument("--bottleneck", type=int, default=128)
    parser.add_argument("--layers", type=int, default=9)
    parser.add_argument("--speeds", type=float, nargs="*", default=[0.9, 1.0, 1.1])
    parser.add_argument("--drop-sets", nargs="*", default=[])
    parser.add_argument("--adam", action="store_true", help="AdamW for all parameters instead of Muon for the matrices")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--stop-after", type=int, help="end after so many steps (for rehearsals)")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    cache, device, precision = arguments.cache, arguments.device, torch.bfloat16

    tree = np.load(arguments.pdfs) if arguments.pdfs else None
    pdfs = tree["pdfs"] if tree is not None else hmm.monophone_pdfs()
    chain = setup(cache, arguments.shared, arguments.lexicon, pdfs, tree["trigrams"] if tree is not None else None)
    dropped = {row["id"] for row in rows_of(arguments.shared, "train") if row["set"] in arguments.drop_sets}
    train, dev = Corpus(cache, "train", arguments.speeds, dropped), Corpus(cache, "dev", [1.0])
    network = Network(chain.pdf_count, chain.classes, arguments.width, arguments.bottleneck, arguments.layers)
    if arguments.start_from:
        saved = torch.load(cache / f"{arguments.start_from}.pt", map_location="cpu", weights_only=True)["network"]
        own = network.state_dict()
        taken = {k: v for k, v in saved.items() if k in own and own[k].shape == v.shape and not k.startswith("output")}
        network.load_state_dict({**own, **taken})
        print(f"took over {len(taken)} of {len(own)} tensors from {arguments.start_from}")
    network.to(device)
    optimiser = Optimiser(network, muon=not arguments.adam)

    count = lambda epoch: len(train.batches(np.random.default_rng([arguments.seed, epoch]), arguments.speeds, arguments.rows))
    total = int(arguments.epochs * count(0))
    checkpoint, log_path = cache / f"{arguments.name}.pt", cache / f"{arguments.name}.log"
    epoch = step = skip = 0
    spent = 0.0
    if checkpoint.exists():
        saved = torch.load(checkpoint, map_location=device, weights_only=True)
        network.load_state_dict(saved["network"])
        optimiser.load_state_dict(saved["optimiser"])
        epoch, step, skip, spent = saved["epoch"], saved["step"], saved["batch"], saved["seconds"]
    log = open(log_path, "a", buffering=1)

    def say(text):
        print(text, flush=True)
        log.write(text + "\n")

    def save(finished_batches):
        state = dict(network=network.state_dict(), optimiser=optimiser.state_dict(), shape=network.shape, step=step,
                     epoch=epoch, batch=finished_batches, seconds=spent + time.time() - begun)
        torch.save(state, checkpoint.with_suffix(".tmp"))
        os.replace(checkpoint.with_suffix(".tmp"), checkpoint)

    size = sum(p.numel() for p in network.parameters())
    say(f"# {vars(arguments)}\n# {size} parameters, {chain.pdf_count} pdfs, {total} steps, starting at step {step}")
    begun = saved_at = told_at = time.time()
    window = np.zeros(3)
    while step < total:
        batches = train.batches(np.random.default_rng([arguments.seed, epoch]), arguments.speeds, arguments.rows)
        for number, items in enumerate(batches):
            if number < skip:
                continue
            if step >= total or (arguments.stop_after and step >= arguments.stop_after):
                break
            random = np.random.default_rng([arguments.seed, epoch, number])
            x, lengths = train.batch(items, network.context, int(random.integers(3)) - 1)
            augment(x, random)
            logits, classes = network(torch.from_numpy(x).to(device, precision), fused=device == "cpu")
            logits = logits.float()
            gradient, targets, objective, frames = chain.loss(
                [key for key, _ in items], lengths, logits.detach().cpu().numpy())
            gradient = torch.from_numpy(gradient).to(device).div_(max(frames, 1))
            gradient.add_(logits.detach(), alpha=5e-5 / logits[:, :, 0].numel())
            targets = torch.from_numpy(targets).to(device)
            cross = -(targets * F.log_softmax(classes.float(), dim=-1)).sum() / max(frames, 1)
            torch.autograd.backward([logits, 0.1 * cross], [gradient, None])
            norm = torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            if torch.isfinite(norm):
                optimiser.step(rate_at(step, total, arguments.rate, arguments.hold))
            step += 1
            window += (objective, frames, float(cross.detach()) * frames)
            if time.time() - told_at > 60 or step == total:
                told_at = time.time()
                say(f"step {step}/{total} epoch {epoch} rate {rate_at(step, total, arguments.rate, arguments.hold):.2e} "
                    f"objective {window[0] / window[1]:.4f} cross-entropy {window[2] / window[1]:.3f} "
                    f"norm {float(norm):.2f} seconds {spent + told_at - begun:.0f}")
                window[:] = 0
            if time.time() - saved_at > 240:
                save(number + 1)
                saved_at = time.time()
        if arguments.stop_after and step >= arguments.stop_after:
            break
        epoch, skip = epoch + 1, 0
        say(f"epoch {epoch} step {step} valid objective "
            f"{valid_objective(network, chain, dev, device, precision):.4f} seconds {spent + time.time() - begun:.0f}")
        save(0)
        saved_at = time.time()


if __name__ == "__main__":
    main()
