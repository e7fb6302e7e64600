"""The program, run and measured (Linux)."""
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "target/release/paretone"


class Run(NamedTuple):
    """One run of the program."""

    seconds: float
    """On the clock."""
    processor: float
    """Seconds of processor time."""
    memory: float
    """At its peak, in MiB."""
    said: str
    """On both outputs."""


def run(*command, program=PROGRAM, **variables):
    """Runs the program with these arguments, and these environment variables besides."""
    began = time.perf_counter()
    with tempfile.TemporaryFile("w+") as told:
        child = subprocess.Popen([program, *map(str, command)], stdout=told, stderr=subprocess.STDOUT, cwd=ROOT, env={**os.environ, **variables})
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - began
        told.seek(0)
        said = told.read()
    assert status == 0, said
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, said)
