"""From the network's numbers to spans and links: the tag scheme, the best path, and which spans belong together.

Plain numpy; used at run time and, for the shared definitions, in training.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

LINK_WIDTH: Final = 48
REACH: Final = 8  # a head is at most this many annotated spans away: 99.9% of the training corpus' are
ORDERS: Final = 9
DISTANCES: Final = 16
SOURCE, CUE, CONTENT = 0, 1, 2
PARAGRAPHS_AT_ONCE: Final = 64  # bounds the working memory of a long text; more brought no speed (2026-11-23)


def tags_of(labels: Sequence[str]) -> list[str]:
    """The BIOES tags of some labels: outside first, then begin, inside, end and single of each."""
    return ["O", *(f"{place}-{label}" for label in labels for place in "BIES")]


def allowed(tags: Sequence[str]) -> tuple[Bools, Bools, Bools]:
    """Which tag may follow which (rows: the earlier), which may open a paragraph, and which may close it."""
    opens = np.array([tag[0] in "OBS" for tag in tags])
    closes = np.array([tag[0] in "OES" for tag in tags])
    between = closes[:, None] & opens[None, :]
    for i, one in enumerate(tags):
        for j, other in enumerate(tags):
            if one[0] in "BI" and other[0] in "IE" and one[2:] == other[2:]:
                between[i, j] = True
    return between, opens, closes


@dataclass(frozen=True, slots=True)
class Chain:
    """The transition scores of one tagger; forbidden ones are hugely negative."""

    tags: tuple[str, ...]
    between: Floats
    first: Floats
    last: Floats

    def best_path(self, emissions: Floats, paragraphs: Ints) -> Ints:
        """The best tag of each piece (Viterbi), each paragraph for itself.

        ``emissions`` (pieces, tags), ``paragraphs`` (pieces,) never falling. Paragraphs of about one length go side by
        side, so the loop in Python is as long as the longest paragraphs, not as the text.
        """
        path = np.zeros(len(emissions), np.int64)
        for begins, lengths in _side_by_side(paragraphs):
            self._best_paths(emissions, begins, lengths, path)
        return path

    def chances(self, emissions: Floats, paragraphs: Ints) -> Floats:
        """The probability of each tag of each piece, (pieces, tags), over all paths (forward-backward)."""
        chances = np.empty_like(emissions)
        likely = np.exp(emissions - emissions.max(1, keepdims=True))
        for begins, lengths in _side_by_side(paragraphs):
            self._chances(likely, begins, lengths, chances)
        return chances

    def _best_paths(self, emissions: Floats, begins: Ints, lengths: Ints, path: Ints) -> None:
        """Writes the paths of paragraphs, longest first, into ``path``."""
        live = _live(lengths)
        score = self.first + emissions[begins]
        back = []
        reverse = np.ascontiguousarray(self.between.T)
        for t in range(1, len(live)):
            n = live[t]
            steps = score[:n, None, :] + reverse
            chosen = steps.argmax(2)
            back.append(chosen)
            best = np.take_along_axis(steps, chosen[:, :, None], 2)[:, :, 0]
            score[:n] = best + emissions[begins[:n] + t]
        tag = (score + self.last).argmax(1)
        rows = np.arange(len(begins))
        for t in range(len(live) - 1, -1, -1):
            n = live[t]
            path[begins[:n] + t] = tag[:n]
            if t:
                tag[:n] = back[t - 1][rows[:n], tag[:n]]

    def _chances(self, likely: Floats, begins: Ints, lengths: Ints, chances: Floats) -> None:
        """Writes the probabilities of paragraphs, longest first, into ``chances``; ``likely`` are exp(emissions)."""
        live = _live(lengths)
        between, first, last = np.exp(self.between), np.exp(self.first), np.exp(self.last)
        forward = first * likely[begins]
        forward /= forward.sum(1, keepdims=True)
        chances[begins] = forward
        for t in range(1, len(live)):
            n = live[t]
            at = begins[:n] + t
            forward = (forward[:n] @ between) * likely[at]
            forward /= forward.sum(1, keepdims=True)
            chances[at] = forward
        backward = np.tile(last, (len(begins), 1))
        for t in range(len(live) - 1, -1, -1):
            n = live[t]
            at = begins[:n] + t
            both = chances[at] * backward[:n]
            chances[at] = both / both.sum(1, keepdims=True)
            step = (backward[:n] * likely[at]) @ between.T
            backward[:n] = step / step.sum(1, keepdims=True)


def _side_by_side(paragraphs: Ints) -> Iterator[tuple[Ints, Ints]]:
    """Beginnings and lengths of some paragraphs at a time, the longest first."""
    if not len(paragraphs):
        return
    begins = np.concatenate([[0], np.flatnonzero(np.diff(paragraphs)) + 1])
    lengths = np.diff(np.concatenate([begins, [len(paragraphs)]]))
    order = np.argsort(-lengths, kind="stable")
    for at in range(0, len(order), PARAGRAPHS_AT_ONCE):
        some = order[at : at + PARAGRAPHS_AT_ONCE]
        yield begins[some], lengths[some]


def _live(lengths: Ints) -> list[int]:
    """For each step, how many of the paragraphs (longest first) still have a piece there."""
    steps = -np.arange(int(lengths[0]))
    return [int(n) for n in np.searchsorted(-lengths, steps, side="left")]


@dataclass(frozen=True, slots=True)
class Spans:
    """Spans of pieces in order: ``label`` indexes the tagger's labels, ``first`` and ``last`` are both within."""

    label: Ints
    first: Ints
    last: Ints

    def __len__(self) -> int:
        return len(self.label)


