"""The command line. Thin: each command reads its options, calls the pipeline, and shows what came of it.

A command costs its own imports and no other's: only the module is loaded that has it. Worker processes that a run
begins pass through here too, and load none.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer

MODULES: dict[str, tuple[str, ...]] = {
    "demo": ("demo",),
    "run": ("run",),
    "search": ("search", "show"),
    "serve": ("serve",),
    "stages": ("extract", "enrich"),
    "upkeep": ("status", "replay", "upkeep", "prune"),
    "feeds": ("feeds",),
    "alerts": ("alerts",),
    "index": ("index",),
    "quarantine": ("quarantine",),
    "tasks": ("task",),
    "ledger": ("ledger",),
}
"""The modules of this package that have commands, as ``--help`` lists them, each with its own."""


def application(modules: Iterable[str] = MODULES) -> typer.Typer:
    """The command line with the commands of these modules."""
    from pipeline.cli.root import root

    app = root()
    for module in modules:
        import_module(f"pipeline.cli.{module}").add_to(app)
    return app


def modules_for(arguments: Sequence[str]) -> Sequence[str]:
    """The modules that are needed for a command line as typed: the command's own, or all where none stands first (or
    after ``--data DIR``), since help, completion and a word that is no command's speak of them all."""
    words = arguments[2:] if arguments[:1] == ["--data"] else arguments
    first = words[0] if words else ""
    if first == "--version":
        return ()
    return [module for module, commands in MODULES.items() if first in commands] or tuple(MODULES)


def main() -> None:
    """The ``wirewatch`` command."""
    # Nothing here multiplies matrices large enough to share out, and OpenBLAS's threads cost each process that loads
    # numpy 50 ms of CPU to begin (2026-11-26). Worker processes inherit this.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # What is made at first are libraries, which stay: a tenth of the time to load them went into looking for garbage
    # among them, with Python's own 700 (2026-11-26).
    gc.set_threshold(20_000)
    application(modules_for(sys.argv[1:]))()
