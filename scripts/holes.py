"""Holds uv.lock against ``ops/known-holes.toml``, without a network: which pinned packages have a hole that is known.

Exit code 1 where one has, each named with its advisory and the version that closes it; and where one is accepted that
is not there any more, so that no excuse outlives its reason. Part of ``make check``.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from packaging.version import Version

ROOT = Path(__file__).parents[1]


def findings(locked: Sequence[Mapping[str, Any]], holes: Sequence[Mapping[str, str]]) -> Iterator[str]:
    """A sentence for each pinned package with a hole that is not accepted, and each acceptance without a hole."""
    for hole in holes:
        open_ = sorted(
            package["version"]
            for package in locked
            if package["name"] == hole["package"] and Version(package["version"]) < Version(hole["fixed"])
        )
        name = f"{hole['id']} ({hole['about']})"
        if open_ and "accepted" not in hole:
            yield f"uv.lock: {hole['package']} {', '.join(open_)} has {name}: {hole['fixed']} closes it"
        elif not open_ and "accepted" in hole:
            yield f"known-holes.toml: {hole['package']}: {name} is accepted, and no pinned version has it"


def main() -> int:
    locked = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    holes = tomllib.loads((ROOT / "ops" / "known-holes.toml").read_text())["hole"]
    found = list(findings(locked, holes))
    for sentence in found:
        print(sentence, file=sys.stderr)
    if not found:
        accepted = [f"{hole['package']} ({hole['id']})" for hole in holes if "accepted" in hole]
        print(f"No known hole in {len(locked)} pinned packages, but for what is accepted: {', '.join(accepted)}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