def spans_of(path: Ints) -> Spans:
    """The spans of a well-formed BIOES path whose tags are numbered as by ``tags_of``."""
    place = np.where(path > 0, (path - 1) % 4, 4)  # B I E S O
    first = np.flatnonzero((place == 0) | (place == 3))
    last = np.flatnonzero((place == 2) | (place == 3))
    return Spans((path[first] - 1) // 4, first, last)


def pair_features(spans: Spans, paragraphs: Ints, i: Ints, j: Ints) -> tuple[Ints, Ints, Ints]:
    """Of dependents ``i`` and heads ``j``: the classes of order and distance, and whether they share a paragraph."""
    order = np.clip(j - i, -4, 4) + 4
    gap = np.where(j > i, spans.first[j] - spans.last[i], spans.first[i] - spans.last[j])
    near = np.minimum(7, np.log2(np.maximum(gap, 1)).astype(np.int64))
    same = (paragraphs[spans.first[i]] == paragraphs[spans.first[j]]).astype(np.int64)
    return order, near + 8 * (j > i), same


def may_head(labels: Ints, i: Ints, j: Ints) -> Bools:
    """Whether span ``j`` may be the head of span ``i`` (another one): a cue of anything, a content of all but a cue."""
    may: Bools = (i != j) & ((labels[j] == CUE) | ((labels[j] == CONTENT) & (labels[i] != CUE)))
    return may


@dataclass(frozen=True, slots=True)
class Linker:
    """Finds for each span of an attribution its head: the attribution's first cue, else its first content."""

    order: Floats  # (3, 3, ORDERS) by label of dependent and of head
    distance: Floats  # (3, 3, DISTANCES)
    same: Floats  # (3, 3, 2)
    alone: Floats  # (3,)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Linker:
        return cls(*(np.array(config[name], np.float32) for name in ("order", "distance", "same", "alone")))

    def heads(self, spans: Spans, vectors: Floats, paragraphs: Ints) -> tuple[Ints, Floats]:
        """The head of each span (itself, where it is one) and the probability of that choice.

        ``vectors`` (pieces, 4 * LINK_WIDTH + 2): dependent's first and last piece, head's first and last piece, and
        the same for a span alone.
        """
        n, w = len(spans), LINK_WIDTH
        if not n:
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        at_first, at_last = vectors[spans.first], vectors[spans.last]
        dependent = at_first[:, :w] + at_last[:, w : 2 * w]
        head = at_first[:, 2 * w : 3 * w] + at_last[:, 3 * w : 4 * w]
        offsets = np.arange(-REACH, REACH + 1)
        i = np.repeat(np.arange(n), len(offsets))
        j = i + np.tile(offsets, n)
        inside = (j >= 0) & (j < n)
        j = np.clip(j, 0, n - 1)
        a, b = spans.label[i], spans.label[j]
        order, distance, same = pair_features(spans, paragraphs, i, j)
        score = np.einsum("nd,nd->n", dependent[i], head[j]) / np.float32(np.sqrt(w))
        score = score + self.order[a, b, order] + self.distance[a, b, distance] + self.same[a, b, same]
        lone = at_first[:, 4 * w] + at_last[:, 4 * w + 1] + self.alone[spans.label]
        itself = inside & (i == j)
        score = np.where(itself, lone[i], score)
        score = np.where(itself | (inside & may_head(spans.label, i, j)), score, np.float32(-1e9))
        table = score.reshape(n, len(offsets))
        table = table - table.max(1, keepdims=True)
        chance = np.exp(table)
        chance /= chance.sum(1, keepdims=True)
        rows = np.arange(n)
        is_head = table.argmax(1) == REACH
        # A second choice, among spans that are heads indeed: no chains, no loops.
        target = np.clip(rows[:, None] + offsets, 0, n - 1)
        usable = is_head[target] | (offsets == 0)
        choice = np.where(usable, chance, -1).argmax(1)
        return rows + choice - REACH, chance[rows, choice].astype(np.float32)
