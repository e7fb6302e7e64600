#!/usr/bin/env python3
"""Numbers quoted in README and docs/ must be those of the records.

    scripts/check_quotes.py

docs/quotes.tsv lists them: the page, the words of the page, the record (under benches/records/), and the words of
the record. Runs of spaces count as one on both sides. A quote that is no longer on its page, or whose record now says
something else, is named with what to do. Exits 1 if there is any.
"""

import csv
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def words(path):
    return " ".join(path.read_text(encoding="utf-8").split())


def problems(row):
    page, quote, record, source = (row[key] for key in ("page", "quote", "record", "source"))
    for path in (page, f"benches/records/{record}"):
        if not (ROOT / path).exists():
            yield f"{path} does not exist"
            return
    if " ".join(quote.split()) not in words(ROOT / page):
        yield f"{page} no longer says “{quote}”: bring docs/quotes.tsv up to date"
    if " ".join(source.split()) not in words(ROOT / "benches/records" / record):
        yield f"{record} no longer says “{source}”: correct “{quote}” in {page}, then docs/quotes.tsv"


def main():
    with open(ROOT / "docs/quotes.tsv", encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    found = [problem for row in rows for problem in problems(row)]
    print(*found, f"{len(rows)} quoted figures, {len(found)} of them not what the records say", sep="\n")
    return 1 if found or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
