#!/usr/bin/env python3
"""Writes the compressed chirps in tests/audio that the tests of src/audio decode.

The chirp is 0.25 s at 16 kHz, mono: 0.5 sin(2 pi (200 t + 6000 t^2)), which the tests compute for themselves. Needs
Debian's flac, lame, vorbis-tools, opus-tools, sox and ffmpeg.

    python scripts/golden_audio.py
"""

import math
import struct
import subprocess
import wave
from pathlib import Path

OUT = Path(__file__).parent.parent / "tests/audio"
RATE = 16000
# By file: what ffmpeg is told.
FFMPEG = {
    "aac.m4a": ["-c:a", "aac", "-b:a", "64k"],
    "alac.m4a": ["-c:a", "alac"],
    "fragmented.mp4": ["-c:a", "aac", "-b:a", "64k", "-movflags", "frag_keyframe+empty_moov"],
    "pcm.mov": ["-c:a", "pcm_s16le"],
    "opus.webm": ["-c:a", "libopus", "-b:a", "48k"],
    "recorder.webm": ["-c:a", "libopus", "-b:a", "48k", "-f", "webm"],
    "flac.mka": ["-c:a", "flac"],
    "adts.aac": ["-c:a", "aac", "-b:a", "64k"],
    "aac.ts": ["-c:a", "aac", "-b:a", "64k"],
    "mp2.ts": ["-c:a", "mp2", "-b:a", "96k"],
    "chirp.mp2": ["-c:a", "mp2", "-b:a", "96k"],
    "flac.oga": ["-c:a", "flac", "-f", "ogg"],
    "surround.opus": ["-af", "pan=5.1|c0=1.5*c0|c1=1.5*c0|c2=0*c0|c3=0*c0|c4=1.5*c0|c5=1.5*c0", "-c:a", "libopus", "-b:a", "128k"],
    "chirp.aiff": [],
    "chirp.caf": [],
    "mulaw.au": ["-c:a", "pcm_mulaw"],
    "ima.wav": ["-c:a", "adpcm_ima_wav"],
    "ms.wav": ["-c:a", "adpcm_ms"],
    "mp3.wav": ["-c:a", "libmp3lame", "-b:a", "64k"],
    "stereo44.mp3": ["-ac", "2", "-ar", "44100", "-c:a", "libmp3lame", "-b:a", "64k"],
}
# Half a second of pictures before the chirp begins.
LATE = {
    "late.mp4": ["-c:a", "aac", "-b:a", "64k"],
    "late.mkv": ["-c:a", "flac"],
    "late.ts": ["-c:a", "mp2", "-b:a", "96k"],
}


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
    for name, options in FFMPEG.items():
        command = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", source.name, "-fflags", "+bitexact", "-flags:a", "+bitexact"]
        # What goes through a pipe has no sizes filled in, as what a browser records.
        piped = name == "recorder.webm"
        out = subprocess.run([*command, *options, "-" if piped else name], cwd=OUT, check=True, capture_output=piped)
        if piped:
            (OUT / name).write_bytes(out.stdout)
    for name, options in LATE.items():
        pictures = ["-f", "lavfi", "-i", "color=size=16x16:rate=8:duration=0.75"]
        command = ["ffmpeg", "-nostdin", "-v", "error", "-y", *pictures, "-itsoffset", "0.5", "-i", source.name]
        exact = ["-fflags", "+bitexact", "-flags:a", "+bitexact", "-flags:v", "+bitexact", "-map", "0:v", "-map", "1:a", "-c:v", "mpeg2video"]
        subprocess.run([*command, *exact, *options, name], cwd=OUT, check=True)
    subprocess.run(["sox", source.name, "-r", "8000", "-e", "gsm-full-rate", "gsm.wav"], cwd=OUT, check=True)
    source.unlink()


if __name__ == "__main__":
    main()
