"""``python -m bench.quality [measure …] [--split dev] [--model FOLDER]``: prints the scores, fails under a floor."""

from __future__ import annotations

import argparse
import tomllib
from collections.abc import Callable
from pathlib import Path

from bench.quality import attribution, enriched, entities, extraction, gold, stories
from bench.quality.score import Report

MEASURES: dict[str, Callable[[str, Path | None], Report]] = {
    "attribution": attribution.measure,
    "entities": entities.measure,
    "enriched": enriched.measure,
    "extraction": extraction.measure,
    "gold": lambda _, model: gold.measure("tune", model),
    "stories": stories.measure,
    "gold-only": lambda _, model: gold.measure("only", model),
}


def main() -> int:
    """The exit status: 1 where a figure lies under its floor."""
    parser = argparse.ArgumentParser(prog="python -m bench.quality", description="Scores with pinned floors.")
    parser.add_argument("measures", nargs="*", choices=[*MEASURES, []], help="all of them when none is named")
    parser.add_argument("--split", default="dev")
    parser.add_argument("--model", type=Path, default=None, help="a model folder; the packaged one when absent")
    args = parser.parse_args()
    floors = tomllib.loads((Path(__file__).parent / "floors.toml").read_text(encoding="utf-8"))
    floors |= tomllib.loads((Path(__file__).parent / "gold_floors.toml").read_text(encoding="utf-8"))
    fallen = 0
    for name in args.measures or MEASURES:
        print(f"== {name}")
        report = MEASURES[name](args.split, args.model)
        if report.skipped:
            print(f"skipped: {report.skipped}")
            continue
        print("\n".join(report.lines))
        for figure, floor in floors.get(name, {}).items():
            if report.figures[figure] < floor:
                fallen += 1
                print(f"UNDER THE FLOOR: {figure} {report.figures[figure]:.1f} < {floor}")
    return 1 if fallen else 0


if __name__ == "__main__":
    raise SystemExit(main())
