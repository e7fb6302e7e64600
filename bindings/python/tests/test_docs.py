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


def documented():
    """Everything public that has a docstring: classes, their methods, functions."""
    found = {name: getattr(paretone, name) for name in paretone.__all__ if name != "ctc"} | {"ctc.Graph": paretone.ctc.Graph}
    for name, thing in list(found.items()):
        if inspect.isclass(thing):
            found |= {f"{name}.{one}": getattr(thing, one) for one in vars(thing) if not one.startswith("_") and callable(getattr(thing, one))}
    return found


SECTIONS = ("Parameters", "Returns", "Yields", "Raises", "Attributes", "Examples")


@pytest.mark.parametrize("name", sorted(documented()))
def test_docstrings_are_numpy_s(name):
    thing = documented()[name]
    lines = (inspect.getdoc(thing) or "").splitlines()
    assert lines and "." in " ".join(lines).partition("  ")[0], "it begins with a sentence"
    underlined = {lines[at - 1] for at, line in enumerate(lines) if at and set(line) == {"-"} and len(line) == len(lines[at - 1])}
    ruled = [line for line in lines if "---" in line]
    assert len(ruled) == len(underlined) and underlined <= set(SECTIONS), ruled
    try:
        takes = [one for one in inspect.signature(thing).parameters if one not in ("self", "knobs", "how")]
    except (TypeError, ValueError):
        return
    if "Parameters" in underlined:
        told = "\n".join(lines)
        missing = [one for one in takes if not re.search(rf"^(.*, )?{one}(, .*)?( : .*)?$", told, re.MULTILINE)]
        assert not missing, f"it says nothing of {missing}"
