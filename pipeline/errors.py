"""Every error that a caller may want to catch. One small tree; each carries what it is about and says why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class WirewatchError(Exception):
    """The root. ``str()`` of any of these is a sentence that names the thing at fault. All can be pickled, and so come
    whole out of a worker process."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (type(self), str(self), self.__dict__)


def _again(kind: type[WirewatchError], sentence: str, carried: dict[str, Any]) -> WirewatchError:
    """An error as it was before it was pickled: its constructor wants parts that only its maker has."""
    error = kind.__new__(kind)
    Exception.__init__(error, sentence)
    error.__dict__.update(carried)
    return error


class SettingsError(WirewatchError):
    """A setting that cannot be used. Names the setting."""


class FeedError(WirewatchError):
    """A feed that cannot be polled, parsed or found. ``code`` is a stable word for counting."""

    def __init__(self, url: str, code: str, reason: str) -> None:
        super().__init__(f"{url}: {reason}")
        self.url, self.code, self.reason = url, code, reason


class FetchError(WirewatchError):
    """A URL that could not be fetched.

    ``code`` is a stable word for counting (see ``pipeline.fetch``), ``permanent`` says that trying again soon is of no
    use, ``retry_after`` is the server's own wish in seconds.
    """

    def __init__(
        self,
        url: str,
        code: str,
        reason: str,
        *,
        permanent: bool = False,
        retry_after: float | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(f"{url}: {reason}")
        self.url, self.code, self.reason = url, code, reason
        self.permanent, self.retry_after, self.status = permanent, retry_after, status


class ArchiveError(WirewatchError):
    """A WARC record that cannot be written or read. Names the file and the offset."""

    def __init__(self, file: str, offset: int | None, reason: str) -> None:
        where = file if offset is None else f"{file} at byte {offset}"
        super().__init__(f"{where}: {reason}")
        self.file, self.offset, self.reason = file, offset, reason


class ExtractError(WirewatchError):
    """A page that could not be taken apart. Names the URL or path."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"{url}: {reason}")
        self.url, self.reason = url, reason


class ModelError(WirewatchError):
    """A model folder that is missing, damaged, or of another version. Names the folder."""

    def __init__(self, folder: str, reason: str) -> None:
        super().__init__(f"model {folder}: {reason}")
        self.folder, self.reason = folder, reason


class NotReadyError(WirewatchError):
    """Worker processes cannot begin, since a model is missing or damaged. No page is to blame."""


class QueryError(WirewatchError):
    """A query that cannot be read. ``position`` is the character (from 0) where reading failed."""

    def __init__(self, query: str, position: int, reason: str) -> None:
        super().__init__(f"{reason} (at character {position + 1} of {query!r})")
        self.query, self.position, self.reason = query, position, reason


class RequestError(QueryError):
    """Something asked for beside the query that cannot be had. ``part`` is the field of the request at fault
    (``after``, ``facets``, ``since``, …); the query itself is not to blame, and ``position`` says nothing."""

    def __init__(self, query: str, part: str, reason: str) -> None:
        WirewatchError.__init__(self, reason)
        self.query, self.position, self.reason, self.part = query, 0, reason, part


class IndexDamagedError(WirewatchError):
    """An index that cannot be opened. ``wirewatch replay`` builds it anew from the archive."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"index {where}: {reason}; `wirewatch replay` rebuilds it from the archive")
        self.where, self.reason = where, reason


class IndexUnavailableError(WirewatchError):
    """An index that does not answer now (full disk, read-only, server down). What is owed stays owed."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"index {where}: {reason}")
        self.where, self.reason = where, reason


class DocumentsRefusedError(WirewatchError):
    """Documents that an index will not take, whatever is tried; all others of the batch are in. ``refused`` maps the
    article's id to the reason, in the index's own words."""

    def __init__(self, where: str, refused: Mapping[str, str]) -> None:
        first = next(iter(refused.items()))
        super().__init__(f"index {where} refuses {len(refused)} documents, among them {first[0]}: {first[1]}")
        self.where, self.refused = where, dict(refused)


class LedgerError(WirewatchError):
    """A ledger that cannot be opened or written. Names the database."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"ledger {where}: {reason}")
        self.where, self.reason = where, reason
