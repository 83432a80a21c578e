"""Says what a fetched page turned out to be: an article, a video, a live blog, a wall, or nothing."""

from __future__ import annotations

from pipeline.records import PageKind


def kind(body: str) -> PageKind:
    """The kind of a page with this body."""
    return PageKind.ARTICLE if len(body) >= 50 else PageKind.EMPTY
