#!/usr/bin/env python3
"""What lossy codecs cost: dev utterances of LibriSpeech through MP3, Opus and AAC at low rates, beside the plain ones.

    python scripts/eval/holes.py                        # table of word error rates, 100 utterances
    python scripts/eval/holes.py -- --version v7        # further options of `paretone bench`

Needs numpy and ffmpeg (Debian).
"""

import argparse
import csv
import subprocess
import tempfile
from pathlib import Path

from measured import PROGRAM, ROOT
from pauses import RATE, SET, decoded, error_rate, spread, write

CODECS = {
    "MP3, 32 kbit/s": ("mp3", ["-c:a", "libmp3lame", "-b:a", "32k"]),
    "Opus, 16 kbit/s": ("opus", ["-c:a", "libopus", "-b:a", "16k"]),
    "AAC, 48 kbit/s": ("m4a", ["-c:a", "aac", "-b:a", "48k"]),
}


def through(samples, folder, codec):
    """The samples after encoding, and decoding by ffmpeg."""
    extension, options = codec
    write(folder / "in.wav", samples)
    coded = folder / f"coded.{extension}"
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", folder / "in.wav", "-ar", str(RATE), *options, coded], check=True)
    return decoded(coded)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--shared", type=Path, default=ROOT / "../shared")
    parser.add_argument("--program", default=PROGRAM)
    parser.add_argument("--utterances", type=int, default=100)
    parser.add_argument("options", nargs="*", help="further options of `paretone bench`, after --")
    arguments = parser.parse_args()
    speech = arguments.shared / "speech"
    with open(speech / "manifest.tsv", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        rows = spread([row for row in rows if row["set"] == SET and row["split"] == "dev"], arguments.utterances)
    plain = [(row["id"], row["text"], decoded(speech / row["path"])) for row in rows]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        base, _ = error_rate(arguments.program, folder, plain, arguments.options)
        print(f"{len(plain)} utterances, plain: {base:.2f} %", flush=True)
        for codec, how in CODECS.items():
            coded = [(row, text, through(samples, folder, how)) for row, text, samples in plain]
            rate, _ = error_rate(arguments.program, folder, coded, arguments.options)
            print(f"{codec}: {rate:.2f} % ({rate - base:+.2f})", flush=True)


if __name__ == "__main__":
    main()
