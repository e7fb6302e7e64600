"""Whether `paretone transcribe --format json` writes what docs/transcript.schema.json says, and no field that it leaves out.

    scripts/check_json.py [--program target/release/paretone]

Recognises the samples in the repository with the model there, in every shape that an answer has. Needs jsonschema (pip).
"""

import argparse
import json
import subprocess
import sys
import tempfile
import wave
from pathlib import Path

from jsonschema import Draft202012Validator

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "corpora/samples"


def closed(schema):
    """The same schema, in which objects have no further fields."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    shut = {key: closed(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and "type" in schema:
        shut.setdefault("additionalProperties", False)
    return shut


def stereo(path):
    """Two samples as the channels of one recording."""
    tracks = []
    for name in ("river.wav", "night.wav"):
        with wave.open(str(SAMPLES / name)) as sample:
            tracks.append((sample.getframerate(), sample.readframes(sample.getnframes())))
    length = min(len(samples) for _, samples in tracks)
    both = b"".join(left + right for left, right in zip(*([data[at : at + 2] for at in range(0, length, 2)] for _, data in tracks)))
    with wave.open(path, "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(tracks[0][0])
        out.writeframes(both)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default=str(ROOT / "target/release/paretone"))
    args = parser.parse_args()
    schema = json.loads((ROOT / "docs/transcript.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(closed(schema))
    wrong = lines = 0
    with tempfile.TemporaryDirectory() as scratch:
        two = f"{scratch}/two.wav"
        stereo(two)
        broken = f"{scratch}/broken.wav"
        Path(broken).write_bytes(b"no audio")
        cut = f"{scratch}/cut.wav"
        Path(cut).write_bytes((SAMPLES / "river.wav").read_bytes()[:-20000])
        river = str(SAMPLES / "river.wav")
        for flags in (
            [river, broken, cut],
            ["--n-best", "3", river],
            ["--tolerance", "5%", river],
            ["--beam", "9", river],
            ["--channels", "separate", two],
            ["--numbers", "digits", river],
        ):
            command = [args.program, "transcribe", "-q", "--model", str(ROOT / "models/en"), "--format", "json", *flags]
            out = subprocess.run(command, stdout=subprocess.PIPE, text=True).stdout
            for line in out.splitlines():
                lines += 1
                for error in validator.iter_errors(json.loads(line)):
                    wrong += 1
                    for part in [error, *(error.context or [])]:
                        print(f"{' '.join(flags[:2])}: {part.json_path}: {part.message[:200]}")
    print(f"{lines} lines, {wrong} unlike docs/transcript.schema.json")
    sys.exit(0 if lines >= 8 and not wrong else 1)


if __name__ == "__main__":
    main()
