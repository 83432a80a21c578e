"""How we treat those whom we poll, over more than a day of a resident run in simulated time."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.manners.resident import live, look_seldom
from tests.manners.rules import RULES, Verdict, judge
from tests.manners.simulated import simulate

pytestmark = pytest.mark.timeout(1_200)  # for machines that have much else to do


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Verdict]:
    folder: Path = tmp_path_factory.mktemp("score")
    with pytest.MonkeyPatch.context() as patch:
        look_seldom(patch, every=600.0)
        world, setting = simulate(live(folder, of_one_host=12, others=15, hours=30, most=21_600))
    return {verdict.rule: verdict for verdict in judge(world, setting)}


@pytest.mark.parametrize("rule", RULES)
def test_a_resident_run_is_a_good_guest(verdicts: dict[str, Verdict], rule: str) -> None:
    assert verdicts[rule].looked_at > 0
    assert verdicts[rule].broken == ()
