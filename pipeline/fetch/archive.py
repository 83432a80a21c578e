"""The archive: every response, as WARC 1.1 (ISO 28500:2017), one gzip member a record, so that any record can be read
by its offset alone and a damaged one costs no other.

A page is a ``response`` record, and where a sighting led to it, a ``metadata`` record after it (``WARC-Concurrent-To``
the response) with the sighting's JSON. The payload is the decoded body: ``Content-Encoding``, ``Transfer-Encoding``
and the ``Content-Length`` of the wire are kept under ``X-Archive-Orig-`` names, as other archives do, and a true
``Content-Length`` is set, so that any WARC reader gets the page and we get back every header as it was. What WARC has
no field for stands in ``Wirewatch-Final-URI`` and ``Wirewatch-Moved-To``.

fastwarc writes and reads the records; ISA-L packs and finds the members, and tells where each ends. Measured on
2026-11-25 on 257 real pages of 321 KB: ISA-L at level 1 takes 0.56 ms a page and 69 KB, fastwarc's gzip at level 1
0.99 ms and 85 KB, Python's zlib at level 6 6.3 ms and 59 KB; to unpack, ISA-L takes 0.35 ms and zlib 0.87. Building a
record of 19 headers takes 16 us in fastwarc and 79 us in warcio.
"""

from __future__ import annotations

import io
import os
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import msgspec
from fastwarc.warc import WarcRecord, WarcRecordType
from isal import isal_zlib

from pipeline import __version__
from pipeline.errors import ArchiveError
from pipeline.fetch.decoding import UnpackError
from pipeline.records import Location, Page, Sighting, from_json, to_json

LEVEL = 1
"""ISA-L's level. Its highest, 3, would make the files a twentieth smaller for 0.4 ms a page more (2026-11-25)."""

SUFFIX = ".warc.gz"

_CHUNK = 128 * 1024
"""Bytes read from a file at once: the compressed page of the recorded wire is 69 KB on average."""

_PREFIX = "X-Archive-Orig-"
_RENAMED = frozenset({"content-encoding", "transfer-encoding", "content-length"})
_LINE_ENDS = re.compile(r"[\r\n]+")
_MAGIC = b"\x1f\x8b\x08"
_END = b"\r\n\r\n"
"""Ends the headers of a record, those of an answer, and a record."""
_GZIP = 31  # zlib's number for a whole gzip member, header and checksum included
_UNFIT = re.compile(r"[\x00-\x20\x7f\ud800-\udfff]")
_LONGEST = 24 * 3600.0
"""Seconds for which one file is written to, so that what lies in it is of one age and can be pruned when it is old."""
_MAX_RECORD = 1 << 30
"""A member that decompresses to more is damage: a page is at most settings.max_bytes."""


