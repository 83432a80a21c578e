"""What one task of a batch leaves for the next, in the data folder under the batch's claim: articles, then documents.

It is a cache and never the truth: all of it can be made again from the archive and the ledger. So it is written whole
or not at all, but not flushed to the disk, and what cannot be read is as good as absent.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TypeVar

import msgspec

from pipeline.ledger import Ledger
from pipeline.records import Article, Document, from_json, to_json

Part = TypeVar("Part", Article, Document)


class Kept:
    """The files of one claim: ``claims/CLAIM/ITEM.article`` and ``.document``, a line of JSON each."""

    def __init__(self, folder: Path, claim: str) -> None:
        self.folder = folder / _safe(claim)

    def put(self, item: str, part: Article | Document) -> None:
        """Keep a part of an item. Raises OSError where it cannot be written."""
        file = self._file(item, type(part))
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = file.with_suffix(f"{file.suffix}.{os.getpid()}")
        draft.write_bytes(to_json(part))
        draft.replace(file)

    def get(self, item: str, kind: type[Part]) -> Part | None:
        """The part of an item, ``None`` where none is kept."""
        try:
            return from_json(self._file(item, kind).read_bytes(), kind)
        except (OSError, msgspec.MsgspecError):
            return None

    def drop(self, item: str) -> None:
        """Forget an item: something else became of it."""
        for kind in (Article, Document):
            self._file(item, kind).unlink(missing_ok=True)

    def drop_all(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def _file(self, item: str, kind: type) -> Path:
        return self.folder / f"{item}.{kind.__name__.lower()}"


def kept_claims(folder: Path) -> list[str]:
    """The claims of which anything is kept."""
    try:
        return sorted(_claim(entry.name) for entry in os.scandir(folder) if entry.is_dir())
    except FileNotFoundError:
        return []


def sweep(folder: Path, ledger: Ledger) -> int:
    """Remove what was kept for batches that nobody has in hand any more. Returns of how many."""
    claims = kept_claims(folder)
    dead = sorted(set(claims) - ledger.holds(claims))
    for claim in dead:
        Kept(folder, claim).drop_all()
    return len(dead)


def _safe(claim: str) -> str:
    """A claim as a folder's name: not every file system allows a colon."""
    return claim.replace(":", "_")


def _claim(name: str) -> str:
    return name.replace("_", ":")
