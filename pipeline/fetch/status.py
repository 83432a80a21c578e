"""What a response's status asks of us: to be taken as it is, to be taken for a failure, or to come back later."""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from pipeline.errors import FetchError
from pipeline.records import Page

RETRY_AFTER_CAP = 86_400.0
"""A Retry-After above a day is taken as a day, as a failing feed's back-off is."""

_PERMANENT_STATUSES = frozenset({401, 403, 404, 410, 451})


def retry_after(page: Page) -> float | None:
    """The Retry-After of a response in seconds from ``page.fetched``, seconds or HTTP-date, at most a day.

    ``None`` where there is none or it cannot be read (RFC 9110, 10.2.3).
    """
    value = (page.header("retry-after") or "").strip()
    if not value:
        return None
    if value.isascii() and value.isdigit():
        return min(float(value[:12]), RETRY_AFTER_CAP)
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return min(max((when - page.fetched).total_seconds(), 0.0), RETRY_AFTER_CAP)


def asks_for_patience(page: Page) -> bool:
    """Whether a response means "later": 429, 503, and a 403 that says when or that a limit is reached, as some sites
    answer in place of 429."""
    if page.status == 403:
        spent = (page.header(name) for name in ("X-RateLimit-Remaining", "RateLimit-Remaining"))
        return retry_after(page) is not None or any((value or "").strip() == "0" for value in spent)
    return page.status in (429, 503)


def raise_for_status(page: Page) -> None:
    """Return for 2xx and 304. Raises FetchError ``http-404`` and the like for any other status.

    401, 403, 404, 410 and 451 are permanent; what asks for patience (429, 503, some 403) is not, and carries the
    server's Retry-After.
    """
    status = page.status
    if 200 <= status < 300 or status == 304:
        return
    try:
        phrase = f" {HTTPStatus(status).phrase}"
    except ValueError:
        phrase = ""
    patience = asks_for_patience(page)
    raise FetchError(
        page.url,
        f"http-{status}",
        f"the server answered {status}{phrase}",
        permanent=status in _PERMANENT_STATUSES and not patience,
        retry_after=retry_after(page) if patience else None,
        status=status,
    )
