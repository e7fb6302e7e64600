"""The types that editors see are those there are."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import paretone

USE = '''
import numpy
import paretone

asr = paretone.Recognizer(precision="auto")
samples = numpy.zeros(16000, dtype=numpy.float32)
heard: paretone.Result = asr.transcribe(samples, 16000, tolerance="5%", objective="cost")
text: str = paretone.transcribe("a.wav", version="v1").text
first: float = heard.words[0].start
for event in asr.stream([samples], rate=16000):
    kind: str = event.kind
scores = asr.scores(samples)
again: paretone.Result = asr.search(scores, version="v1")
also: paretone.Result = asr.search(numpy.asarray(scores))
'''
WRONG = '''
import paretone
paretone.transcribe("a.wav", tolerence="5%")
paretone.Recognizer(precision="f16")
'''


def check(tool, tmp_path, text):
    pytest.importorskip(tool)
    path = tmp_path / "use.py"
    path.write_text(text)
    strict = ["--strict"] if tool == "mypy" else []
    return subprocess.run([sys.executable, "-m", tool, *strict, str(path)], capture_output=True, text=True, cwd=tmp_path)


@pytest.mark.parametrize("tool", ["mypy", "pyright"])
def test_right_use_passes_and_wrong_use_does_not(tool, tmp_path):
    right = check(tool, tmp_path, USE)
    assert right.returncode == 0, right.stdout
    wrong = check(tool, tmp_path, WRONG)
    assert wrong.returncode == 1 and "tolerence" in wrong.stdout and "f16" in wrong.stdout


def test_stubs_name_what_there_is():
    pytest.importorskip("mypy")
    run = subprocess.run([sys.executable, "-m", "mypy.stubtest", "paretone._paretone"], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout


def test_everything_public_is_documented():
    for name in paretone.__all__:
        thing = getattr(paretone, name)
        assert inspect.getdoc(thing), name
        for part, member in vars(thing).items() if inspect.isclass(thing) else ():
            if not part.startswith("_") and callable(member):
                assert inspect.getdoc(member), f"{name}.{part}"


def test_the_package_says_that_it_is_typed():
    assert (Path(paretone.__file__).parent / "py.typed").is_file()
