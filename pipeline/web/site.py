"""What all pages share: settings, ledger and index, opened when first needed; templates; who may do what."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import quote

import jinja2
from markupsafe import Markup, escape
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse

from pipeline import __version__
from pipeline.index import Index, Kind, open_index
from pipeline.ledger import Ledger, open_ledger
from pipeline.records import Feed
from pipeline.settings import Settings
from pipeline.web.limits import BusyError, RateLimit
from pipeline.web.login import Login

HERE: Final = Path(__file__).parent
STATIC: Final = HERE / "static"

SEARCHES: Final = 8
"""Searches under way at once; with more, all would only be slower."""
PATIENCE: Final = 10.0
"""Seconds that a search waits for its turn."""

T = TypeVar("T")


class Site:
    """One data folder, shown. Safe for threads: pages are made in several at once."""

    def __init__(self, settings: Settings, login: Login) -> None:
        self.settings, self.login = settings, login
        # A person turns pages at one or two a second; a script that reads all of them is slowed, not stopped.
        self.searches = RateLimit(rate=8, burst=40)
        self.logins = RateLimit(rate=0.1, burst=5)
        self._index: Index | None = None
        self._ledger: Ledger | None = None
        self._opening = threading.Lock()
        self._turns = threading.BoundedSemaphore(SEARCHES)
        self.templates = _environment()

    @property
    def index(self) -> Index:
        """Raises IndexDamagedError or IndexUnavailableError; the next page tries again."""
        with self._opening:
            if self._index is None:
                self._index = open_index(self.settings)
            return self._index

    @property
    def ledger(self) -> Ledger:
        """Raises LedgerError; the next page tries again."""
        with self._opening:
            if self._ledger is None:
                self._ledger = open_ledger(self.settings.ledger_file)
            return self._ledger

    def close(self) -> None:
        if self._index is not None:
            self._index.close()
        if self._ledger is not None:
            self._ledger.close()

    def searching(self, request: Request, work: Callable[[Index], T]) -> T:
        """Do a page's searches. Raises BusyError where this visitor, or all together, ask too much."""
        self.searches.take(visitor(request))
        if not self._turns.acquire(timeout=PATIENCE):
            raise BusyError("there is too much to search for just now", PATIENCE)
        try:
            return work(self.index)
        finally:
            self._turns.release()

    def page(self, request: Request, template: str, code: int = 200, **context: Any) -> HTMLResponse:
        """A page from its template, which also gets ``path``, ``form_token`` and what is in the index."""
        shared = {
            "path": request.url.path,
            "form_token": self.login.form_token(request.scope["visit"]),
            "has_login": self.login.token is not None,
        }
        return HTMLResponse(self.templates.get_template(template).render(shared | context), code)

    def held(self) -> dict[str, int]:
        """How many articles and claims there are."""
        return {kind.value: self.index.count(kind) for kind in Kind}

    def feeds(self) -> dict[str, Feed]:
        """All feeds by id."""
        return {feed.id: feed for feed in self.ledger.feeds()}


def of(request: Request) -> Site:
    """The site that a request is for."""
    site = request.app.state.site
    assert isinstance(site, Site)
    return site


def visitor(request: Request) -> str:
    """Whom a rate is counted for: the address of the peer. Headers that a proxy might set can be made up by anyone."""
    return request.client.host if request.client else "?"


async def form_of(request: Request) -> dict[str, Any]:
    """The fields of a form that changes something: each one's value, an upload as its file.

    Raises HTTPException 403 where it does not carry our token; a request that bears the login token itself needs none.
    """
    form = await request.form(max_files=1, max_fields=100, max_part_size=1024 * 1024)
    site = of(request)
    if not site.login.bears_token(request) and not site.login.is_our_form(
        request.scope["visit"], str(form.get("form_token", ""))
    ):
        raise HTTPException(403, "This form is not of this visit; go back, reload the page and send it again.")
    return dict(form)


@cache
def asset(name: str) -> str:
    """The address of a file of ours, with a mark of its content so that browsers may keep it for good."""
    mark = hashlib.blake2b((STATIC / name).read_bytes(), digest_size=6).hexdigest()
    return f"/static/{name}?v={mark}"


def _environment() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {"asset": asset, "version": __version__}
    made.filters |= {
        "when": when,
        "spoken": spoken,
        "day": lambda value: when(value, clock=False),
        "marked": marked,
        "outward": outward,
        "segment": lambda text: quote(str(text), safe=""),
        "count": lambda number, thing: f"{number:,} {thing if number == 1 else _plural(thing)}",
    }
    return made


def spoken(value: datetime | str | None, *, clock: bool = True) -> str:
    """A time as people read it, in UTC; a dash where there is none."""
    if value is None or value == "":
        return "—"
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    moment = moment.astimezone(UTC)
    return f"{moment.day} {moment:%b %Y}" + (f", {moment:%H:%M}" if clock else "")


def when(value: datetime | str | None, *, clock: bool = True) -> Markup:
    """The same, for machines too."""
    words = spoken(value, clock=clock)
    if value is None or value == "":
        return Markup(words)
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    # Figures and the names of months: nothing here needs escaping.
    return Markup(f'<time datetime="{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}">{words}</time>')


def marked(text: str) -> Markup:
    """A fragment with ``\\x02`` … ``\\x03`` around matched words, as HTML."""
    return Markup(escape(text).replace("\x02", Markup("<mark>")).replace("\x03", Markup("</mark>")))


def outward(url: str) -> str:
    """An address from outside, fit for a link: only what a browser fetches, never what it would run."""
    return url if url.lower().startswith(("http://", "https://")) else ""


def _plural(thing: str) -> str:
    return f"{thing[:-1]}ies" if thing.endswith("y") else f"{thing}s"
