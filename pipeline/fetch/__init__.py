"""Polite HTTP and the archive of what it brought.

FetchError codes, stable, for counting:

========================  ============================================================================
``dns``                   the name has no address
``connect``               no connection
``tls``                   no trusted TLS connection
``timeout``               too slow: to connect, between two reads, or in all
``reset``                 the connection ended before the response did
``too-large``             more bytes than the cap, on the wire or decoded
``private-address``       the address guard refused
``port``                  a port that belongs to another protocol (mail, Redis, …)
``scheme``                not an http or https address
``redirects``             a circle, or more than ten
``robots``                robots.txt does not allow it
``robots-unavailable``    robots.txt could not be had: not now
``rate-limited``          the host asked (Retry-After, or 403 after 403) to be left alone for longer than we wait
``encoding``              a Content-Encoding that is unknown or that the body is not in
``protocol``              not HTTP: broken headers, a flood of them, broken chunks
``http-404`` and so on    by :func:`raise_for_status`
========================  ============================================================================
"""

from typing import TYPE_CHECKING

from pipeline.fetch.archive import Archive
from pipeline.fetch.charset import as_utf8, is_html

if TYPE_CHECKING:
    from pipeline.fetch.client import Fetcher
    from pipeline.fetch.status import raise_for_status, retry_after

__all__ = ["Archive", "Fetcher", "as_utf8", "is_html", "raise_for_status", "retry_after"]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """The client's names, on first use: worker processes read the archive and need no HTTP, which takes a third
        of a second of CPU to import."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from pipeline.fetch import client, status

        return getattr(client if name == "Fetcher" else status, name)
