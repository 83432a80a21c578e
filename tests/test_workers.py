"""How items are handed over to the worker processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.settings import load_settings
from pipeline.workers import WorkerPool
from tests.flow.test_flow import make_item


@pytest.mark.parametrize(
    ("workers", "enrich", "items", "sizes"),
    [
        (1, False, 0, []),
        (1, False, 3, [3]),
        (1, False, 20, [8, 8, 4]),
        (4, False, 6, [2, 2, 2]),
        (4, False, 100, [8] * 12 + [4]),
        (2, True, 3, [1, 1, 1]),
    ],
)
def test_items_that_are_not_enriched_are_handed_over_several_at_a_time_and_every_process_gets_some(
    tmp_path: Path, workers: int, enrich: bool, items: int, sizes: list[int]
) -> None:
    pool = WorkerPool(load_settings(tmp_path, workers=workers, enrich=enrich))
    assert [len(group) for group in pool.groups([make_item()] * items)] == sizes
