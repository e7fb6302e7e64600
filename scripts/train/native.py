"""The C parts of training: each is compiled once, on its first use and after a change."""

import ctypes
import subprocess
from pathlib import Path

FLAGS = "-O3 -march=native -ffast-math -shared -fPIC".split()


def library(name, cache=Path(".cache/train"), flags=(), signatures=()):
    """The library made of `NAME.c`, which lies in the cache; `signatures` are pairs of a function and its arguments' types."""
    here = Path(__file__).parent
    target = (Path(cache) / f"lib{name}.so").resolve()
    newest = max(path.stat().st_mtime for path in (here / f"{name}.c", here / "bfloat16.h"))
    if not target.exists() or target.stat().st_mtime < newest:
        target.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cc", *FLAGS, *flags, str(here / f"{name}.c"), "-o", str(target), "-lm"], check=True)
    found = ctypes.CDLL(str(target))
    for function, types in dict(signatures).items():
        getattr(found, function).argtypes = types
    return found
