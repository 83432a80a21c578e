"""Articles are placed once, the same however often, and what one changes for others is owed to the index.

All of it on SQLite and on PostgreSQL.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from pathlib import Path

import pytest

from pipeline.ledger import Ledger, open_ledger
from pipeline.records import Document, Location, Relation, Status
from pipeline.stories.register import Placed, Register
from pipeline.stories.traits import traits
from pipeline.stories.versions import difference
from tests.stories.making import NOON, TANKER, WELLS, claim, document

WIRE = document("wire", "Tanker and bulk carrier collide off Djibouti", TANKER, source="Meridian News Agency")
COPY = document("copy", "Ships collide in Red Sea", "\n\n".join(TANKER.split("\n\n")[:4]), source="Harbour", minutes=35)
OWN = document(
    "own",
    "Castor Dawn holed off Djibouti: what happened to the tanker",
    "Fourteen crew of the Castor Dawn and the Lady Marchetti were still missing off Djibouti on Tuesday evening.\n\n"
    "The tanker lies northeast of the port of Djibouti, and Corvane Maritime has sent a tug from Aden, its agent said.\n\n"
    "Fishermen who pulled sailors from the water told of fog, and of a horn from the Lady Marchetti. Hassan Guelleh of "
    "the coast guard thanked them by name.",
    source="Aden Gazette",
    minutes=90,
)
OTHER = document(
    "wells", "Herders & county clash over locked wells in Marsabit", WELLS, source="Rift Herald", minutes=10
)


NewLedger = Callable[[], Ledger]


@pytest.fixture
def register(new_ledger: NewLedger) -> Register:
    return Register(new_ledger())


def put(register: Register, *documents: Document, hours: float = 0) -> dict[str, Placed | str]:
    return register.place([(one, traits(one)) for one in documents], NOON + timedelta(hours=hours))


def at(register: Register, one: Document) -> Placed:
    return register.placements([one.article.id])[one.article.id]


def test_a_copy_is_the_first_one_s_text_and_no_second_source(register: Register) -> None:
    put(register, WIRE, COPY, OTHER)
    copy = at(register, COPY).placement
    assert copy.copy_of == WIRE.article.id
    assert (copy.origin, copy.minutes, copy.independent_sources) == ("Meridian", 35, 1)
    assert [carrier.source for carrier in copy.carriers] == ["Meridian News Agency", "Harbour"]
    assert copy.story == at(register, WIRE).placement.story != at(register, OTHER).placement.story


def test_an_account_of_its_own_is_a_second_source_in_the_same_story(register: Register) -> None:
    put(register, WIRE, COPY, OWN)
    own = at(register, OWN).placement
    assert own.copy_of is None
    assert (own.origin, own.origin_from, own.independent_sources) == ("Aden Gazette", "outlet", 2)
    assert len(own.carriers) == 3


def test_claims_that_another_model_finds_in_the_same_words_take_the_place_of_the_first(register: Register) -> None:
    fire = "the fire on board was out and that the tanker was drifting towards the coast"
    crew = "fourteen sailors were missing and that divers would search the hold at dawn"
    first = claim(fire, name="Hassan Guelleh"), claim(crew, name="Abdo Robleh")
    wire = replace(WIRE, enriched=replace(WIRE.enriched, claims=first))
    other = document("later", "Divers to search tanker", WELLS, source="Aden Gazette", minutes=50, claims=first)
    put(register, wire, other)
    shared = [one.carriers for one in at(register, wire).placement.assertions]
    assert shared == [("Meridian News Agency", "Aden Gazette")] * 2
    # The model of now does not find the first of the two: what is known of it must not be said of the second.
    better = replace(wire, enriched=replace(wire.enriched, claims=first[1:]))
    assert register.read_otherwise([wire, other]) == []
    assert register.read_otherwise([better, other]) == [wire.article.id]
    before = at(register, other).placement.assertions
    put(register, better, hours=1)
    assert register.read_otherwise([better, other]) == []
    (crews,) = at(register, better).placement.assertions
    assert crews.id == before[1].id
    alone, both = at(register, other).placement.assertions
    assert (alone.carriers, both.carriers) == (("Aden Gazette",), ("Meridian News Agency", "Aden Gazette"))
    assert at(register, better).version == 1
    assert at(register, other).placement.story in register.all_owed()


def test_an_outlet_that_names_nobody_is_known_by_its_words(register: Register) -> None:
    silent = document("silent", "Collision", TANKER.partition(" - ")[2], source="Bay Chronicle", minutes=12)
    put(register, WIRE, silent)
    assert (at(register, silent).placement.origin, at(register, silent).placement.origin_from) == (
        "Meridian",
        "content",
    )


def test_placing_again_changes_nothing(register: Register) -> None:
    first = put(register, WIRE, COPY, OWN, OTHER)
    assert put(register, WIRE, COPY, OWN, OTHER, hours=3) == first
    assert put(register, COPY) == {COPY.article.id: first[COPY.article.id]}


def test_who_belongs_together_does_not_depend_on_the_order(new_ledger: NewLedger) -> None:
    answers = set()
    for order in permutations((WIRE, COPY, OWN, OTHER)):
        register = Register(new_ledger())
        for one in order:
            put(register, one)
        places = [at(register, one).placement for one in (WIRE, COPY, OWN, OTHER)]
        names = {place.story: n for n, place in reversed(list(enumerate(places)))}
        answers.add(tuple(replace(place, story=str(names[place.story]), merged=()) for place in places))
    assert len(answers) == 1


def test_a_story_keeps_its_id_as_it_grows_and_a_merged_one_leads_to_it(register: Register) -> None:
    put(register, COPY)
    first = at(register, COPY).placement.story
    put(register, OWN, hours=1)
    second = at(register, OWN).placement.story
    assert first != second or len(at(register, OWN).placement.carriers) == 2
    put(register, WIRE, hours=2)
    place = at(register, OWN).placement
    assert place.story == first == at(register, WIRE).placement.story
    assert register.story(second) == first
    assert second == first or second in place.merged


def test_what_a_carrier_changes_for_the_others_is_owed_until_it_is_paid(register: Register) -> None:
    register.indexed(place for place in put(register, WIRE).values() if isinstance(place, Placed))
    assert register.owed() == 0
    put(register, COPY)
    (story,) = register.claim_owed(NOON, 10, "me", 60)
    assert register.claim_owed(NOON, 10, "another", 60) == []
    standing = register.standing([story])
    assert set(standing) == {WIRE.article.id, COPY.article.id}
    put(register, OWN)  # meanwhile it grows again
    register.refreshed({story: standing[WIRE.article.id].revision}, "me")
    assert register.owed() == 1
    register.claim_owed(NOON, 10, "me", 60)
    register.refreshed({story: at(register, WIRE).revision}, "me")
    assert register.owed() == 0


def test_who_indexes_a_place_that_has_moved_on_owes_the_story_again(register: Register) -> None:
    mine = put(register, WIRE)[WIRE.article.id]
    put(register, COPY)
    register.claim_owed(NOON, 10, "another", 60)
    register.refreshed({at(register, WIRE).placement.story: at(register, WIRE).revision}, "another")
    assert isinstance(mine, Placed)
    register.indexed([mine])
    assert register.owed() == 1


def test_a_changed_text_is_a_new_version_with_its_difference(register: Register) -> None:
    put(register, WIRE)
    later = replace(
        WIRE, article=replace(WIRE.article, body=TANKER.replace("14 sailors missing", "11 sailors missing"))
    )
    drafts = [(later, traits(later))]
    assert register.reworded(drafts) == {WIRE.article.id: None}
    register.place(drafts, NOON + timedelta(hours=2), {WIRE.article.id: difference(WIRE, later)})
    place = at(register, WIRE)
    assert (place.version, place.placement.versions, place.placement.status) == (2, 2, Status.UPDATED)
    first, second = register.versions(WIRE.article.id)
    assert (first.number, first.difference, second.number) == (1, None, 2)
    assert second.difference is not None
    assert "11 sailors" in (second.difference.sentences[0].after or "")
    assert register.reworded(drafts) == {}


def test_a_page_that_is_read_again_by_a_better_extractor_is_no_new_version(register: Register) -> None:
    here, there = Location(file="a.warc.gz", offset=17), Location(file="a.warc.gz", offset=4711)
    first = replace(WIRE, article=replace(WIRE.article, location=here))
    brief = replace(WIRE, article=replace(WIRE.article, body="Two ships collided.", body_source="feed"))
    put(register, brief)
    put(register, first)
    better = replace(first, article=replace(first.article, body=f"{TANKER}\n\nMore than before was read."))
    assert register.read_otherwise([first, better]) == [WIRE.article.id]
    assert register.reworded([(better, traits(better))]) == {}
    put(register, better, hours=1)
    place = at(register, WIRE)
    assert (place.version, place.placement.status) == (1, Status.CURRENT)
    assert len(register.versions(WIRE.article.id)) == 1
    assert register.read_otherwise([better]) == []
    changed = replace(better, article=replace(better.article, body=f"{TANKER}\n\nThe tug has come.", location=there))
    drafts = [(changed, traits(changed))]
    assert register.reworded(drafts) == {WIRE.article.id: here}
    register.place(drafts, NOON + timedelta(hours=2), reread=[WIRE.article.id])  # the page there says the same by now
    assert at(register, WIRE).version == 1
    again = replace(changed, article=replace(changed.article, body=TANKER, location=here))
    put(register, again, hours=3)
    assert at(register, WIRE).version == 2


def test_a_page_that_takes_the_place_of_the_feed_s_text_is_no_new_version(register: Register) -> None:
    brief = replace(WIRE, article=replace(WIRE.article, body="Two ships collided.", body_source="feed"))
    put(register, brief)
    put(register, WIRE)
    assert at(register, WIRE).version == 1
    put(register, COPY)
    assert at(register, COPY).placement.copy_of == WIRE.article.id


def test_a_kill_takes_back_the_story_and_its_copies_whichever_came_first(new_ledger: NewLedger) -> None:
    kill = document(
        "kill",
        "KILL-Tanker and bulk carrier collide off Djibouti",
        'GENEVA, Nov 24 (Meridian) - Please kill the story headlined "Tanker and bulk carrier collide off Djibouti". '
        "There will be no substitute.",
        source="Meridian News Agency",
        minutes=200,
    )
    for order in permutations((WIRE, COPY, kill)):
        register = Register(new_ledger())
        for one in order:
            put(register, one)
        assert at(register, WIRE).placement.status is Status.KILLED
        assert at(register, COPY).placement.status is Status.KILLED
        assert at(register, kill).placement.status is Status.CURRENT
        assert "Please kill" in (at(register, COPY).placement.status_note or "")


def test_an_update_takes_the_place_of_what_it_updates(register: Register) -> None:
    update = document("u2", "UPDATE 2-Tanker and bulk carrier collide off Djibouti", TANKER + "\n\nThree bodies were found.",
                      source="Meridian News Agency", minutes=120)  # fmt: skip
    put(register, WIRE, update)
    assert at(register, WIRE).placement.status is Status.UPDATED
    assert at(register, update).placement.independent_sources == 1


def test_one_outlet_s_second_address_for_an_article_is_that_article(register: Register) -> None:
    again = replace(OWN, article=replace(OWN.article, id="f" * 20, url="https://m.news.example/own"))
    put(register, OWN)
    assert put(register, again) == {"f" * 20: OWN.article.id}


def test_what_vanished_is_marked_and_a_kill_is_not_forgotten_for_it(register: Register) -> None:
    put(register, WIRE)
    assert register.mark(WIRE.article.id, Status.VANISHED, NOON, "HTTP 410")
    assert (at(register, WIRE).placement.status, register.owed()) == (Status.VANISHED, 1)
    assert not register.mark(WIRE.article.id, Status.VANISHED, NOON, "HTTP 410")
    assert not register.mark("0" * 20, Status.VANISHED, NOON, "never placed")


def test_one_quote_in_three_papers_is_one_assertion_with_one_origin(register: Register) -> None:
    quote = claim("the ship is drifting with a hole that you could drive a bus through", name="Hassan Guelleh")
    wire = replace(WIRE, enriched=replace(WIRE.enriched, claims=(quote,)))
    copy = replace(COPY, enriched=replace(COPY.enriched, claims=(quote,)))
    put(register, wire)
    put(register, copy)
    mine, theirs = at(register, wire).placement.assertions, at(register, copy).placement.assertions
    assert mine == theirs
    assert (mine[0].carriers, mine[0].independent_sources) == (("Meridian News Agency", "Harbour"), 1)


def test_a_confirmation_after_a_denial_is_shown_on_both_sides(register: Register) -> None:
    met = "its officials had met Pakistani counterparts in Oman to discuss a crossing"
    denies = document("d", "India denies", WELLS, claims=(claim(met, name="India", cue="denied", cls="deny"),))
    confirms = document(
        "c", "India confirms", TANKER, minutes=2000, claims=(claim(met, name="India", cue="confirmed", cls="confirm"),)
    )
    put(register, denies)
    put(register, confirms)
    (mine,) = at(register, denies).placement.assertions[0].opposites
    (theirs,) = at(register, confirms).placement.assertions[0].opposites
    assert mine.relation is theirs.relation is Relation.REVERSAL
    assert (mine.article, theirs.article) == (confirms.article.id, denies.article.id)
    assert (mine.cue, theirs.cue) == ("confirmed", "denied")
    assert register.owed() == 1  # the denial's document says less than is known


def test_what_left_the_window_is_no_longer_found(register: Register) -> None:
    put(register, WIRE)
    late = replace(COPY, article=replace(COPY.article, first_seen=NOON + timedelta(days=20)))
    put(register, late)
    assert at(register, late).placement.copy_of is None


def test_workers_that_place_at_once_see_each_other_s_articles(place: Path | str) -> None:
    """Copies of one text, each placed by a worker of its own at the same moment, are one story with one first text."""
    open_ledger(place).close()
    copies = [
        document(f"copy-{n}", f"Ships collide in Red Sea ({n})", TANKER, source=f"Outlet {n}", minutes=n)
        for n in range(8)
    ]
    together = threading.Barrier(len(copies))

    def worker(one: Document) -> None:
        ledger = open_ledger(place)
        together.wait()
        put(Register(ledger), one)
        put(Register(ledger), one)  # again, as after a crash
        ledger.close()

    with ThreadPoolExecutor(len(copies)) as workers:
        list(workers.map(worker, copies))
    ledger = open_ledger(place)
    places = [at(Register(ledger), one).placement for one in copies]
    assert len({one.story for one in places}) == 1
    assert {one.copy_of for one in places} == {None, copies[0].article.id}
    assert all(len(one.carriers) == len(copies) for one in places)
    ledger.close()


def test_workers_that_take_stories_in_hand_at_once_take_each_but_once(place: Path | str) -> None:
    ledger = open_ledger(place)
    register = Register(ledger)
    for n in range(12):
        body = WELLS.replace("Marsabit", f"Town {n}")
        put(register, document(f"a{n}", f"Title {n} of wells", body, source="A", minutes=n * 60 * 24 * 20))
        register.mark(document(f"a{n}", "", "").article.id, Status.VANISHED, NOON, "HTTP 410")
    owed = register.owed()
    together = threading.Barrier(4)

    def worker(n: int) -> list[str]:
        mine = Register(own := open_ledger(place))
        together.wait()
        taken: list[str] = []
        while found := mine.claim_owed(NOON, 2, f"worker {n}", 60):
            taken += found
        own.close()
        return taken

    with ThreadPoolExecutor(4) as workers:
        taken = [story for found in workers.map(worker, range(4)) for story in found]
    assert owed > 1
    assert len(taken) == len(set(taken)) == owed
    ledger.close()


def test_stories_are_taken_in_hand_by_their_articles_and_one_in_any_case(register: Register) -> None:
    for each in (WIRE, COPY, OWN):
        put(register, each)
    for n in range(3):
        body = WELLS.replace("Marsabit", f"Town {n}")
        lone = document(f"b{n}", f"Title {n} of wells", body, source="B", minutes=(n + 1) * 60 * 24 * 20)
        put(register, lone)
        register.mark(lone.article.id, Status.VANISHED, NOON, "HTTP 410")
    sizes = []
    while stories := register.claim_owed(NOON, 2, "me", 60):
        sizes.append(len(register.standing(stories)))
    assert sum(sizes) == 6
    assert max(sizes) == 3
    assert sorted(sizes) in ([1, 2, 3], [1, 1, 1, 3])


def test_stories_with_many_claims_are_taken_in_hand_by_fewer_articles(register: Register) -> None:
    said = tuple(claim(f"the well number {n} in the district was dry", name="Amina Yusuf") for n in range(10))
    for n in range(4):
        body = WELLS.replace("Marsabit", f"Town {n}")
        one = document(f"c{n}", f"Title {n} of wells", body, source="B", minutes=n * 60 * 24 * 20, claims=said)
        put(register, one)
        register.mark(one.article.id, Status.VANISHED, NOON, "HTTP 410")
    sizes = []
    while stories := register.claim_owed(NOON, 6, "me", 60):
        sizes.append(len(stories))
    assert sizes == [2, 2]
