#!/usr/bin/env python3
"""Wraps the comments of Rust files that are wider than 100 columns: scripts/wrap_comments.py FILE…

Only paragraphs that hold such a line are wrapped again; code in comments, tables, headings and single words that are
too long stay as they are, and code in backticks is never split. `tests/house.rs` fails on what this script would
change. (rustfmt does this only with options that are not stable.)
"""

import re
import sys
import textwrap

WIDTH = 100
COMMENT = re.compile(r"^(\s*//[/!]?)(.*)$")
ITEM = re.compile(r"^\s*(?:[-*]|\d+\.)\s+")
KEPT = re.compile(r"^\s*(?:$|[#|]|```)")


def wrapped(lines):
    """The lines of a file, its comments wrapped."""
    out, at = [], 0
    while at < len(lines):
        comment = COMMENT.match(lines[at])
        if not comment:
            out.append(lines[at])
            at += 1
            continue
        marker, texts = comment[1], []
        while at < len(lines) and (line := COMMENT.match(lines[at])) and line[1] == marker:
            texts.append(line[2])
            at += 1
        for paragraph in paragraphs(texts):
            out += fill(marker, paragraph) if is_wide(marker, paragraph) else [marker + text for text in paragraph]
    return out


def paragraphs(texts):
    """Parts of a comment; what must not be wrapped is one part a line."""
    code, part = False, []
    for text in texts:
        fence = text.strip().startswith("```")
        if code or fence or KEPT.match(text):
            yield from filter(None, [part, [text]])
            part, code = [], code != fence
        elif ITEM.match(text):
            yield from filter(None, [part])
            part = [text]
        else:
            part.append(text)
    yield from filter(None, [part])


def is_wide(marker, paragraph):
    wide = any(len(marker + text) > WIDTH for text in paragraph)
    return wide and not KEPT.match(paragraph[0])


def fill(marker, paragraph):
    indent = re.match(r"\s*", paragraph[0])[0]
    item = ITEM.match(paragraph[0])
    text = " ".join(text.strip() for text in paragraph)
    text = re.sub(r"`[^`]*`", lambda code: code[0].replace(" ", "\0"), text)
    lines = textwrap.wrap(
        text,
        WIDTH - len(marker),
        initial_indent=indent,
        subsequent_indent=" " * len(item[0]) if item else indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [marker + line.replace("\0", " ") for line in lines]


def main(paths):
    for path in paths:
        with open(path, encoding="utf-8") as file:
            before = file.read()
        after = "\n".join(wrapped(before.split("\n")))
        if after != before:
            with open(path, "w", encoding="utf-8") as file:
                file.write(after)
            print(path)


if __name__ == "__main__":
    main(sys.argv[1:])
