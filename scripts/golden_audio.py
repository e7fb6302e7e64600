#!/usr/bin/env python3
"""Writes the compressed chirps in tests/audio that the tests of src/audio decode.

The chirp is 0.25 s at 16 kHz, mono: 0.5 sin(2 pi (200 t + 6000 t^2)), which the tests compute for themselves. Needs
Debian's flac, lame, vorbis-tools and opus-tools.

    python scripts/golden_audio.py
"""

import math
import struct
import subprocess
import wave
from pathlib import Path

OUT = Path(__file__).parent.parent / "tests/audio"
RATE = 16000


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    source = OUT / "chirp.wav"
    times = [n / RATE for n in range(RATE // 4)]
    samples = [round(16384 * math.sin(2 * math.pi * (200 * t + 6000 * t * t))) for t in times]
    with wave.open(str(source), "wb") as out:
        out.setparams((1, 2, RATE, 0, "NONE", ""))
        out.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    for command in (
        ["flac", "--silent", "--force", "--best", "--no-padding", "-o", "chirp.flac", source.name],
        ["lame", "--quiet", "-b", "64", source.name, "chirp.mp3"],
        ["oggenc", "--quiet", "--serial", "1", "-q", "6", "-o", "chirp.ogg", source.name],
        ["opusenc", "--quiet", "--serial", "1", "--bitrate", "48", source.name, "chirp.opus"],
    ):
        subprocess.run(command, cwd=OUT, check=True)
    source.unlink()


if __name__ == "__main__":
    main()
