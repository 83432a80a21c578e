"""A small wire of our own, written so that each query in the suite can tell some of its articles from the others."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.records import (
    Article,
    Assertion,
    Carrier,
    Claim,
    Content,
    Cue,
    Dateline,
    Document,
    Enriched,
    Entity,
    Opposite,
    Placement,
    Relation,
    Speaker,
    Status,
    When,
    article_id,
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def url(name: str) -> str:
    return f"https://wire.example/{name}"


def id_of(name: str) -> str:
    return article_id(url(name))


def entity(name: str, label: str, **more: Any) -> Entity:
    return Entity(start=0, end=len(name), text=name, label=label, name=name, **more)


def claim(
    content: str,
    cue: tuple[str, str, str] | None,
    *,
    by: str | None = None,
    name: str | None = None,
    form: str = "indirect",
    **more: Any,
) -> Claim:
    """A claim; fields of the speaker and of the claim itself may be given in one list."""
    of_speaker = {key: more.pop(key) for key in ("kind", "anonymous", "role", "reason") if key in more}
    return Claim(
        speaker=Speaker(start=0, end=len(by), text=by, name=name, **of_speaker) if by else None,
        cue=Cue(start=0, end=len(cue[0]), text=cue[0], lemma=cue[1], cls=cue[2]) if cue else None,
        content=Content(text=content, spans=((0, len(content)),)),
        form=form,
        **more,
    )


def document(
    name: str,
    title: str,
    body: str,
    *,
    claims: tuple[Claim, ...] = (),
    entities: tuple[Entity, ...] = (),
    indexed: datetime | None = None,
    placement: Placement | None = None,
    **more: Any,
) -> Document:
    fields: dict[str, Any] = {"first_seen": at("2026-08-25T12:00:00"), "source": "Reuters", "language": "en"} | more
    article = Article(id=id_of(name), url=url(name), title=title, body=body, **fields)
    return Document(
        article=article,
        enriched=Enriched(language=article.language, entities=entities, claims=claims, model="test"),
        placement=placement or Placement(),
        indexed=indexed,
    )


def carrier(name: str, source: str, minutes: int, **more: Any) -> Carrier:
    moment = at("2026-08-20T10:00:00") + timedelta(minutes=minutes)
    return Carrier(article=id_of(name), source=source, url=url(name), title="", time=moment, minutes=minutes, **more)


def newer(old: Document, version: int, **more: Any) -> Document:
    """The same article in another version."""
    return replace(old, article=replace(old.article, version=version, **more))


WIRE: dict[str, Document] = {
    "talks": document(
        "talks",
        "Kashmir talks collapse",
        "Officials said on Thursday that the talks over Kashmir had collapsed.\n\n"
        "The U.S. envoy denied India’s account of the quarrel between the two neighbours.",
        published=at("2026-08-20T10:00:00"),
        updated=at("2026-08-20T11:00:00"),
        first_seen=at("2026-08-20T10:05:00"),
        indexed=at("2026-08-20T10:06:00"),
        authors=("Asha Rao", "John O'Brien"),
        tags=("kashmir", "diplomacy"),
        section="World",
        dateline=Dateline(text="ISLAMABAD, Aug 20 (Reuters) –", place="Islamabad", date="2026-08-20", agency="Reuters"),
        entities=(
            entity("Kashmir", "LOC", geonames=1269320, country="IN"),
            entity("India", "GPE", geonames=1269750, country="IN"),
            entity("Thursday", "DATE"),
        ),
        claims=(
            claim(
                "the talks over Kashmir had collapsed",
                ("said", "say", "say"),
                by="Officials",
                kind="collective",
                entities=("Kashmir",),
                when=When(start=0, end=8, text="Thursday", earliest="2026-08-20", latest="2026-08-20"),
            ),
            claim(
                "India’s account of the quarrel",
                ("denied", "deny", "deny"),
                by="The U.S. envoy",
                name="Mary Ann Smith",
                kind="person",
                role="U.S. envoy",
                entities=("India",),
            ),
        ),
        placement=Placement(
            story="5707e1e5000000000001",
            origin="Reuters",
            origin_from="dateline",
            carriers=(
                carrier("talks", "Reuters", 0, origin="Reuters"),
                carrier("elsewhere", "The Kashmir Walla", 12, origin="Reuters", copy_of=id_of("talks")),
                carrier("denial", "BBC News", 1410, origin="BBC News"),
            ),
            independent_sources=2,
            versions=3,
            status=Status.CORRECTED,
            status_at=at("2026-08-20T18:00:00"),
            status_note="Corrects the day in paragraph 1",
            assertions=(
                Assertion(id="a55e7000000000000001", carriers=("Reuters", "The Kashmir Walla"), independent_sources=1),
                Assertion(
                    id="a55e7000000000000002",
                    opposites=(
                        Opposite(
                            relation=Relation.REVERSAL,
                            confidence=0.75,
                            article=id_of("denial"),
                            n=0,
                            speaker="Mary Ann Smith",
                            cue="confirmed",
                            text="India’s account of the quarrel",
                            source="BBC News",
                            time=at("2026-08-21T09:30:00"),
                        ),
                    ),
                ),
            ),
        ),
    ),
    "denial": document(
        "denial",
        "Imran Khan denies secret talks with India",
        "“There were no talks,” Imran Khan said. A senior official, who spoke on the condition of anonymity, "
        "said that talks were running for months over Kashmir and water.",
        source="BBC News",
        published=at("2026-08-21T09:30:00"),
        version=2,
        authors=("María Núñez",),
        tags=("pakistan",),
        section="Asia",
        entities=(entity("Imran Khan", "PERSON"), entity("India", "GPE", geonames=1269750, country="IN")),
        claims=(
            claim(
                "There were no talks",
                ("said", "say", "deny"),
                by="Imran Khan",
                name="Imran Khan",
                form="direct",
                negated=True,
            ),
            claim(
                "talks were running for months over Kashmir and water",
                ("said", "say", "say"),
                by="A senior official",
                kind="anonymous",
                anonymous=True,
                reason="on the condition of anonymity",
                role="senior official",
                entities=("Kashmir",),
            ),
            claim("the talks may have failed", None, by="A senior official", hedge="may have", parent=1),
        ),
    ),
    "bozize": document(
        "bozize",
        "François Bozizé rentre à Bangui",
        "L’ancien président François Bozizé est rentré à Bangui. L’Iran a réagi.",
        source="Agence France-Presse",
        language="fr",
        published=at("2026-08-19T23:59:59"),
        section="Afrique",
        entities=(entity("François Bozizé", "PERSON"), entity("Bangui", "GPE", geonames=2389853, country="CF")),
    ),
    "rally": document(
        "rally",
        "Anti-war rally fills Srinagar",
        "Thousands came to an anti-war rally. The war must end, said Dr. J.K. Rahman of R&D firm C3. "
        "It was a walk, the runner said, with a kestrel on his arm.",
        source="The Hindu",
        first_seen=at("2026-08-22T08:00:00"),
        authors=("Staff",),
        entities=(entity("Srinagar", "GPE", geonames=1255634, country="IN"), entity("J.K. Rahman", "PERSON")),
        claims=(
            claim("The war must end", ("said", "say", "say"), by="Dr. J.K. Rahman", name="J.K. Rahman", form="direct"),
        ),
    ),
    "beijing": document(
        "beijing",
        "北京大学今天宣布",
        "北京大学今天宣布了新的计划。学生表示欢迎。",
        source="新华社",
        language="zh",
        published=at("2026-08-20T10:00:00"),
        entities=(entity("北京大学", "ORG"),),
    ),
    "oil": document(
        "oil",
        "Oil rises 3.5 percent, to $1,080.25",
        "Crude rose 3.5 percent on Friday. Traders in London were surprised. See https://oil.example/prices:now.",
        published=at("2026-07-31T23:30:00"),
        section="Markets",
        tags=("oil", "markets"),
        guid="tag:oil,2026:77",
        entities=(entity("London", "GPE", geonames=2643743, country="GB"), entity("$1,080.25", "MONEY")),
    ),
    "court": document(
        "court",
        "World court hears case",
        "The International Court of Justice heard a case on water. Pakistan spoke first, India second.",
        source="BBC News",
        published=at("2025-12-31T12:00:00"),
        section="World",
        entities=(
            entity("International Court of Justice", "ORG"),
            entity("Pakistan", "GPE", country="PK"),
            entity("India", "GPE", geonames=1269750, country="IN"),
        ),
    ),
    "brief": document(
        "brief",
        "In brief: flood in Kashmir",
        "",
        source="The Hindu",
        body_source="feed",
        body_reason="the page answered 403",
        baseline=True,
        published=at("2026-08-20T10:00:00"),
    ),
}
