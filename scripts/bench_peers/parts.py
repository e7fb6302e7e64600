"""The parts of the comparison. Each imports its peers only in its own process, so that their memory is theirs."""

import importlib

PARTS = ["search", "acoustic", "mfcc", "pipeline"]


def run_part(name, args, work):
    """The part's median ratios by name."""
    print(f"\n{name}", flush=True)
    return importlib.import_module(name).run(args, work)
