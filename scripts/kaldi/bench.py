"""Processor time of Paretone and libvosk on one Vosk folder, side by side.

usage: bench.py PARETONE FOLDER RECORDING... [--rounds N] [--no-mmap 1]

Each round runs, at each of three settings of beam, max-active and lattice beam, libvosk, Paretone in
floats and Paretone in integers, one after the other, so that what else the machine does falls on all
alike. Both make a lattice, determinise it and choose the words of least Bayes risk, on one thread;
libvosk reads the graph into memory, Paretone does so with --no-mmap 1 and maps it without. A run's time
is that of its process less what opening the model takes (a run over no audio but a tenth of a second).
Prints the median of each and the ratios.
"""
import json
import pathlib
import resource
import statistics
import subprocess
import sys

import numpy
import soundfile

from compare import parsed, prepared

SETTINGS = [(10, 3000, 2), (11, 2000, 6), (13, 7000, 8)]
HERE = pathlib.Path(__file__).parent


def spent(command):
    """Processor seconds of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def set_search(folder, beam, active, lattice):
    path = folder / "conf/model.conf"
    lines = [line for line in path.read_text().splitlines()
             if line.split("=")[0] not in ("--beam", "--max-active", "--lattice-beam")]
    lines += [f"--beam={beam}", f"--max-active={active}", f"--lattice-beam={lattice}", ""]
    path.write_text("\n".join(lines))


def main():
    arguments = parsed(__doc__, rounds=3, no_mmap=0)
    with prepared(arguments.folder, arguments.recordings) as (copy, heard):
        seconds = sum(soundfile.info(path).duration for path in heard)
        nothing = str(copy / "nothing.wav")
        soundfile.write(nothing, numpy.zeros(1600, "int16"), 16000, subtype="PCM_16")
        ours = [arguments.program, "transcribe", "--model", str(copy), "--format", "json",
                "--jobs", "1", *["--no-mmap"] * arguments.no_mmap, "--precision"]
        peers = {
            "libvosk": [sys.executable, str(HERE / "vosk_words.py"), str(copy)],
            "floats": ours + ["f32"],
            "integers": ours + ["int8"],
        }
        print("setting\t" + "\t".join(peers) + "\tfloats\tintegers\t(seconds of processor time; times faster)")
        for setting in SETTINGS:
            set_search(copy, *setting)
            subprocess.run(peers["floats"] + [nothing], check=True, capture_output=True)
            times = {name: [] for name in peers}
            for _ in range(arguments.rounds):
                for name, command in peers.items():
                    times[name].append(spent(command + heard) - spent(command + [nothing]))
            median = {name: statistics.median(values) for name, values in times.items()}
            ratios = [median["libvosk"] / median[name] for name in ("floats", "integers")]
            print("/".join(map(str, setting)), *(f"{median[name]:.2f}" for name in peers),
                  *(f"{ratio:.1f}" for ratio in ratios), sep="\t", flush=True)
        print(json.dumps({"seconds of audio": round(seconds, 1), "recordings": len(heard), "rounds": arguments.rounds}))


if __name__ == "__main__":
    main()
