#!/usr/bin/env python3
"""Which answers other weights of the costs would choose among the n best: word error rates on `dev`.

    paretone transcribe --at v7 --neural --format json --n-best 100 FILES >nbest.jsonl
    python scripts/eval/nbest_weights.py --manifest ../shared/speech/manifest.tsv nbest.jsonl

References are taken as they are written, `to day` and its like included, so that figures are a little above those of
`paretone bench`. Choosing among the paths of one search, they say which way to go, not how far.
"""

import argparse
import csv
import json
from pathlib import Path


def errors(reference, heard):
    """Word edit distance."""
    row = list(range(len(heard) + 1))
    for i, wanted in enumerate(reference, 1):
        above, row[0] = row[0], i
        for j, found in enumerate(heard, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (wanted != found))
    return row[-1]


def answers(manifest, lines):
    """By utterance: words of the reference, and of each alternative its errors and what it costs."""
    with open(manifest, newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE) if row["split"] == "dev"]
    texts = {str((manifest.parent / row["path"]).resolve()): row["text"].split() for row in rows}
    for line in lines:
        found = json.loads(line)
        reference = texts[str(Path(found["file"]).resolve())]
        alternatives = found["alternatives"] or [dict(words=[], cost=0.0, costs=None, posterior=1.0)]
        for one in alternatives:
            one["errors"] = errors(reference, one["words"])
            costs = one["costs"] or dict.fromkeys(("acoustic", "silences", "language", "word_penalty", "rescoring_ngram", "neural"), 0.0)
            one.update(costs, heard=costs["acoustic"] + costs["silences"], count=len(one["words"]))
        yield len(reference), alternatives


def main():
    args = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    args.add_argument("--manifest", type=Path, required=True)
    args.add_argument("nbest", type=Path)
    args = args.parse_args()
    with open(args.nbest) as lines:
        all_answers = list(answers(args.manifest, lines))
    words = sum(count for count, _ in all_answers)

    def rate(cost):
        return f"{100 * sum(min(these, key=cost)['errors'] for _, these in all_answers) / words:.2f}"

    mean = sum(len(these) for _, these in all_answers) / len(all_answers)
    print(f"{len(all_answers)} utterances, {words} words, {mean:.1f} answers each")
    print("as answered", rate(lambda a: a["cost"]), " fewest errors", rate(lambda a: a["errors"]), " most probable words", rate(lambda a: -a["posterior"]))
    penalties = (-0.9, -0.4, 0.0, 0.4, 0.8)
    print("scale of the language models, by what is added to the cost of a word:", *penalties, sep="\t")
    for scale in (0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.5):
        print(scale, *(rate(lambda a: a["heard"] + a["word_penalty"] + scale * a["language"] + more * a["count"]) for more in penalties), sep="\t")
    scales = (0.8, 0.9, 1.0, 1.1, 1.2)
    print("share of the network's costs beside the 4-gram's, in place of probabilities, by scale:", *scales, sep="\t")
    for share in (0.0, 0.3, 0.5, 0.7, 1.0):
        mixed = lambda a: share * a["neural"] + (1 - share) * a["rescoring_ngram"]
        print(share, *(rate(lambda a: a["heard"] + a["word_penalty"] + scale * mixed(a)) for scale in scales), sep="\t")


if __name__ == "__main__":
    main()