class Archive:
    """A folder of WARC files. Safe for several threads, and for several processes on one folder: each writes files of
    its own.

    A record is with the operating system when :meth:`append` returns (a killed process loses nothing) and on the disk
    when :meth:`flush` returns (a power cut loses nothing): call it once a batch, before the ledger says ``fetched``.
    """

    def __init__(self, folder: Path, max_size: int) -> None:
        self._folder, self._max_size = folder, max_size
        self._lock = threading.Lock()
        self._file: BinaryIO | None = None
        self._name = ""
        self._size = 0
        self._begun = 0.0
        self._pid = 0
        self._unsynced: ArchiveError | None = None
        """Why records of a file that is closed already may not be on the disk: the next flush must say so."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # Writing

    def append(self, page: Page, *, sighting: Sighting | None = None) -> Location:
        """Write a page, and the sighting that led to it; where it lies.

        Raises ArchiveError where that fails (full disk, read-only folder). What was written of it is cut off again or
        left behind in a file that is not written to any more.
        """
        response, head = _response(page)
        data = _member(response, head, page.body)
        if sighting is not None:
            data += _metadata(page, sighting, _id(response))
        with self._lock:
            file = self._current()
            offset = self._size
            self._write(file, data)
            location = Location(file=self._name, offset=offset)
            if self._size >= self._max_size:
                self._finish()
        return location

    def flush(self) -> None:
        """Return when all that was appended is on the disk. Raises ArchiveError where that cannot be said."""
        with self._lock:
            if self._file is not None and self._pid == os.getpid():
                self._sync(self._file)
                if self._unsynced is not None:
                    self._finish()  # after a failed fsync, the next one says nothing of what came before
            self._raise_unsynced()

    def close(self) -> None:
        """Flush and close. Raises ArchiveError as :meth:`flush` does; the file is closed nonetheless."""
        with self._lock:
            self._finish()
            self._raise_unsynced()

    def _current(self) -> BinaryIO:
        if self._file is not None and self._pid != os.getpid():
            self._file.close()  # a forked child: the file is the parent's
            self._file = None
        if self._file is not None and time.monotonic() - self._begun > _LONGEST:
            self._finish()
        if self._file is None:
            self._begin()
        assert self._file is not None
        return self._file

    def _begin(self) -> None:
        now = datetime.now(UTC)
        name = f"wirewatch-{now:%Y%m%dT%H%M%S%f}-{os.getpid()}-{secrets.token_hex(4)}{SUFFIX}"
        path = self._folder / name
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._file = open(path, "xb", buffering=0)  # noqa: SIM115  lives as long as the archive
        except OSError as error:
            raise ArchiveError(name, None, f"cannot be made: {error.strerror or error}") from error
        self._name, self._size, self._pid, self._begun = name, 0, os.getpid(), time.monotonic()
        try:
            self._write(self._file, _warcinfo(name, now))
        except ArchiveError:
            path.unlink(missing_ok=True)  # holds no page
            raise
        _sync_folder(self._folder)

    def _write(self, file: BinaryIO, data: bytes) -> None:
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[file.write(rest) :]
        except OSError as error:
            offset = self._size
            with suppress(OSError):  # else the file ends in a part of a record, which readers report and pass
                file.truncate(offset)
            self._finish()
            raise ArchiveError(self._name, offset, f"cannot be written: {error.strerror or error}") from error
        self._size += len(data)

    def _finish(self) -> None:
        """Sync and close the file; the next record begins another."""
        file, self._file = self._file, None
        if file is None:
            return
        if self._pid == os.getpid():
            self._sync(file)
        with suppress(OSError):  # what mattered was synced, or is told by the next flush
            file.close()

    def _sync(self, file: BinaryIO) -> None:
        try:
            os.fsync(file.fileno())
        except OSError as error:
            self._unsynced = ArchiveError(self._name, None, f"cannot be flushed: {error.strerror or error}")

    def _raise_unsynced(self) -> None:
        error, self._unsynced = self._unsynced, None
        if error is not None:
            raise error

    # Reading

    def read(self, location: Location) -> Page:
        """The page at a location, as it was appended but for ``location``, which is set.

        Raises ArchiveError naming file and offset where there is no file, no record, or a damaged one.
        """
        name, offset = location.file, location.offset
        if Path(name).name != name:
            raise ArchiveError(name, offset, "not the name of a file in the archive")
        try:
            with open(self._folder / name, "rb", buffering=0) as file:
                data, _ = _read_member(file, offset)
        except OSError as error:
            raise ArchiveError(name, offset, f"cannot be read: {error.strerror or error}") from error
        except _DamageError as error:
            raise ArchiveError(name, offset, str(error)) from error
        record = _parse(data, name, offset)
        if record.record_type != WarcRecordType.response:
            raise ArchiveError(name, offset, "the record there is not a response")
        return _page(record, data, Location(file=name, offset=offset))

    def pages(self, on_error: Callable[[ArchiveError], None] | None = None) -> Iterator[tuple[Page, Sighting | None]]:
        """All pages with the sightings that led to them, file after file in the order of names (which is that of
        time), in the order of writing.

        A record that is damaged or cut short is told to ``on_error`` (without one, raised) and passed over.
        """
        tell = on_error if on_error is not None else _raise
        try:
            names = sorted(entry.name for entry in os.scandir(self._folder) if entry.name.endswith(SUFFIX))
        except FileNotFoundError:
            return
        except OSError as error:
            tell(ArchiveError(str(self._folder), None, f"cannot be read: {error.strerror or error}"))
            return
        for name in names:
            yield from self._pages_of(name, tell)

    def _pages_of(self, name: str, tell: Callable[[ArchiveError], None]) -> Iterator[tuple[Page, Sighting | None]]:
        waiting: tuple[Page, str] | None = None
        """A page whose sighting may be the next record, and its record id."""
        for record, data, offset in self._records(name, tell):
            try:
                if record.record_type == WarcRecordType.response:
                    page = _page(record, data, Location(file=name, offset=offset))
                    if waiting is not None:
                        yield waiting[0], None
                    waiting = page, _id(record)
                elif waiting is not None and record.headers.get("WARC-Concurrent-To") == f"<{waiting[1]}>":
                    sighting = _sighting(record, name, offset)
                    yield waiting[0], sighting
                    waiting = None
            except ArchiveError as error:
                tell(error)
        if waiting is not None:
            yield waiting[0], None

    def _records(self, name: str, tell: Callable[[ArchiveError], None]) -> Iterator[tuple[WarcRecord, bytes, int]]:
        try:
            with open(self._folder / name, "rb", buffering=0) as file:
                offset, end = 0, os.fstat(file.fileno()).st_size
                while offset < end:
                    try:
                        data, size = _read_member(file, offset)
                        record = _parse(data, name, offset)
                    except (_DamageError, ArchiveError) as error:
                        tell(error if isinstance(error, ArchiveError) else ArchiveError(name, offset, str(error)))
                        offset = _next_member(file, offset + 1, end)
                        continue
                    yield record, data, offset
                    offset += size
        except OSError as error:
            tell(ArchiveError(name, None, f"cannot be read: {error.strerror or error}"))


class _DamageError(Exception):
    """A gzip member that cannot be had whole. Says why."""


def _raise(error: ArchiveError) -> None:
    raise error


def _sync_folder(folder: Path) -> None:
    """Make the new file's name survive a power cut, where folders can be synced (some network mounts cannot)."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


