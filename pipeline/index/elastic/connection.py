"""How Elasticsearch is talked to, and its errors as ours: which of them pass, and what is said of them.

No secret leaves this module: reasons are made from the server's own answers and from the address, in which settings
allow no password.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Mapping
from typing import Any

from elastic_transport import ConnectionError, ConnectionTimeout, SerializationError, TlsError, TransportError
from elasticsearch import ApiError, Elasticsearch, UnsupportedProductError

from pipeline.errors import IndexUnavailableError, SettingsError
from pipeline.settings import Settings

logging.getLogger("elastic_transport").addHandler(logging.NullHandler())  # it would tell standard error of each retry

RETRIES = 2
"""Tries that follow a dropped connection or a 502 to 504 at once; what writes can be done twice. Longer outages are the
caller's: the flow waits and says so."""


def connect(settings: Settings) -> Elasticsearch:
    """A client for the server that the settings name. Sends nothing yet. Raises SettingsError."""
    options: dict[str, Any] = {
        "request_timeout": settings.index_timeout,
        "max_retries": RETRIES,
        "retry_on_status": (502, 503, 504),
        "retry_on_timeout": False,
        "http_compress": False,
        "connections_per_node": 10,
    }
    if settings.index.startswith("https://"):
        if settings.index_fingerprint:
            options["ssl_assert_fingerprint"] = settings.index_fingerprint
            options["verify_certs"] = False  # the fingerprint stands in for it
            options["ssl_show_warn"] = False
        elif settings.index_ca:
            if not settings.index_ca.is_file():
                raise SettingsError(f"setting 'index_ca': there is no file {settings.index_ca}")
            options["ca_certs"] = str(settings.index_ca)
    key, password = settings.secret("index_api_key"), settings.secret("index_password")
    if key:
        options["api_key"] = key
    elif password and settings.index_user:
        options["basic_auth"] = (settings.index_user, password)
    try:
        return Elasticsearch(settings.index, **options)
    except (ValueError, OSError) as error:
        raise SettingsError(f"setting 'index': {settings.index} cannot be used: {error}") from None


@contextlib.contextmanager
def errors(where: str) -> Iterator[None]:
    """The client's errors as IndexUnavailableError. ``where`` is the server's address and the prefix."""
    try:
        yield
    except ConnectionTimeout:
        raise IndexUnavailableError(where, "it does not answer in time") from None
    except TlsError as error:
        reason = f"its certificate is not what index_ca or index_fingerprint say: {error.message}"
        raise IndexUnavailableError(where, reason) from None
    except ConnectionError as error:
        raise IndexUnavailableError(where, f"it cannot be reached: {_brief(error.message)}") from None
    except SerializationError:
        raise IndexUnavailableError(where, "its answer breaks off, or is not Elasticsearch's") from None
    except UnsupportedProductError:
        raise IndexUnavailableError(where, "what answers there is not Elasticsearch") from None
    except TransportError as error:
        raise IndexUnavailableError(where, _brief(error.message)) from None
    except ApiError as error:
        raise unavailable(where, error.status_code, cause(error.body)) from None


def cause(body: Any) -> tuple[str, str]:
    """The type and the reason of an error that the server answered; the innermost, which says most."""
    found = body.get("error", body) if isinstance(body, Mapping) else body
    if not isinstance(found, Mapping):
        return "", _brief(str(found))
    while True:
        roots = found.get("root_cause") or [shard.get("reason") for shard in found.get("failed_shards", ())]
        deeper = found.get("caused_by") or next((root for root in roots if root and root != found), None)
        if not isinstance(deeper, Mapping) or not deeper.get("reason"):
            return str(found.get("type", "")), _brief(str(found.get("reason", found)))
        found = deeper


def unavailable(where: str, status: int, told: tuple[str, str]) -> IndexUnavailableError:
    """What an answer means that is no success."""
    kind, reason = told
    if kind == "cluster_block_exception" or "cluster_block" in reason or "FORBIDDEN/" in reason:
        return IndexUnavailableError(where, f"it is read-only, as when its disk is nearly full: {reason}")
    if status == 401:
        return IndexUnavailableError(where, "it refuses the key or password")
    if status == 403:
        return IndexUnavailableError(where, f"the key or user may not do this: {reason}")
    if kind in {"index_not_found_exception", "alias_not_found_exception"} or status == 404:
        return IndexUnavailableError(where, f"it is not set up there, run `wirewatch index init`: {reason}")
    if status == 429:
        return IndexUnavailableError(where, f"it has too much to do: {reason}")
    return IndexUnavailableError(where, f"it answers {status}: {reason}")


def _brief(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 300 else text[:300] + "…"
