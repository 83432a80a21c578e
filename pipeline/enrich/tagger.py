"""The trained tagger: which entities a text names, and which spans are the source, cue and content of an attribution.

Raw spans and links only; what they mean (who "he" is, whether it is denied) is the layer above's. The model folder
holds ``model.onnx`` (int8), ``tokenizer.json``, ``config.json`` and a card; ``training/`` makes it. Runs on numpy,
onnxruntime and tokenizers alone.
"""

from __future__ import annotations

import hashlib
import json
import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime as ort  # type: ignore[import-untyped]
from tokenizers import Tokenizer

from pipeline.enrich.decode import CONTENT, CUE, SOURCE, Chain, Floats, Ints, Linker, Spans, spans_of
from pipeline.enrich.wordpieces import Pieces, cut_into_pieces, windows
from pipeline.errors import ModelError

FORMAT: Final = 1  # of the folder; raised when an older Tagger could not run a newer folder or the other way round
PACKAGED: Final = Path(__file__).parent / "models" / "wire-en"


@dataclass(frozen=True, slots=True)
class Mention:
    """One entity mention. ``start`` and ``end`` are characters of the text, end exclusive.

    ``label`` is PERSON, ORG, LOC (countries and cities among them: the training data do not tell them apart), FAC,
    NORP, PRODUCT, DATE, MONEY or MISC (events, works, laws). The same words have the same label throughout a text: its
    mentions vote, and a full name votes for its first and last part (0.6 F1 on dev, 2026-11-23). ``score``, 0 to 1, is
    the least probability of its pieces.
    """

    start: int
    end: int
    label: str
    score: float


@dataclass(frozen=True, slots=True)
class Attribution:
    """One attribution; parts are character spans in order. There is always a cue or a content.

    Two attributions may share a source ("he called it a lie and vowed to sue").

    ``score``, 0 to 1, is the mean of the spans' scores times the probability of the least certain link.
    """

    source: tuple[tuple[int, int], ...]
    cue: tuple[tuple[int, int], ...]
    content: tuple[tuple[int, int], ...]
    score: float


@dataclass(frozen=True, slots=True)
class Tagged:
    """Both in the order of the text."""

    mentions: tuple[Mention, ...]
    attributions: tuple[Attribution, ...]


# A mention less probable than this is dropped; from 0 to 0.4, F1 on the dev split rose by 0.5, beyond 0.5 it fell
# (2026-11-23).
_LEAST_MENTION: Final = 0.4


