"""What `paretone adapt` does for a domain: prompts of a telephone exchange, learnt from 2,000 lines of text.

    scripts/eval/domain.py [--manifest ../shared/speech/manifest.tsv]

Makes a model of the text of scripts/eval/prompts.py, with the time that takes, and recognises other prompts of that trade with
models/en and with it: 60 sentences, each by four of the eight voices of espeak-ng and flite. With --manifest the development
utterances tell what the domain costs elsewhere. Needs espeak-ng, flite and target/release/paretone (or $PARETONE).
"""

import argparse
import os
import subprocess
import tempfile
import time
from pathlib import Path

from own_words import PROGRAM, development, errors, speak, transcribe
from prompts import spoken, text

VOICES = 4


def synthetic(scratch):
    """Recordings of the prompts and their texts; every voice of the eight says half of them."""
    files, texts = [], []
    for number, line in enumerate(spoken()):
        for voice in range(VOICES):
            path = os.path.join(scratch, f"prompt{number:03}-{voice}.wav")
            speak(line, 2 * voice + number % 2, path)
            files.append(path)
            texts.append(line)
    return files, texts


def error_rate(files, texts, model):
    """Percent of words that are wrong."""
    lines, _ = transcribe(files, None, model)
    return 100 * sum(errors(said, heard) for said, heard in zip(texts, lines)) / sum(len(said.split()) for said in texts)


def compare(title, corpus, adapted):
    """One line for a set of recordings, before and after."""
    before, after = (error_rate(*corpus, model) for model in ("models/en", adapted))
    words = sum(len(said.split()) for said in corpus[1])
    print(f"{title}: {len(corpus[0])} recordings, {words} words, word error rate {before:.2f} % before, {after:.2f} % after: {100 * (before - after) / before:.0f} % fewer errors", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--manifest")
    parser.add_argument("--utterances", type=int, default=768)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        domain, adapted = os.path.join(scratch, "prompts.txt"), os.path.join(scratch, "model")
        Path(domain).write_text("".join(f"{line}\n" for line in text()))
        begun = time.time()
        subprocess.run([PROGRAM, "adapt", "--model", "models/en", "--text", domain, "--out", adapted], check=True)
        print(f"adapted on {len(text())} lines in {time.time() - begun:.1f} s", flush=True)
        compare("prompts by synthetic voices", synthetic(scratch), adapted)
        if args.manifest:
            compare("development utterances", development(args.manifest, args.utterances), adapted)


if __name__ == "__main__":
    main()
