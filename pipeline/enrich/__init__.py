"""Turns an article into a document: language, entities, places, who claims what.

:class:`Enricher` is the whole of it. The spans come from a model (:mod:`pipeline.enrich.tagger`, or a spaCy pipeline);
what they mean (which entity, who speaks, how, when) is worked out here by rules that can be read.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pipeline.enrich.language import detect
from pipeline.errors import ModelError
from pipeline.records import Enriched

if TYPE_CHECKING:
    from pipeline.enrich.tagger import Tagged

__all__ = ["Enricher"]


class Choices(Protocol):
    """The settings that matter here."""

    @property
    def enrich(self) -> bool: ...

    @property
    def model(self) -> str | None: ...


class SpanModel(Protocol):
    """What finds the raw spans: the packaged tagger, or a spaCy pipeline behind the same two names."""

    name: str

    def tag(self, text: str) -> Tagged: ...


class Enricher:
    """Finds language, entities and claims. Pure: the same text, title and date give the same answer.

    Raises ModelError where the settings name a model that cannot be used. The model is loaded
    once a process and shared.
    """

    def __init__(self, settings: Choices, *, model: SpanModel | None = None) -> None:
        self._on = settings.enrich
        self._model = model if model is not None or not settings.enrich else _load(settings.model)
        self.name = self._model.name if self._model is not None else ""

    def enrich(
        self,
        text: str,
        *,
        title: str = "",
        published: datetime | None = None,
        language: str | None = None,
    ) -> Enriched:
        """What the text names and who claims what in it; offsets are characters of ``text``.

        ``title`` helps to place places; ``published`` is what "on Monday" is reckoned from; ``language`` is what the
        page says, believed where the text is too short to tell. A text in another language than English has no
        entities and no claims, and a note that says so.
        """
        if not self._on or self._model is None:
            # The extractor has told the language already; telling it again takes a model and a millisecond.
            return Enriched(language=language or detect(text), note="enrichment is off")
        spoken = detect(text, language)
        if not text.strip():
            return Enriched(language=spoken, model=self.name, note="there is no text")
        if spoken != "en":
            why = "the language could not be told" if spoken is None else f"the language is {spoken!r}"
            return Enriched(
                language=spoken, model=self.name, note=f"no entities or claims: {why}, and only English is covered"
            )
        # Not before they are needed: with enrichment off a process does without numpy, onnxruntime and the gazetteer,
        # a quarter of a second of CPU each start.
        from pipeline.enrich.claims import build
        from pipeline.enrich.dateline import dateline, masked
        from pipeline.enrich.entities import join
        from pipeline.enrich.passage import Passage
        from pipeline.enrich.tagger import Mention
        from pipeline.enrich.unseen import names_of_speakers

        passage = Passage(text)
        line = dateline(text, passage.paragraphs)
        # Without its dateline, lest "LAGOS:" be taken for somebody who speaks; the place is an entity all the same.
        tagged = self._model.tag(masked(text, line))
        mentions = tagged.mentions
        if line is not None:
            mentions = (Mention(line[0], line[1], "LOC", 1.0), *mentions)
        named = join(passage, names_of_speakers(passage, mentions, tagged.attributions), title)
        claims = build(passage, named, tagged.attributions, published)
        return Enriched(language=spoken, entities=tuple(named.entities), claims=claims, model=self.name)


@lru_cache(maxsize=4)
def _load(model: str | None) -> SpanModel:
    """The packaged model, the model folder, or the spaCy pipeline of that name."""
    from pipeline.enrich.tagger import Tagger

    if model is None:
        return Tagger.load(None)
    path = Path(model).expanduser()
    if path.is_dir() and not (path / "meta.json").exists():
        return Tagger.load(path)
    if not path.exists() and ("/" in model or "\\" in model):
        raise ModelError(model, "there is no such folder")
    from pipeline.enrich.spacy_model import load

    return load(model)
