"""The guides' snippets run as they stand, one after the other; and the examples in docstrings."""

from __future__ import annotations

import doctest
import inspect
import re
import shutil

import pytest

import paretone
from conftest import ROOT

RIVER = "the old man walked slowly"
GUIDES = {
    "docs/python.md": RIVER,
    "bindings/python/README.md": RIVER,
    "README.md": RIVER,
    "docs/ctc.md": "ball",
}


def snippets(guide):
    return re.findall(r"^```python\n(.*?)^```", (ROOT / guide).read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("guide", GUIDES)
def test_every_snippet_of_a_guide_runs(guide, river, tmp_path, monkeypatch, capsys):
    shutil.copy(river, tmp_path / "talk.wav")
    monkeypatch.chdir(tmp_path)
    found = snippets(guide)
    assert found, f"{guide} has no snippets of Python"
    names: dict[str, object] = {}
    for number, snippet in enumerate(found, start=1):
        exec(compile(snippet, f"{guide}, snippet {number}", "exec"), names)
    assert GUIDES[guide] in capsys.readouterr().out


@pytest.mark.parametrize("name", ["paretone", *paretone.__all__])
def test_examples_in_docstrings(name):
    thing = paretone if name == "paretone" else getattr(paretone, name)
    text = inspect.getdoc(thing) or ""
    test = doctest.DocTestParser().get_doctest(text, {}, name, None, None)
    runner = doctest.DocTestRunner()
    runner.run(test)
    assert runner.summarize().failed == 0
