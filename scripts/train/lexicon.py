#!/usr/bin/env python3
"""The vocabulary and its pronunciations: models/en/words.txt and models/en/lexicon.txt.

Vocabulary: the commonest words of the prose that stand in at least two books (a word of one book is
mostly that book's names), at most 65,532 so that with the four specials every id fits 16 bits, which
is what the n-gram packing of lm.py and of the recogniser relies on. Roman numerals and vowelless
strings unknown to CMUdict are dropped: nobody says them as spelled. Pronunciations: pronounce.py.

    python lexicon.py --shared ../shared --core .cache/core --out models/en [--split-words FILE --parts .cache/train/audio/children.tsv]

`--core` holds the unpacked shards of text/core.7z. `--split-words FILE` also writes pronunciations
for all words of the `train` and `dev` transcripts and of the parts named by `--parts` (tables of corpus.py or
synthesise.py, text last), which the acoustic training reads.
"""

import argparse
import collections
import csv
import re
from pathlib import Path

from pronounce import Pronouncer

SPECIALS = ["<eps>", "<s>", "</s>", "<unk>"]
MAX_WORDS = 65_536 - len(SPECIALS)
MIN_BOOKS = 2
COMMON = 300  # occurrences that make a word a trusted half of a compound
ROMAN = re.compile(r"(x{0,3})(ix|iv|v?i{0,3})")


def read_rows(path):
    with open(path, newline="") as file:
        yield from csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)


def count_words(shared, core):
    """(occurrences, number of books) of every word of the prose."""
    counts, books = collections.Counter(), collections.Counter()
    shards = collections.defaultdict(list)
    for row in read_rows(shared / "text/books.tsv"):
        shards[row["shard"]].append((int(row["first_line"]) - 1, int(row["n_lines"])))
    for shard, ranges in sorted(shards.items()):
        lines = (core / f"{shard}.txt").read_text().split("\n")
        for first, number in ranges:
            book = collections.Counter(" ".join(lines[first : first + number]).split())
            counts.update(book)
            books.update(book.keys())
    return counts, books


def sayable(word, dictionary):
    """Whether the spelling is something a reader says: no numerals, no bare consonants."""
    if len(word) > 1 and ROMAN.fullmatch(word):
        return False
    return word in dictionary or (len(word) > 2 and re.search("[aeiouy]", word) is not None)


def choose(counts, books, dictionary):
    """The vocabulary, commonest first, ties alphabetical."""
    words = [w for w in counts if books[w] >= MIN_BOOKS and sayable(w, dictionary)]
    words.sort(key=lambda w: (-counts[w], w))
    return words[:MAX_WORDS]


def write_lexicon(path, words, pronouncer):
    """Writes one line a pronunciation and returns how often each rule answered."""
    sources = collections.Counter()
    with open(path, "w", encoding="ascii") as out:
        for word in words:
            for phones in pronouncer.pronounce(word):
                out.write(f"{word}\t{' '.join(phones)}\n")
            sources[pronouncer.source] += 1
    return sources


def main():
    args = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    args.add_argument("--shared", type=Path, required=True)
    args.add_argument("--core", type=Path, required=True)
    args.add_argument("--out", type=Path, required=True)
    args.add_argument("--split-words", type=Path)
    args.add_argument("--parts", type=Path, nargs="*", default=[])
    args = args.parse_args()

    counts, books = count_words(args.shared, args.core)
    common = [w for w in counts if counts[w] >= COMMON]
    pronouncer = Pronouncer(args.shared / "text/cmudict.dict", common)
    words = choose(counts, books, pronouncer.table)
    # Ids follow the alphabet, so that the shipped file diffs well when the vocabulary changes.
    words.sort()
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "words.txt").write_text("\n".join(SPECIALS + words) + "\n", encoding="ascii")
    sources = write_lexicon(args.out / "lexicon.txt", words, pronouncer)
    print(f"{len(words)} words, rarest {min(counts[w] for w in words)} times;", dict(sources))

    spoken = collections.defaultdict(collections.Counter)
    for row in read_rows(args.shared / "speech/manifest.tsv"):
        if row["split"] in ("train", "dev"):
            spoken[row["split"], row["set"]].update(row["text"].split())
    for part in args.parts:
        for line in part.read_text().splitlines():
            spoken["train", part.stem].update(line.split("\t")[-1].split())
    known = set(words)
    for (split, name), tally in sorted(spoken.items()):
        out = sum(n for w, n in tally.items() if w not in known)
        print(f"out of vocabulary, {split} {name}: {out} of {tally.total()}, {100 * out / tally.total():.2f} %")
    if args.split_words:
        both = sorted(set().union(*spoken.values()))
        print("train and dev words:", dict(write_lexicon(args.split_words, both, pronouncer)))


if __name__ == "__main__":
    main()
