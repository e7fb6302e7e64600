#!/usr/bin/env python3
"""Stage 1: the speech that training reads, as 16-bit samples at 16 kHz in one file a part.

Writes CACHE/audio/<part>.i16 (samples) and CACHE/audio/<part>.tsv (id, first sample, samples, speaker, set, text).
Parts: `real` (the `train` rows of the manifest), `children` (speechocean762's children, who are in no row of the
manifest) and `dev` (the LibriSpeech rows of `dev`, for the objective on speech that is not trained on). Rows of the
`test` split are never opened; a child's sentence that is also a sentence of a `test` row is left out.

The shared audio is Ogg Opus. Where `--mirrors` holds snapshots of the public repositories that the manifest names as
sources (OWNER+NAME/repo, bare git directories), the lossless originals are read in its place.

    python corpus.py --shared ../shared --mirrors ../.mirror --cache .cache/train
"""

import argparse
import csv
import io
import subprocess
from pathlib import Path

import numpy as np
import soundfile
import soxr

RATE = 16000
OCEAN = "jimbozhang+speechocean762"
CHILD = 16  # years; the manifest's adults are at least this old
HELD_ASIDE = "test-other"  # folders of this name in a source are never opened


def manifest(shared):
    """All rows of the speech manifest, as dictionaries, in file order."""
    with open(shared / "speech/manifest.tsv", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def rows_of(shared, split):
    """Manifest rows of one split, in file order."""
    return [row for row in manifest(shared) if row["split"] == split]


class Mirror:
    """Files of one public repository, read from a git directory without a work tree."""

    def __init__(self, path):
        inner = path / "repo/.git"
        self.git = ["git", f"--git-dir={inner if inner.is_dir() else path / 'repo'}"]
        listing = subprocess.run([*self.git, "ls-tree", "-r", "--name-only", "HEAD"], capture_output=True, text=True)
        audio = (name for name in listing.stdout.splitlines() if HELD_ASIDE not in name)
        self.files = {Path(name).stem: name for name in audio if name.lower().endswith((".flac", ".wav"))}

    def read(self, name):
        return subprocess.run([*self.git, "show", f"HEAD:{name}"], capture_output=True, check=True).stdout

    def table(self, name):
        """A file of `key value…` lines as a dictionary."""
        lines = (line.split(maxsplit=1) for line in self.read(name).decode().splitlines())
        return {key: value for key, value in lines}


class Store:
    """Parts of the store, mapped: samples, speaker and text by utterance."""

    def __init__(self, cache, parts):
        self.folder, self.parts = cache / "audio", parts
        self.spans, self.speaker, self.corpus, self.text = {}, {}, {}, {}
        self.map()
        for part in parts:
            for line in open(cache / "audio" / f"{part}.tsv"):
                key, first, count, speaker, corpus, text = line.rstrip("\n").split("\t")
                self.spans[key] = (part, int(first), int(count))
                self.speaker[key], self.corpus[key], self.text[key] = speaker, corpus, text
        self.keys = sorted(self.spans)

    def map(self):
        self.samples = {part: np.memmap(self.folder / f"{part}.i16", np.int16, "r") for part in self.parts}

    def __getstate__(self):
        return {**self.__dict__, "samples": None}  # another process maps the files itself

    def __setstate__(self, state):
        self.__dict__.update(state)
        self.map()

    def read(self, key):
        part, first, count = self.spans[key]
        return np.asarray(self.samples[part][first : first + count])


def samples_of(file):
    """int16 mono samples at 16 kHz of a path or a file object."""
    samples, rate = soundfile.read(file, dtype="float32")
    if samples.ndim > 1:
        samples = samples.mean(axis=1)
    if rate != RATE:
        samples = soxr.resample(samples, rate, RATE)
    return np.clip(np.round(samples * 32768), -32768, 32767).astype(np.int16)


class Part:
    """Writes one part of the store."""

    def __init__(self, cache, name):
        (cache / "audio").mkdir(parents=True, exist_ok=True)
        self.stem, self.name, self.first, self.lines = cache / "audio" / name, name, 0, []
        self.out = open(f"{self.stem}.i16", "wb")

    def add(self, key, samples, speaker, corpus, text):
        self.out.write(samples.tobytes())
        self.lines.append(f"{key}\t{self.first}\t{len(samples)}\t{speaker}\t{corpus}\t{text}\n")
        self.first += len(samples)

    def close(self):
        self.out.close()
        Path(f"{self.stem}.tsv").write_text("".join(self.lines))
        print(f"{self.name}: {len(self.lines)} utterances, {self.first / RATE / 3600:.2f} h", flush=True)


def store_rows(part, rows, shared, mirrors):
    lossless = 0
    for row in rows:
        mirror = mirrors.get(row["source"].split(" ")[0].replace("/", "+"))
        original = mirror.files.get(row["id"]) if mirror else None
        lossless += original is not None
        file = io.BytesIO(mirror.read(original)) if original else shared / "speech" / row["path"]
        part.add(row["id"], samples_of(file), row["speaker"], row["set"], row["text"])
    print(f"{lossless} of {len(rows)} read from lossless originals")
    part.close()


def store_children(cache, ocean, rows):
    known = {row["speaker"] for row in rows if row["set"] == "ocean-adults"}
    kept_out = {row["text"] for row in rows if row["split"] == "test"}
    part = Part(cache, "children")
    for side in ("train", "test"):
        ages, speakers = ocean.table(f"{side}/spk2age"), ocean.table(f"{side}/utt2spk")
        for key, text in ocean.table(f"{side}/text").items():
            speaker, text = speakers[key], text.lower().strip()
            if speaker in known or int(ages[speaker]) >= CHILD or text in kept_out:
                continue
            part.add(key, samples_of(io.BytesIO(ocean.read(ocean.files[key]))), speaker, "ocean-children", text)
    part.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--mirrors", type=Path, help="folder with snapshots of the source repositories")
    parser.add_argument("--cache", type=Path, default=Path(".cache/train"))
    arguments = parser.parse_args()
    folders = sorted(arguments.mirrors.glob("*+*")) if arguments.mirrors else []
    mirrors = {folder.name: Mirror(folder) for folder in folders}
    rows = manifest(arguments.shared)
    # `dev` stays in Opus: the recogniser's figures on it are measured so.
    dev = [row for row in rows if row["split"] == "dev" and row["set"].startswith("librispeech")]
    store_rows(Part(arguments.cache, "dev"), dev, arguments.shared, {})
    if OCEAN in mirrors:
        store_children(arguments.cache, mirrors[OCEAN], rows)
    store_rows(Part(arguments.cache, "real"), [row for row in rows if row["split"] == "train"], arguments.shared, mirrors)


if __name__ == "__main__":
    main()