class Tagger:
    """A loaded model. The same text gets the same answer, whatever was tagged before or beside it."""

    name: str
    folder: Path

    def __init__(
        self, folder: Path, config: dict[str, Any], tokenizer: Tokenizer, session: ort.InferenceSession
    ) -> None:
        self.folder = folder
        self.name = f"{config['name']} {config['version']}"
        self._tokenizer, self._session = tokenizer, session
        self._entity_labels: tuple[str, ...] = tuple(config["entities"]["labels"])
        self._entities = _chain(config["entities"])
        self._roles = _chain(config["roles"])
        self._linker = Linker.from_config(config["links"])
        self._size, self._overlap = int(config["window"]) - 2, int(config["overlap"])
        self._before, self._after = int(config["cls"]), int(config["sep"])
        self._link_width = int(config["links"]["width"])

    @classmethod
    def load(cls, folder: Path | str | None = None, *, threads: int = 1) -> Tagger:
        """Reads a model folder; None is the packaged model.

        Raises ``ModelError``, naming the folder, where a file is missing or damaged or of another format version.
        """
        folder = PACKAGED if folder is None else Path(folder)
        if not folder.is_dir():
            raise ModelError(str(folder), "there is no such folder")
        config = _read_config(folder)
        for name, expected in config["sha256"].items():
            path = folder / name
            if not path.is_file():
                raise ModelError(str(folder), f"{name} is missing")
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
            if found != expected:
                raise ModelError(str(folder), f"{name} is damaged: its sha256 is {found[:12]}…, not {expected[:12]}…")
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Without the arena a worker stays 60 MB smaller, at no loss of speed that could be measured (2026-11-23).
        options.enable_cpu_mem_arena = False
        try:
            tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            tokenizer.no_padding()
            tokenizer.no_truncation()
            tokenizer.encode_special_tokens = True  # "[SEP]" in an article is five characters of the article
            session = ort.InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])
            return cls(folder, config, tokenizer, session)
        except ModelError:
            raise
        except Exception as error:
            raise ModelError(str(folder), f"cannot be loaded: {error}") from error

    def tag(self, text: str) -> Tagged:
        """Tags a text of any length and kind, in time and memory linear in its length. Never raises for a text."""
        pieces = cut_into_pieces(self._tokenizer, text)
        if not len(pieces):
            return Tagged((), ())
        entities, roles, vectors = self._run(pieces)
        return Tagged(self._mentions(text, pieces, entities), self._attributions(text, pieces, roles, vectors))

    def tag_many(self, texts: Sequence[str]) -> list[Tagged]:
        """The same as ``tag`` of each.

        One by one: int8 activations are scaled by the greatest value in a batch, so that a neighbour could change a
        result, and windows are long enough that batching them is no faster on a CPU.
        """
        return [self.tag(text) for text in texts]

    def _run(self, pieces: Pieces) -> tuple[Floats, Floats, Floats]:
        """Emissions of both taggers and link vectors, (pieces, …), each piece's from the window that owns it."""
        total = len(pieces)
        entities = np.empty((total, len(self._entities.tags)), np.float32)
        roles = np.empty((total, len(self._roles.tags)), np.float32)
        vectors = np.empty((total, 4 * self._link_width + 2), np.float32)
        for window in windows(pieces.paragraphs, self._size, self._overlap):
            length = window.end - window.start
            ids = np.empty((1, length + 2), np.int64)
            ids[0, 0], ids[0, -1] = self._before, self._after
            ids[0, 1:-1] = pieces.ids[window.start : window.end]
            forms = np.zeros((1, length + 2), np.int64)
            forms[0, 1:-1] = pieces.forms[window.start : window.end]
            out = self._session.run(("entities", "roles", "links"), {"ids": ids, "forms": forms})
            own = slice(window.own_start, window.own_end)
            kept = slice(window.own_start - window.start + 1, window.own_end - window.start + 1)
            entities[own], roles[own], vectors[own] = out[0][0, kept], out[1][0, kept], out[2][0, kept]
        return entities, roles, vectors

    def _mentions(self, text: str, pieces: Pieces, emissions: Floats) -> tuple[Mention, ...]:
        path = self._entities.best_path(emissions, pieces.paragraphs)
        chances = self._entities.chances(emissions, pieces.paragraphs)
        spans = spans_of(path)
        scores = _scores(chances, path, spans)
        labels = self._entity_labels
        found = []
        for a, b, score in zip(spans.first, spans.last, scores, strict=True):
            if score >= _LEAST_MENTION:
                by_label = chances[a : b + 1, 1:].mean(0).reshape(len(labels), 4).sum(1)
                found.append((int(pieces.starts[a]), int(pieces.ends[b]), float(score), by_label))
        votes: dict[str, Floats] = {}
        for start, end, _, by_label in found:
            name = text[start:end]
            votes[name] = votes.get(name, np.float32(0)) + by_label
        person = labels.index("PERSON")
        for start, end, score, by_label in found:
            parts = text[start:end].split()
            if len(parts) > 1 and score > 0.5 and by_label.argmax() == person:
                for part in {parts[0], parts[-1]} & votes.keys():
                    votes[part][person] += 0.5 * by_label[person]
        return tuple(
            Mention(start, end, labels[int(votes[text[start:end]].argmax())], score) for start, end, score, _ in found
        )

    def _attributions(self, text: str, pieces: Pieces, emissions: Floats, vectors: Floats) -> tuple[Attribution, ...]:
        path = self._roles.best_path(emissions, pieces.paragraphs)
        spans = spans_of(path)
        scores = _scores(self._roles.chances(emissions, pieces.paragraphs), path, spans)
        heads, chances = self._linker.heads(spans, vectors, pieces.paragraphs)
        members: dict[int, list[int]] = {}
        for i, head in enumerate(heads.tolist()):
            members.setdefault(head, []).append(i)
        found = []
        for group in members.values():
            parts: tuple[list[tuple[int, int]], ...] = ([], [], [])
            for i in group:
                begin, end = int(pieces.starts[spans.first[i]]), int(pieces.ends[spans.last[i]])
                parts[spans.label[i]].append((begin, end))
            if parts[CUE] or parts[CONTENT]:
                score = float(scores[group].mean() * chances[group].min())
                whole = Attribution(tuple(parts[SOURCE]), tuple(parts[CUE]), tuple(parts[CONTENT]), score)
                found += let_go(text, whole)
        return tuple(sorted(share_sources(text, found), key=lambda a: min(a.source + a.cue + a.content)))


_SENTENCE_END: Final = re.compile(
    r"""(?<!\b[A-Z])(?<!\bMr)(?<!\bMs)(?<!\bDr)(?<!\bSt)(?<!\bMrs)(?<!\bGov)(?<!\bSen)(?<!\bRep)(?<!\bGen)"""
    r"""[.!?][”"’')]*\s+(?=[“"‘A-Z])|[\n\r]"""
)
# Cues that begin like this name no source of their own, nor take one from the words before: passives ("was told"),
# nouns ("a claim that"), "it appears", and "Asked whether …, she said". Counted on the training split, 2026-11-23.
_SOURCELESS: Final = re.compile(
    r"(?:an?|the|it|there|this|that|is|isn|are|was|wasn|were|be|been|being|seem(?:s|ed|ing)?|appear(?:s|ed)?|asked|"
    r"pressed|questioned|titled|entitled|known|opposition|concerns|questions)\b",
    re.IGNORECASE,
)
_FARTHEST: Final = 400  # characters from a shared source to the cue; 99% of the training split's are nearer


