"""The data folder as something that several processes use: any number of workers together, or one command alone."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import LedgerError


@contextmanager
def folder_in_use(folder: Path, *, alone: bool = False) -> Iterator[None]:
    """Hold a data folder: any number of workers together, or one command alone (replay).

    Raises LedgerError where the other sort holds it now, or it cannot be written.
    """
    with contextlib.ExitStack() as held:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            handle = held.enter_context(open(folder / "run.lock", "w"))
            fcntl.flock(handle, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            reason = "a worker runs on this folder; stop it first" if alone else "a replay runs on this folder"
            raise LedgerError(str(folder), reason) from None
        except OSError as error:
            raise LedgerError(str(folder), f"cannot be used: {error.strerror or error}") from error
        yield