# Records


def _record(kind: WarcRecordType, when: datetime) -> WarcRecord:
    record = WarcRecord()
    record.init_headers(kind)
    record.headers.status_line = "WARC/1.1"
    date = when.astimezone(UTC).isoformat(timespec="microseconds")  # strftime drops the noughts of early years
    record.headers["WARC-Date"] = date.replace("+00:00", "Z")
    return record


def _id(record: WarcRecord) -> str:
    return (record.headers.get("WARC-Record-ID") or "").strip("<>")


def _warcinfo(name: str, now: datetime) -> bytes:
    record = _record(WarcRecordType.warcinfo, now)
    record.headers["WARC-Filename"] = name
    record.headers["Content-Type"] = "application/warc-fields"
    fields = (
        f"software: wirewatch/{__version__}\r\n"
        "format: WARC File Format 1.1\r\n"
        "conformsTo: http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/\r\n"
    )
    return _member(record, fields.encode())


def _response(page: Page) -> tuple[WarcRecord, bytes]:
    """The record of a page, and the head of its content, which is the answer's own; the body follows it."""
    record = _record(WarcRecordType.response, page.fetched)
    record.headers["WARC-Target-URI"] = _uri(page.url)
    record.headers["Content-Type"] = "application/http; msgtype=response"
    record.headers["Wirewatch-Final-URI"] = _uri(page.final_url)
    if page.moved_to is not None:
        record.headers["Wirewatch-Moved-To"] = _uri(page.moved_to)
    try:
        phrase = HTTPStatus(page.status).phrase
    except ValueError:
        phrase = ""
    lines = [f"HTTP/1.1 {page.status} {phrase}"]
    for name, value in page.headers:
        lower = name.lower()
        if lower in _RENAMED or lower.startswith(_PREFIX.lower()):
            name = _PREFIX + name
        lines.append(f"{name}: {_LINE_ENDS.sub(' ', value)}")
    lines.append(f"Content-Length: {len(page.body)}")
    return record, "\r\n".join(lines).encode("utf-8", "surrogateescape") + _END


def _metadata(page: Page, sighting: Sighting, concurrent_to: str) -> bytes:
    record = _record(WarcRecordType.metadata, page.fetched)
    record.headers["WARC-Target-URI"] = _uri(page.url)
    record.headers["WARC-Concurrent-To"] = f"<{concurrent_to}>"
    record.headers["Content-Type"] = "application/json"
    return _member(record, to_json(sighting))


