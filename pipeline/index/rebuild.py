"""Builds an index beside the one in use, and puts it in its place when it is whole."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import IndexUnavailableError
from pipeline.index.base import Index
from pipeline.index.embedded import EmbeddedIndex


@contextmanager
def rebuilding_in(folder: Path) -> Iterator[Index]:
    """An empty index to fill, which takes the folder's place on leaving the block without an error.

    The old index is read as before until then, also by other processes, and is not touched where the block fails. The
    caller sees to it that nobody writes to the old one meanwhile. Raises IndexUnavailableError (full disk, read-only).
    """
    fresh, old = _beside(folder, "new"), _beside(folder, "old")
    try:
        for leftover in (fresh, old):
            shutil.rmtree(leftover, ignore_errors=True)
        index = EmbeddedIndex(fresh)
        try:
            yield index
        finally:
            index.close()
        if folder.exists():
            folder.rename(old)
        fresh.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise IndexUnavailableError(str(folder), error.strerror or str(error)) from error


def mend(folder: Path) -> None:
    """Finish the one step of a rebuild in which the folder has no index: the new one is whole, and takes its place."""
    fresh, old = _beside(folder, "new"), _beside(folder, "old")
    if not folder.exists() and old.exists() and fresh.exists():
        fresh.rename(folder)
        shutil.rmtree(old, ignore_errors=True)


def _beside(folder: Path, what: str) -> Path:
    return folder.with_name(f"{folder.name}.{what}")
