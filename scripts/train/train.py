#!/usr/bin/env python3
"""Stage 5: LF-MMI training of the acoustic network on speech that is spoiled anew every time it is read.

    python train.py --name biphone --pdfs .cache/train/tree.npz --epochs 40
    python train.py --name mono --width 384 --bottleneck 96 --layers 9 --epochs 3     # flat start, without a tree

Resumes from its last checkpoint; what an utterance goes through depends on (seed, epoch, batch), not on when the run
was stopped. `--until HH:MM` stops a run in time. Beside the weights their moving average is kept, which is what
`export.py` writes. Runs on `cuda` where there is one (the loss kernel always runs on the CPU's threads), else on the
CPU in bfloat16.
"""

import argparse
import os
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader

import hmm
from augment import Augmenter, Rooms
from corpus import Store
from features import BINS, RATE, SHIFT, log_mel, near, normalise, speech_frames
from network import Network, Norm, Optimiser

PACES = (0.9, 1.0, 1.1)


def plain_features(samples):
    """What the recogniser would see of an utterance as it was recorded."""
    samples = samples.astype(np.float32)
    return normalise(log_mel(samples), near(speech_frames(samples)))


def padded(features, context, shift=0):
    """[time, sequence, 40] with repeated edges, and the output frames of each sequence."""
    lengths = np.array([-(-len(f) // 3) for f in features], np.int32)
    steps = -(-int(lengths.max()) // 16) * 16  # few distinct shapes: each costs the matrix library a compilation
    frames = 3 * (steps - 1) + 2 * context + 1
    x = np.empty((frames, len(features), BINS), np.float32)
    for i, f in enumerate(features):
        x[:, i] = f[np.clip(np.arange(frames) - context + shift, 0, len(f) - 1)]
    return x, lengths


def mask(x, random):
    """SpecAugment in place: two bands of up to 10 filters, and spans of up to 20 frames over a sixth of the time, are set
    to the mean."""
    for i in range(x.shape[1]):
        for _ in range(2):
            width = random.integers(0, 11)
            start = random.integers(0, BINS - width + 1)
            x[:, i, start : start + width] = 0
        for _ in range(random.integers(0, max(2, x.shape[0] // 60) + 1)):
            width = random.integers(0, 21)
            start = random.integers(0, max(1, x.shape[0] - width))
            x[start : start + width, i] = 0


class Batches:
    """The batches of one epoch, made in a process of their own: every utterance once, spoiled, in batches of about `rows`
    output frames of like length."""

    def __init__(self, store, cache, context, arguments, epoch):
        self.store, self.context, self.seed, self.epoch = store, context, arguments.seed, epoch
        self.augmenter = Augmenter(Rooms(cache), self.voice, arguments.clean)
        random = np.random.default_rng([arguments.seed, epoch])
        size = np.array([store.spans[key][2] / (3 * SHIFT) for key in store.keys])
        weight = np.array([1.0 if store.corpus[key] != "synthetic" else arguments.synthetic for key in store.keys])
        chosen = np.flatnonzero(random.random(len(size)) < weight)
        batches, batch = [], []
        for i in chosen[np.argsort(size[chosen] * random.uniform(0.95, 1.05, len(chosen)))]:
            batch.append(store.keys[i])
            if len(batch) % 8 == 0 and (len(batch) + 4) * size[i] > arguments.rows:
                batches.append(batch)
                batch = []
        if batch:
            batches.append(batch)
        self.batches = [batches[i] for i in random.permutation(len(batches))]
        self.wanted = range(len(self.batches))

    def __len__(self):
        return len(self.wanted)

    def voice(self, random):
        """Some seconds of somebody's speech."""
        samples = self.store.read(self.store.keys[random.integers(len(self.store.keys))])
        return samples[: 8 * RATE].astype(np.float32)

    def __getitem__(self, place):
        number = self.wanted[place]
        keys = self.batches[number]
        random = np.random.default_rng([self.seed, self.epoch, number])
        pace = random.choice([*PACES, random.uniform(0.87, 1.13)])
        pause = int(100 * np.exp(random.uniform(np.log(0.5), np.log(5)))) if random.random() < 0.2 else 0
        features = []
        for key in keys:
            samples, near_speech = self.augmenter(random, self.store.read(key), pace, pause)
            warp = random.uniform(0.9, 1.1) if random.random() < 0.4 else 1.0
            features.append(normalise(log_mel(samples, round(warp, 2)), near_speech))
        x, lengths = padded(features, self.context, int(random.integers(3)) - 1)
        mask(x, random)
        return number, keys, torch.from_numpy(x).to(torch.bfloat16), lengths

    def loader(self, first=0):
        self.wanted = range(first, len(self.batches))
        # Spawned, not forked: a fork would keep a copy of all memory that this process goes on to write.
        return DataLoader(self, batch_size=None, num_workers=1, prefetch_factor=3, multiprocessing_context="spawn")


def rate_at(step, total, peak, hold):
    """Warm-up over 100 steps, constant until `hold` of the run, then linear to a hundredth."""
    progress = step / total
    fall = 1.0 if progress < hold else max(0.01, (1 - progress) / (1 - hold))
    return peak * min(1.0, (step + 1) / 100) * fall


class Average:
    """The moving average of a network's parameters, over about 1 / `part` steps."""

    def __init__(self, network, part=1 / 600):
        self.network, self.part = network, part
        self.values = {name: p.detach().clone() for name, p in network.named_parameters()}

    @torch.no_grad()
    def update(self, step):
        part = max(self.part, 1 / (1 + step / 4))
        for name, p in self.network.named_parameters():
            self.values[name].lerp_(p, part)


@torch.no_grad()
def refresh_statistics(network, batches):
    """Running mean and variance of every norm as plain averages over batches of features."""
    norms = [module.norm for module in network.modules() if isinstance(module, Norm)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    network.train()
    for x in batches:
        network(x)
    network.eval()


@torch.no_grad()
def valid_objective(network, chain, store, device, count=96):
    """Objective per frame of evenly chosen dev utterances as they were recorded."""
    network.eval()
    keys = sorted((store.spans[key][2], key) for key in store.keys)[:: max(1, len(store.keys) // count)]
    keys = [key for _, key in keys]
    objective = frames = 0
    for i in range(0, len(keys), 8):
        x, lengths = padded([plain_features(store.read(key)) for key in keys[i : i + 8]], network.context)
        logits, _ = network(torch.from_numpy(x).to(device, torch.bfloat16))
        result = chain.loss(keys[i : i + 8], lengths, logits.float().cpu().numpy())
        objective, frames = objective + result[2], frames + result[3]
    return objective / frames


def chain_of(cache, stores, lexicon, pdfs, aligned=None):
    """The loss over the utterances of the stores; the denominator is counted on the first of them."""
    pronunciations = hmm.read_lexicon(lexicon)
    phrases = [{key: hmm.Phrase(store.text[key], pronunciations) for key in store.keys} for store in stores]
    counts = np.zeros((hmm.START + 1,) * 3)
    for phrase in phrases[0].values():
        phrase.trigram_counts(counts)
    if aligned is not None:  # what was really said, with a little of what could have been
        counts = 0.05 * counts + aligned
    return hmm.Chain(cache, {key: phrase for part in phrases for key, phrase in part.items()}, hmm.Denominator(counts), pdfs)


def parsed():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--name", required=True)
    parser.add_argument("--cache", type=Path, default=Path(".cache/train"))
    parser.add_argument("--lexicon", type=Path, default=Path(".cache/train/lexicon.txt"))
    parser.add_argument("--parts", nargs="*", default=["real", "children"], help="parts of the store to learn from")
    parser.add_argument("--pdfs", type=Path, help="tree.npz; monophone without it")
    parser.add_argument("--epochs", type=float, default=3)
    parser.add_argument("--rows", type=int, default=6400, help="output frames a batch")
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--hold", type=float, default=0.4, help="share of the run at the peak rate")
    parser.add_argument("--clean", type=float, default=0.35, help="share of utterances that keep their sound")
    parser.add_argument("--synthetic", type=float, default=1.0, help="share of synthetic utterances read each epoch")
    parser.add_argument("--width", type=int, default=640)
    parser.add_argument("--bottleneck", type=int, default=128)
    parser.add_argument("--layers", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--stop-after", type=int, help="end after so many steps (for rehearsals)")
    parser.add_argument("--until", help="local time HH:MM at which to save and stop")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    return parser.parse_args()


class Run:
    """A training run and what its checkpoint holds."""

    def __init__(self, arguments):
        torch.set_num_threads(arguments.threads)
        torch.manual_seed(arguments.seed)
        self.arguments, cache = arguments, arguments.cache
        tree = np.load(arguments.pdfs) if arguments.pdfs else None
        pdfs = tree["pdfs"] if tree is not None else hmm.monophone_pdfs()
        self.train, self.dev = Store(cache, arguments.parts), Store(cache, ["dev"])
        self.dev.keys = [key for key in self.dev.keys if self.dev.corpus[key].startswith("librispeech")]
        self.chain = chain_of(cache, [self.train, self.dev], arguments.lexicon, pdfs, tree["trigrams"] if tree is not None else None)
        self.network = Network(self.chain.pdf_count, self.chain.classes, arguments.width, arguments.bottleneck, arguments.layers)
        self.network.to(arguments.device)
        self.optimiser, self.average = Optimiser(self.network), Average(self.network)
        self.epoch = self.step = self.batch = 0
        self.seconds, self.begun = 0.0, time.time()
        self.path, self.log = cache / f"{arguments.name}.pt", open(cache / f"{arguments.name}.log", "a", buffering=1)
        if self.path.exists():
            self.load()
        count = len(Batches(self.train, cache, self.network.context, arguments, 0).batches)
        self.total = int(arguments.epochs * count)
        size = sum(p.numel() for p in self.network.parameters())
        self.say(f"# {vars(arguments)}\n# {size} parameters, {self.chain.pdf_count} pdfs, {len(self.train.keys)} utterances, "
                 f"{self.total} steps, starting at step {self.step}")

    def say(self, text):
        print(text, flush=True)
        self.log.write(text + "\n")

    def spent(self):
        return self.seconds + time.time() - self.begun

    def load(self):
        saved = torch.load(self.path, map_location=self.arguments.device, weights_only=True)
        self.network.load_state_dict(saved["network"])
        self.optimiser.load_state_dict(saved["optimiser"])
        self.average.values = saved["average"]
        self.epoch, self.step, self.batch, self.seconds = (saved[k] for k in ("epoch", "step", "batch", "seconds"))

    def save(self):
        state = dict(network=self.network.state_dict(), optimiser=self.optimiser.state_dict(), average=self.average.values,
                     shape=self.network.shape, step=self.step, epoch=self.epoch, batch=self.batch, seconds=self.spent())
        torch.save(state, self.path.with_suffix(".tmp"))
        os.replace(self.path.with_suffix(".tmp"), self.path)

    def rate(self):
        return rate_at(self.step, self.total, self.arguments.rate, self.arguments.hold)

    def learn(self, keys, x, lengths):
        """One step; objective, frames and cross-entropy, summed over frames."""
        device = self.arguments.device
        logits, classes = self.network(x.to(device), fused=device == "cpu")
        logits = logits.float()
        gradient, targets, objective, frames = self.chain.loss(keys, lengths, logits.detach().cpu().numpy())
        gradient = torch.from_numpy(gradient).to(device).div_(max(frames, 1))
        gradient.add_(logits.detach(), alpha=5e-5 / logits[:, :, 0].numel())
        targets = torch.from_numpy(targets).to(device)
        cross = -(targets * F.log_softmax(classes.float(), dim=-1)).sum() / max(frames, 1)
        torch.autograd.backward([logits, 0.1 * cross], [gradient, None])
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        if torch.isfinite(norm):
            self.optimiser.step(self.rate())
        self.step += 1
        self.average.update(self.step)
        return np.array([objective, frames, float(cross.detach()) * frames])

    def over(self):
        arguments = self.arguments
        late = arguments.until and time.strftime("%H:%M") >= arguments.until
        return self.step >= self.total or (arguments.stop_after and self.step >= arguments.stop_after) or late

    def run_epoch(self):
        batches = Batches(self.train, self.arguments.cache, self.network.context, self.arguments, self.epoch)
        told = saved = time.time()
        window = np.zeros(3)
        self.network.train()
        for number, keys, x, lengths in batches.loader(self.batch):
            window += self.learn(keys, x, lengths)
            self.batch = number + 1
            if time.time() - told > 60 or self.over():
                told = time.time()
                self.say(f"step {self.step}/{self.total} epoch {self.epoch} rate {self.rate():.2e} objective "
                         f"{window[0] / window[1]:.4f} cross-entropy {window[2] / window[1]:.3f} seconds {self.spent():.0f}")
                window[:] = 0
            if time.time() - saved > 240 or self.over():
                self.save()
                saved = time.time()
            if self.over():
                break
        else:
            self.epoch, self.batch = self.epoch + 1, 0
            self.say(f"epoch {self.epoch} step {self.step} valid objective "
                     f"{valid_objective(self.network, self.chain, self.dev, self.arguments.device):.4f} seconds {self.spent():.0f}")
            self.save()


def main():
    run = Run(parsed())
    while not run.over():
        run.run_epoch()


if __name__ == "__main__":
    main()