def _uri(url: str) -> str:
    """A URL that fits on one header line: blanks, controls and lone surrogates percent-encoded, all else as it is."""
    return _UNFIT.sub(lambda match: "".join(f"%{byte:02X}" for byte in match[0].encode("utf-8", "surrogatepass")), url)


def _member(record: WarcRecord, *content: bytes) -> bytes:
    """A record with its content as one gzip member, the same bytes for the same record (gzip's time field is 0).

    The content is packed from where it lies: put into the record, a page would be copied four times on its way, a
    fifth of the time to pack it (2026-11-26).
    """
    record.headers["Content-Length"] = str(sum(map(len, content)))
    head = io.BytesIO()
    record.headers.write(head)
    packer = isal_zlib.compressobj(LEVEL, wbits=_GZIP)
    packed = [packer.compress(part) for part in (head.getvalue(), *content, _END)]
    return b"".join([*packed, packer.flush()])


def _read_member(file: BinaryIO, offset: int) -> tuple[bytes, int]:
    """The gzip member at ``offset``, decompressed, and its length in the file."""
    file.seek(offset)
    decoder = isal_zlib.decompressobj(_GZIP)
    pieces: list[bytes] = []
    taken = made = 0
    while not decoder.eof:
        data = file.read(_CHUNK)
        if not data:
            raise _DamageError("the record is cut short" if taken else "there is no record, the file ends before")
        taken += len(data)
        try:
            pieces.append(decoder.decompress(data))
        except UnpackError as error:
            raise _DamageError(f"the record is damaged: {error}") from error
        made += len(pieces[-1])
        if made > _MAX_RECORD:
            raise _DamageError("the record is damaged: it has no end")
    return b"".join(pieces), taken - len(decoder.unused_data)


def _next_member(file: BinaryIO, offset: int, end: int) -> int:
    """Where, from ``offset`` on, the next gzip member that opens like a WARC record begins; ``end`` if none does."""
    while offset < end:
        file.seek(offset)
        data = file.read(_CHUNK)
        if len(data) < len(_MAGIC):
            return end
        found = data.find(_MAGIC)
        while found >= 0:
            file.seek(offset + found)
            try:
                if isal_zlib.decompressobj(_GZIP).decompress(file.read(512), 5) == b"WARC/":
                    return offset + found
            except UnpackError:
                pass
            found = data.find(_MAGIC, found + 1)
        offset += len(data) - len(_MAGIC) + 1
    return end


def _parse(data: bytes, name: str, offset: int) -> WarcRecord:
    try:
        return WarcRecord.from_bytes(data)
    except Exception as error:  # fastwarc documents no type for bytes that are no record
        raise ArchiveError(name, offset, f"not a WARC record: {error}") from error


def _page(record: WarcRecord, data: bytes, location: Location) -> Page:
    """The page of a response; its body is taken from the record's bytes, without a copy of all of them before."""
    headers = record.headers
    try:
        url = headers["WARC-Target-URI"]
        fetched = datetime.fromisoformat(headers["WARC-Date"])
        begin = data.index(_END) + len(_END)
        end = begin + record.content_length
        middle = data.find(_END, begin, end)
        if middle < 0:
            middle = end
        status_line, *lines = data[begin:middle].split(b"\r\n")
        status = int(status_line.split(b" ", 2)[1])
    except (KeyError, ValueError, IndexError) as error:
        raise ArchiveError(location.file, location.offset, f"not a response: {error!r}") from error
    http: list[tuple[str, str]] = []
    for line in lines:
        key, _, value = line.decode("utf-8", "surrogateescape").partition(":")
        if key.startswith(_PREFIX):
            key = key[len(_PREFIX) :]
        elif key == "Content-Length":
            continue  # ours; the wire's own has the prefix
        http.append((key, value.strip(" \t")))
    return Page(
        url=url,
        final_url=headers.get("Wirewatch-Final-URI") or url,
        status=status,
        headers=tuple(http),
        body=data[middle + len(_END) : end],
        fetched=fetched,
        location=location,
        moved_to=headers.get("Wirewatch-Moved-To"),
    )


def _sighting(record: WarcRecord, name: str, offset: int) -> Sighting:
    try:
        return from_json(record.reader.read(), Sighting)
    except msgspec.MsgspecError as error:
        raise ArchiveError(name, offset, f"the sighting cannot be read: {error}") from error