_FARTHEST_PART: Final = 150  # characters between two parts of one attribution; from 80 on, no matter (dev, 2026-11-23)
_BETWEEN_QUOTES: Final = frozenset(" \n\r\t\u00a0\"“”‘’'«»")


def let_go(text: str, whole: Attribution) -> list[Attribution]:
    """Takes from an attribution the contents that are not near its cue, and keeps them for themselves where quoted.

    The linker must give every content to somebody, so one whose own cue was overlooked goes to a stranger. Near is: in
    the paragraph, or in the next one where nothing but quotation marks lies between. An unquoted content that belongs
    to nobody is no claim, and is dropped. Claim F1 on dev rose from 68.6 to 69.4 by this (2026-11-23).
    """
    members = sorted(whole.source + whole.cue + whole.content)
    runs = [[members[0]]]
    for before, after in pairwise(members):
        gap = text[before[1] : after[0]]
        apart = ("\n" in gap or "\r" in gap) and not _BETWEEN_QUOTES.issuperset(gap)
        if apart or len(gap) > _FARTHEST_PART:
            runs.append([])
        runs[-1].append(after)
    head = (whole.cue or whole.content)[0]
    near = next(run for run in runs if head in run)
    if not any(part in near for part in whole.content):
        closest = min(whole.content, key=lambda part: _gap(part, head), default=None)
        near = near + next((run for run in runs if closest in run), [])
    kept = replace(whole, content=tuple(part for part in whole.content if part in near))
    alone = [replace(whole, source=(), cue=(), content=(part,)) for part in whole.content if part not in near]
    return [a for a in (kept, *alone) if a.cue or a.source or text[a.content[0][0]] in "“\"‘'«"]


def _gap(one: tuple[int, int], other: tuple[int, int]) -> int:
    return max(one[0] - other[1], other[0] - one[1])


def share_sources(text: str, attributions: Sequence[Attribution]) -> list[Attribution]:
    """Gives attributions without a source the one before them in the sentence ("he called it a lie, adding that …").

    Tags cannot say that one span is the source of two attributions, but the corpus does so for one in sixteen. On the
    training split this finds 90% of those, and is right in 87% of the cases where it says anything (2026-11-23).
    """
    sources = sorted({span for a in attributions for span in a.source}, key=lambda span: span[1])
    ends = [end for _, end in sources]
    shared = []
    for a in attributions:
        if not a.source:
            head = (a.cue or a.content)[0]
            k = bisect_right(ends, head[0]) - 1
            if (
                k >= 0
                and head[0] - ends[k] <= _FARTHEST
                and not (a.cue and _SOURCELESS.match(text, *head))
                and not _SENTENCE_END.search(text, ends[k], head[0])
            ):
                a = replace(a, source=(sources[k],))
        shared.append(a)
    return shared


def _scores(chances: Floats, path: Ints, spans: Spans) -> Floats:
    """The least probability of any piece of each span."""
    if not len(spans):
        return np.zeros(0, np.float32)
    inside = np.flatnonzero(path)
    least: Floats = np.minimum.reduceat(chances[inside, path[inside]], np.searchsorted(inside, spans.first))
    return least


def _chain(config: dict[str, Any]) -> Chain:
    return Chain(
        tuple(config["tags"]),
        np.array(config["between"], np.float32),
        np.array(config["first"], np.float32),
        np.array(config["last"], np.float32),
    )


def _read_config(folder: Path) -> dict[str, Any]:
    path = folder / "config.json"
    try:
        config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(str(folder), "config.json is missing") from None
    except (OSError, ValueError) as error:
        raise ModelError(str(folder), f"config.json cannot be read: {error}") from error
    found = config.get("format") if isinstance(config, dict) else None
    if found != FORMAT:
        raise ModelError(str(folder), f"its format is {found!r}, and this version of Wirewatch reads {FORMAT}")
    needed = {"name", "version", "entities", "roles", "links", "window", "overlap", "cls", "sep", "sha256"}
    if missing := sorted(needed - config.keys()):
        raise ModelError(str(folder), f"config.json lacks {', '.join(missing)}")
    if not isinstance(config["sha256"], dict) or {"model.onnx", "tokenizer.json"} - config["sha256"].keys():
        raise ModelError(str(folder), "config.json names no sha256 of model.onnx or tokenizer.json")
    return config
