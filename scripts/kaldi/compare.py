"""Whether libvosk and Paretone hear the same in a Vosk folder.

usage: compare.py PARETONE FOLDER RECORDING... [--least N]

Both run on the folder as Kaldi's own files describe it: `conf/paretone.conf` and `gate.json`, which
libvosk does not read, are left out of a copy, and dither is off in it. So features, network, search
settings, graph scale and mean are those of libvosk, and so should the best paths be. Both are asked for
their best path (libvosk for one alternative), and for the words of least Bayes risk, which both give by
default. Prints every recording whose best path differs in words or whose cost differs by more than a
thousandth, or whose words of least risk differ, then the counts, and how far likelihoods are apart where the
best paths have the same words; fails where the best paths of fewer than N have.
"""
import argparse
import contextlib
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import soundfile
import vosk

from vosk_words import hear


def plain_copy(folder, into):
    """The folder without what is ours, its large files linked."""
    ours = {"paretone.conf", "gate.json", "gate.safetensors"}
    for path in pathlib.Path(folder).rglob("*"):
        if not path.is_file() or path.name in ours:
            continue
        to = into / path.relative_to(folder)
        to.parent.mkdir(parents=True, exist_ok=True)
        if path.name in ("mfcc.conf", "fbank.conf"):
            lines = path.read_text().splitlines()
            kept = [line for line in lines if not line.startswith("--dither")]
            to.write_text("\n".join(kept + ["--dither=0", ""]))
        elif path.suffix == ".conf":
            shutil.copy(path, to)
        else:
            to.symlink_to(path.resolve())


def sixteen_bit(path, to):
    """The samples as libvosk takes them: two decoders of one recording differ by a rounding, which the
    features of silence show."""
    samples, rate = soundfile.read(path, dtype="int16", always_2d=True)
    soundfile.write(to, samples[:, 0], rate, subtype="PCM_16")
    return str(to)


@contextlib.contextmanager
def prepared(folder, recordings):
    """A plain copy of the folder, and the recordings as libvosk takes them, for as long as they are used."""
    with tempfile.TemporaryDirectory() as temporary:
        copy = pathlib.Path(temporary)
        plain_copy(folder, copy)
        yield copy, [sixteen_bit(path, copy / f"{at}.wav") for at, path in enumerate(recordings)]


def parsed(description, **numbers):
    """The command line: program, folder, recordings, and options that are whole numbers, by their defaults."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", metavar="PARETONE")
    parser.add_argument("folder", metavar="FOLDER")
    parser.add_argument("recordings", metavar="RECORDING", nargs="+")
    for name, default in numbers.items():
        parser.add_argument("--" + name.replace("_", "-"), type=int, default=default, metavar="N")
    return parser.parse_intermixed_args()


def transcribed(program, folder, heard):
    command = [program, "transcribe", "--model", str(folder), "--precision", "f32", "--format", "json"]
    answers = subprocess.run(command + heard, check=True, capture_output=True, text=True)
    return [json.loads(line) for line in answers.stdout.splitlines()]


def main():
    arguments = parsed(__doc__, least=0)
    recordings = arguments.recordings
    with prepared(arguments.folder, recordings) as (copy, heard):
        decided = [answer["text"] for answer in transcribed(arguments.program, copy, heard)]
        (copy / "conf/paretone.conf").write_text("--minimum-bayes-risk=false\n")
        ours = transcribed(arguments.program, copy, heard)
        vosk.SetLogLevel(-1)
        model = vosk.Model(str(copy))
        theirs = [hear(model, path, 0, True) for path in heard]
        chosen = [hear(model, path, 0, False)[0] for path in heard]
    equal = near = same_choice = 0
    apart = []
    for path, mine, (words, likelihood), own, choice in zip(recordings, ours, theirs, decided, chosen, strict=True):
        equal += mine["text"] == words
        same_choice += own == choice
        difference = abs(mine["cost"] + likelihood) / abs(likelihood)
        close = difference <= 1e-3
        if mine["text"] == words:
            apart.append(difference)
        near += close
        if mine["text"] != words or not close:
            print(f"{path}\n  paretone {-mine['cost']:.3f} {mine['text']}\n  libvosk  {likelihood:.3f} {words}")
        if own != choice:
            print(f"{path}, least risk\n  paretone {own}\n  libvosk  {choice}")
    print(f"of {len(recordings)} recordings {equal} have the same best path's words, {near} the same likelihood to "
          f"a thousandth, {same_choice} the same words of least risk")
    if apart:
        print(f"likelihoods where the best paths have the same words, relative: {sum(apart) / len(apart):.2g} apart in "
              f"the mean, at most {max(apart):.2g}")
    sys.exit(equal < arguments.least)


if __name__ == "__main__":
    main()
