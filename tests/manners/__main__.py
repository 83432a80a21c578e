"""``make score``: 10,000 polls and more against the score server, the verdicts as a table."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import pytest
import structlog

from tests.manners.resident import live, look_seldom
from tests.manners.rules import judge, table
from tests.manners.simulated import simulate


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m tests.manners")
    options.add_argument("--of-one-host", type=int, default=205)
    options.add_argument("--others", type=int, default=105)
    options.add_argument("--hours", type=float, default=72)
    options.add_argument("--most", type=float, default=3_600, help="the longest interval of a feed, seconds")
    given = options.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        look_seldom(patch)
        world, setting = simulate(
            live(Path(folder), of_one_host=given.of_one_host, others=given.others, hours=given.hours, most=given.most)
        )
    verdicts = judge(world, setting)
    print(table(verdicts, world))
    for verdict in verdicts:
        for broken in verdict.broken[:5]:
            print(f"broken: {verdict.rule}: {broken}")
    return int(any(verdict.broken for verdict in verdicts))


if __name__ == "__main__":
    sys.exit(main())
