"""The application: which address is which page, what stands around all of them, and how errors are told."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from pipeline.errors import IndexDamagedError, IndexUnavailableError, LedgerError, QueryError, WirewatchError
from pipeline.settings import Settings
from pipeline.web import alerts, article, feeds, live, names, operations, search, site
from pipeline.web.guard import Guard
from pipeline.web.limits import BusyError
from pipeline.web.login import Login

log = structlog.get_logger("wirewatch")

LOCAL = ("localhost",)
"""Names that always mean this machine; addresses in figures need no naming."""


def application(settings: Settings, *, token: str | None = None, names_: Iterable[str] = ()) -> Starlette:
    """The page for a data folder, as an ASGI application.

    ``token`` is what visitors have to give, ``None`` where the page is reached from this machine alone; ``names_`` are
    host names under which it may be asked for besides ``localhost`` and addresses in figures.
    """
    login = Login.of(token)
    here = site.Site(settings, login)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.state.desk = live.Newsdesk(here)
        watching = asyncio.create_task(app.state.desk.watch())
        yield
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
        here.close()

    app = Starlette(
        routes=[
            Route("/", search.page),
            Route("/search.json", search.json),
            Route("/search.atom", search.atom),
            Route("/live", live.stream),
            Route("/article/{id}.json", article.json),
            Route("/article/{id}", article.page),
            Route("/article/{id}/raw", article.raw),
            Route("/name/{name:path}", names.page),
            Route("/alerts", alerts.page),
            Route("/alerts/new", alerts.new),
            Route("/alerts/rules", alerts.save, methods=["POST"]),
            Route("/alerts/silence", alerts.silence, methods=["POST"]),
            Route("/alerts/retry", alerts.retry, methods=["POST"]),
            Route("/feeds", feeds.page),
            Route("/feeds", feeds.add, methods=["POST"]),
            Route("/feeds/remove", feeds.remove, methods=["POST"]),
            Route("/feeds/poll", feeds.poll, methods=["POST"]),
            Route("/feeds/opml", feeds.opml_in, methods=["POST"]),
            Route("/feeds.opml", feeds.opml_out),
            Route("/operations", operations.page),
            Route("/operations/retry", operations.retry, methods=["POST"]),
            Route("/operations/drop", operations.drop, methods=["POST"]),
            Route("/login", login_page),
            Route("/login", log_in, methods=["POST"]),
            Route("/logout", log_out, methods=["POST"]),
            Mount("/static", _Static(directory=site.STATIC)),
        ],
        middleware=[
            Middleware(Guard, login=login, names=(*LOCAL, *names_)),
            Middleware(GZipMiddleware, minimum_size=1_000, compresslevel=5),
        ],
        exception_handlers={
            WirewatchError: _failed,
            HTTPException: _refused,
            Exception: _broken,
        },
        lifespan=lifespan,
    )
    here.templates.filters["excerpt"] = alerts.marked_excerpt
    here.templates.globals["to_alert_of"] = alerts.from_search
    app.state.site = here
    return app


class _Static(StaticFiles):
    """Our own files, which browsers may keep: their addresses change with their content."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


def login_page(request: Request) -> Response:
    """``/login``: asks for the token."""
    here = site.of(request)
    if here.login.admits(request):
        return RedirectResponse(_inside(request.query_params.get("to", "/")), 303)
    return here.page(request, "login.html", to=_inside(request.query_params.get("to", "/")), fault="")


async def log_in(request: Request) -> Response:
    """Let in whoever gives the token."""
    here = site.of(request)
    form = await site.form_of(request)
    to = _inside(str(form.get("to", "/")))
    here.logins.take(site.visitor(request))
    if not here.login.matches(str(form.get("token", "")).strip()):
        return here.page(request, "login.html", 403, to=to, fault="This is not the token.")
    response = RedirectResponse(to, 303)
    here.login.begin(response, secure=request.url.scheme == "https")
    return response


async def log_out(request: Request) -> Response:
    await site.form_of(request)
    response = RedirectResponse("/login", 303)
    site.of(request).login.end(response)
    return response


def _inside(path: str) -> str:
    """A path of ours; the front page in place of anything that would lead elsewhere."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() else "/"


def _failed(request: Request, error: Exception) -> Response:
    """One of our errors: what is at fault, in words, and what can be done."""
    if isinstance(error, BusyError):
        return _told(request, 429, "Slowly", error.reason, {"Retry-After": str(int(error.wait) + 1)})
    if isinstance(error, QueryError):
        return _told(request, 400, "This cannot be searched for", error.reason)
    if isinstance(error, IndexDamagedError | IndexUnavailableError | LedgerError):
        log.error("a page cannot be shown", path=request.url.path, reason=str(error))
        return _told(request, 503, "Not now", str(error))
    log.error("a page cannot be shown", path=request.url.path, reason=str(error))
    return _told(request, 500, "This did not work", str(error))


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    titles = {404: "Not here", 403: "Not so", 405: "Not so"}
    return _told(
        request, error.status_code, titles.get(error.status_code, "No"), error.detail, dict(error.headers or {})
    )


def _broken(request: Request, error: Exception) -> Response:
    """A fault of ours. What it was goes to the log and not to the visitor."""
    log.error("a page broke", path=request.url.path, error=f"{type(error).__name__}: {error}")
    return _told(request, 500, "This page broke", "The fault is ours, and is in the log of `wirewatch serve`.")


def _told(request: Request, status: int, title: str, reason: str, headers: dict[str, str] | None = None) -> Response:
    if request.url.path.endswith((".json", ".atom")):
        return JSONResponse({"error": reason}, status, headers)
    response = site.of(request).page(request, "error.html", status, title=title, reason=reason, status=status)
    response.headers.update(headers or {})
    return response
