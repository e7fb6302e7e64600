"""How well `transcribe --words` hears words that the model does not know, and what it costs where they are not said.

    scripts/eval/own_words.py [--seed 6] [--names 200] [--manifest ../shared/speech/manifest.tsv] [--cost 1000]

Makes up names (seeds 1, 2 and 11 were used to choose how likely they are, 4 to 8 are for the record), has espeak-ng and flite speak each in a carrier
sentence, and counts how many are heard without and with a list of them all, every one written as listed; by voice, beside how many of the plain
words of the sentence are heard, since a name is not heard where nothing is understood. With a manifest it also
recognises 768 development utterances with and without the list: the difference in word error rate is what false alarms cost.
--cost lists so many more names and tells what adding them takes. Needs espeak-ng, flite and target/release/paretone (or $PARETONE).
"""

import argparse
import os
import random
import re
import subprocess
import tempfile
import time
from pathlib import Path

PROGRAM = os.environ.get("PARETONE", "target/release/paretone")
ONSETS = "b br d dr f fl g gr j k kr l m n p pr r s st t tr v w z sh th".split()
VOWELS = "a e i o u ee oo ay".split()
CODAS = "n r l m s x t k nd rt".split() + [""] * 6
PRODUCTS = "lytics soft base ware wave sync flow desk cast grid".split()
CARRIERS = [
    "please call {} in the morning", "we met {} at the station last night", "did you ask {} about the letter",
    "i have never heard of {} before", "the man from {} is waiting at the door", "she said that {} would come on monday",
    "there is a message from {} for you", "they moved to {} three years ago",
]
ESPEAK = ["en-us", "en-gb", "en-us+f3", "en-gb+m3"]
FLITE = ["slt", "rms", "awb", "kal16"]


def names(count, seed):
    """Made-up names of two or three syllables, a third of them products."""
    draw = random.Random(seed)
    made = []
    while len(made) < count:
        syllables = [draw.choice(ONSETS) + draw.choice(VOWELS) for _ in range(draw.choice([1, 2, 2]))]
        last = draw.choice(PRODUCTS) if len(made) % 3 == 0 else draw.choice(ONSETS) + draw.choice(VOWELS) + draw.choice(CODAS)
        name = ("".join(syllables) + last).capitalize()
        if name not in made:
            made.append(name)
    return made


def voice_of(number):
    """Which of the eight voices speaks a name, so that each speaks every carrier."""
    return (number // len(CARRIERS) + number) % len(ESPEAK + FLITE)


def speak(text, number, path):
    """One of eight voices in turn."""
    kind, voice = divmod(number % 8, 4)
    if kind == 0:
        subprocess.run(["espeak-ng", "-v", ESPEAK[voice], "-s", "150", "-w", path, text], check=True, stderr=subprocess.DEVNULL)
    else:
        subprocess.run(["flite", "-voice", FLITE[voice], "-t", text, "-o", path], check=True)


def transcribe(files, words, model="models/en"):
    """The texts of recordings, in their order, and the seconds that took."""
    begun = time.time()
    command = [PROGRAM, "transcribe", "-q", "--model", model, "--format", "text", *(["--words", words] if words else []), *files]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return lines, time.time() - begun


def recall(spoken, lines):
    """How many of the names stand in the lines, whatever their case."""
    return sum(name.lower() in line.lower().split() for name, line in zip(spoken, lines))


def by_voice(spoken, lines):
    """A line for each voice: how many of its names were heard, and how many of the plain words around them."""
    for voice, title in enumerate([f"espeak-ng {name}" for name in ESPEAK] + [f"flite {name}" for name in FLITE]):
        own = [number for number in range(len(spoken)) if voice_of(number) == voice]
        names_heard = sum(recall([spoken[number]], [lines[number]]) for number in own)
        plain = [(word, lines[number].split()) for number in own for word in CARRIERS[number % len(CARRIERS)].split() if word != "{}"]
        plain_heard = sum(word in heard for word, heard in plain)
        yield f"  {title}: {names_heard} of {len(own)} names, {100 * plain_heard / max(1, len(plain)):.0f} % of the words around them"


def cost(count, scratch):
    """Median seconds that adding so many names takes a running program, as it says itself: of lists that it never saw, and of the same again."""
    words = os.path.join(scratch, "many.txt")
    command = [PROGRAM, "transcribe", "-v", "--model", "models/en", "--words", words, "corpora/samples/river.wav"]
    told = {False: [], True: []}
    # The first of all also learns how words are spelt, once for all lists.
    for _ in range(6):
        Path(words).write_text("".join(f"{name}\n" for name in names(count, random.getrandbits(64))))
        for again in told:
            text = subprocess.run(command, check=True, capture_output=True, text=True).stderr
            told[again].append(float(re.search(r"own words added in ([0-9.]+) s", text)[1]))
    return [sorted(times[1:])[2] for times in told.values()]


def development(manifest, count):
    """Paths and texts of development utterances, evenly spread."""
    rows = [line.rstrip("\n").split("\t") for line in open(manifest, encoding="utf-8")]
    head, rows = rows[0], rows[1:]
    at = {name: head.index(name) for name in ("path", "split", "text", "speaker")}
    rows = [row for row in rows if row[at["split"]] == "dev"]
    rows = [rows[i * len(rows) // count] for i in range(min(count, len(rows)))]
    folder = Path(manifest).parent
    return [str(folder / row[at["path"]]) for row in rows], [row[at["text"]] for row in rows]


def errors(reference, heard):
    """Word errors by edit distance."""
    reference, heard = reference.lower().split(), heard.lower().split()
    row = list(range(len(heard) + 1))
    for i, word in enumerate(reference, 1):
        row, before = [i], row
        for j, other in enumerate(heard, 1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (word != other)))
    return row[-1]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--names", type=int, default=200)
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--boost", type=float)
    parser.add_argument("--manifest")
    parser.add_argument("--utterances", type=int, default=768)
    parser.add_argument("--cost", type=int)
    args = parser.parse_args()
    spoken = names(args.names, args.seed)
    with tempfile.TemporaryDirectory() as scratch:
        words = os.path.join(scratch, "words.txt")
        boost = "" if args.boost is None else f" {args.boost}"
        Path(words).write_text("".join(f"{name}{boost}\n" for name in spoken))
        files = [os.path.join(scratch, f"{number:04}.wav") for number in range(len(spoken))]
        for number, (name, path) in enumerate(zip(spoken, files)):
            speak(CARRIERS[number % len(CARRIERS)].format(name), voice_of(number), path)
        for title, listed in (("without", None), ("with", words)):
            lines, seconds = transcribe(files, listed)
            found = recall(spoken, lines)
            print(f"{title} --words: {found} of {len(spoken)} names heard, {100 * found / len(spoken):.1f} %, in {seconds:.1f} s")
            print(*by_voice(spoken, lines), sep="\n", flush=True)
        if args.cost:
            first, again = cost(args.cost, scratch)
            print(f"{args.cost} words added in {first:.3f} s, the same again in {again:.3f} s, medians of 5")
        if args.manifest:
            audio, texts = development(args.manifest, args.utterances)
            total = sum(len(text.split()) for text in texts)
            for title, listed in (("without", None), ("with", words)):
                lines, _ = transcribe(audio, listed)
                wrong = sum(errors(text, line) for text, line in zip(texts, lines))
                false = sum(word.lower() in {name.lower() for name in spoken} for line in lines for word in line.split())
                print(f"{title} --words: {len(audio)} development utterances, word error rate {100 * wrong / total:.2f} %, {false} names")


if __name__ == "__main__":
    main()
