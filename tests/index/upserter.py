"""A process that upserts batch after batch until it is killed, or a given number: run by ``test_processes``.

    python -m tests.index.upserter FOLDER NAME FIRST [LAST]

Each batch holds the same few articles in the next version; a line "done VERSION" follows each that returned.
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

from pipeline.index.embedded import EmbeddedIndex
from pipeline.records import Document
from tests.conformance.wire import claim, document

ARTICLES = 6


def written(name: str, n: int, version: int) -> Document:
    """An article whose text and claims follow from its version, so that a mixture would show."""
    return document(
        f"{name}-{n}",
        f"Version {version}",
        f"This is version {version}. " * 20,
        claims=tuple(claim(f"claim {i} of version {version}", None) for i in range(1 + (version + n) % 5)),
        version=version,
    )


def main(folder: str, name: str, first: str, last: str | None = None) -> None:
    index = EmbeddedIndex(Path(folder))
    print("ready", flush=True)
    for version in itertools.count(int(first)) if last is None else range(int(first), int(last) + 1):
        index.upsert([written(name, n, version) for n in range(ARTICLES)])
        print(f"done {version}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
