"""Small articles and claims to place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.extract import dateline
from pipeline.records import Article, Claim, Content, Cue, Document, Enriched, Speaker, article_id

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)

TANKER = (
    "DJIBOUTI, Nov 24 (Meridian) - A crude oil tanker and a bulk carrier collided in the southern approaches to the Red "
    "Sea before dawn, leaving 14 sailors missing and spilling oil towards the coast of Djibouti, officials said.\n\n"
    "The Liberian-flagged tanker Castor Dawn, carrying about 90,000 tonnes of crude, was struck on its port side by the "
    "bulk carrier Lady Marchetti some 22 nautical miles northeast of Djibouti port, the coast guard said.\n\n"
    "Capt. Hassan Guelleh, the coast guard's head of operations, said that the fire was out and that the ship was drifting "
    "with a hole that you could drive a bus through, and denied that it had been hit by a missile.\n\n"
    "Corvane Maritime, which manages the Castor Dawn, said in a statement that its vessel had been on a steady course with "
    "all lights burning and accused the bulk carrier of crossing a traffic lane.\n\n"
    "Insurers said that it was too early to put a figure on the loss."
)
WELLS = (
    "Herders in northern Kenya accused county officials of locking wells and selling the water, as a third failed rainy "
    "season pushed the price of a goat below the price of a day's feed.\n\n"
    "Dabaso Wario, who walked four days with 60 animals and now has 22, said that an attendant had asked him for 50 "
    "shillings an animal at a borehole near Marsabit.\n\n"
    "The county government denied that any public well was being sold, and Adan Jillo, who is in charge of water, said that "
    "some boreholes had been closed for repair."
)


def document(
    name: str,
    title: str,
    body: str,
    *,
    source: str = "The Valley Echo",
    minutes: float = 0,
    claims: tuple[Claim, ...] = (),
    **more: Any,
) -> Document:
    """An article published so many minutes after noon."""
    at = NOON + timedelta(minutes=minutes)
    url = f"https://news.example/{name}"
    article = Article(
        id=article_id(url), url=url, title=title, body=body, source=source, published=at, first_seen=at,
        dateline=dateline.parse(body, at), **more,
    )  # fmt: skip
    return Document(article=article, enriched=Enriched(language="en", claims=claims))


def claim(
    content: str, *, by: str | None = None, name: str | None = None, cue: str = "said", cls: str = "say", **more: Any
) -> Claim:
    """A claim; fields of the speaker may be given too."""
    of_speaker = {key: more.pop(key) for key in ("kind", "anonymous", "reason") if key in more}
    speaker = Speaker(start=0, end=1, text=by or name or "", name=name, **of_speaker) if by or name else None
    return Claim(
        speaker=speaker,
        cue=Cue(start=0, end=1, text=cue, lemma=cue, cls=cls),
        content=Content(text=content, spans=((0, len(content)),)),
        form=more.pop("form", "indirect"),
        **more,
    )
