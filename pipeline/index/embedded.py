"""The embedded index: tantivy, in a folder that any number of processes share.

Layout: ``schema.json`` (version stamp), ``lock`` (held by the one that writes), ``pending.jsonl`` (a batch on its way
in), ``articles/`` and ``claims/`` (a tantivy index each).

A batch is first written whole to ``pending.jsonl``; then the claims are committed, then the articles, then the file
goes. Whoever next takes the lock finishes a batch that a killed process left, so that articles and claims never part
for long and a batch is never half there. Doing it twice changes nothing. A commit of tantivy's is one atomic rename of
its ``meta.json``; a kill before it leaves the last commit. Readers compare ``meta.json`` with the one they opened,
before each search, and reload. tantivy's own lock files are held by ``flock`` and so go with their process.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import functools
import json
import os
import re
import shutil
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import structlog
import tantivy
from tantivy import Filter, Occur, Order, Query, TextAnalyzerBuilder, Tokenizer

from pipeline.errors import IndexDamagedError, IndexUnavailableError, RequestError, WirewatchError
from pipeline.index import analysis
from pipeline.index.base import Interval, Kind, SearchRequest, SearchResult, Sort
from pipeline.index.embedded_query import PRESENT, Compiler, clamp
from pipeline.index.fields import (
    COLLAPSED,
    FIELDS,
    SCHEMA_VERSION,
    Field,
    Type,
    Value,
    article_values,
    claim_record,
    claim_values,
    scrub_document,
    strings,
)
from pipeline.index.highlight import highlighter
from pipeline.index.query import parse
from pipeline.index.request import FULL_ID, check_request, collapsed_page, cursor_mark, cursor_place
from pipeline.records import Document, Hit, digest, from_json, to_json

ORDER, TIE, RECORD = "_order", "_tie", "_record"
HEAP = 32_000_000
"""Bytes that tantivy's writer may fill before it spills a segment: a batch of some thousand articles."""
LOCK_TIMEOUT = 300.0
"""Seconds to wait for another process's batch; its merges can take a minute on a large index."""
SHORT, LONGEST = 500, 20_000
"""Characters of a line, and of a text whose terms are remembered: longer ones fill memory."""
TIE_REACH = 1_000
"""Hits looked at behind a page for equal scores, so that ties are in order of id whatever the segments."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Part:
    """One of the two tantivy indices as this process has it open."""

    kind: Kind
    folder: Path
    index: tantivy.Index
    compiler: Compiler
    seen: tuple[int, int, int] = (0, 0, 0)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def searcher(self) -> tantivy.Searcher:
        """A view of the last commit, whoever made it."""
        with self.lock:
            status = os.stat(self.folder / "meta.json")
            now = (status.st_ino, status.st_mtime_ns, status.st_size)
            if now != self.seen:
                self.index.reload()
                self.seen = now
            return self.index.searcher()


@dataclass(frozen=True, slots=True)
class _Entry:
    """A document made ready: its JSON, and what the two indices get."""

    id: str
    version: int
    line: bytes
    article: tantivy.Document
    claims: tuple[tantivy.Document, ...]


class EmbeddedIndex:
    """The tantivy adapter of ``pipeline.index.base.Index``, whose contract it keeps."""

    def __init__(self, folder: Path) -> None:
        """Open the index in this folder, or make one. Raises IndexDamagedError or IndexUnavailableError."""
        self.folder = folder
        self._stamp: tuple[int, int] = (0, 0)
        self._parts: dict[Kind, _Part] = {}
        self._opening = threading.RLock()
        with self._errors():
            self._open()

    # -- writing

    def upsert(self, documents: Sequence[Document]) -> None:
        batch: dict[str, Document] = {}
        for document in documents:
            known = batch.get(document.article.id)
            if known is None or known.article.version <= document.article.version:
                batch[document.article.id] = document
        # Made ready before the lock is taken, and before any error could be mistaken for the index's own.
        entries = [_entry(document) for document in batch.values()]
        if not entries:
            return
        with self._errors(), self._locked():
            versions = self._versions(batch)
            fresh = [entry for entry in entries if versions.get(entry.id, entry.version) <= entry.version]
            if fresh:
                self._journal(fresh)
                self._write(fresh, ())

    def delete(self, ids: Iterable[str]) -> None:
        gone = tuple(dict.fromkeys(analysis.scrub(id_) for id_ in ids))
        if gone:
            with self._errors(), self._locked():
                self._write((), gone)

    def clear(self) -> None:
        with self._errors(), self._locked():
            for kind in (Kind.CLAIMS, Kind.ARTICLES):
                writer = self._writer(kind)
                writer.delete_all_documents()
                writer.commit()
                writer.wait_merging_threads()

    def _journal(self, entries: Sequence[_Entry]) -> None:
        draft = self.folder / "pending.draft"
        try:
            with draft.open("wb") as file:
                for entry in entries:
                    file.write(entry.line + b"\n")
                file.flush()
                os.fsync(file.fileno())
            draft.rename(self._pending)
        except OSError:
            draft.unlink(missing_ok=True)
            raise
        _sync(self.folder)

    @property
    def _pending(self) -> Path:
        return self.folder / "pending.jsonl"

    def _finish_pending(self) -> None:
        """Finish the batch of a process that was killed. Called with the lock held."""
        try:
            lines = self._pending.read_bytes().splitlines()
        except FileNotFoundError:
            return
        try:
            entries = [_entry(from_json(line, Document)) for line in lines]
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            # Its upsert never returned, so whoever made it will make it again.
            log.warning("a batch left behind cannot be read and is dropped", index=str(self.folder), error=str(error))
            self._pending.unlink()
            return
        self._write(entries, ())

    def _write(self, entries: Sequence[_Entry], gone: Sequence[str]) -> None:
        """Put in and take out, claims first, and clear the journal. Called with the lock held."""
        ids = [*(entry.id for entry in entries), *gone]
        committed = False
        writers: dict[Kind, tantivy.IndexWriter] = {}
        try:
            if any(entry.claims for entry in entries) or self._count(Kind.CLAIMS, "article", ids):
                writer = writers[Kind.CLAIMS] = self._writer(Kind.CLAIMS)
                for id_ in ids:
                    writer.delete_documents_by_term("article", analysis.fold(id_))
                for entry in entries:
                    for claim in entry.claims:
                        writer.add_document(claim)
            writer = writers[Kind.ARTICLES] = self._writer(Kind.ARTICLES)
            for id_ in ids:
                writer.delete_documents_by_term("id", analysis.fold(id_))
            for entry in entries:
                writer.add_document(entry.article)
            for writer in writers.values():  # claims first: dictionaries keep their order
                writer.commit()
                committed = True
            for writer in writers.values():
                writer.wait_merging_threads()
        except BaseException:
            if not committed:
                # Nothing of the batch is in: it must not come back from the journal after its caller saw it fail.
                with contextlib.suppress(OSError):
                    self._pending.unlink(missing_ok=True)
            raise
        self._pending.unlink(missing_ok=True)

    def _writer(self, kind: Kind) -> tantivy.IndexWriter:
        """A writer, with what a killed one left swept away. Called with the lock held.

        A writer that is killed before its commit leaves files that no commit names; the next writer would give a file
        of deletions the same name, and tantivy does not write over files.
        """
        writer = self._parts[kind].index.writer(HEAP, 1)
        writer.garbage_collect_files()
        return writer

    def _versions(self, ids: Iterable[str]) -> dict[str, int]:
        part = self._parts[Kind.ARTICLES]
        wanted = list(ids)
        searcher = part.searcher()
        query = Query.term_set_query(part.index.schema, "id", [analysis.fold(id_) for id_ in wanted])
        found = [address for _, address in searcher.search(query, len(wanted), count=False).hits]
        numbers = searcher.fast_field_values("version", found)
        return {_id(searcher, address): int(number or 0) for address, number in zip(found, numbers, strict=True)}

    def _count(self, kind: Kind, name: str, ids: Sequence[str]) -> int:
        part = self._parts[kind]
        query = Query.term_set_query(part.index.schema, name, [analysis.fold(id_) for id_ in ids])
        return _total(part.searcher().search(query, 1))

    # -- reading

    def get(self, article_id: str) -> Document | None:
        article_id = analysis.scrub(article_id)
        if not article_id:
            return None
        with self._errors():
            part = self._part(Kind.ARTICLES)
            query = Query.term_query(part.index.schema, "id", analysis.fold(article_id))
            searcher = part.searcher()
            hits = searcher.search(query, 1).hits
            if hits:
                return from_json(_record(searcher, hits[0][1]), Document)
        if 6 <= len(article_id) < FULL_ID:
            found = self.find(article_id, 2)
            if len(found) == 1:
                return self.get(found[0])
        return None

    def find(self, prefix: str, limit: int = 10) -> tuple[str, ...]:
        if not re.fullmatch(r"[0-9A-Za-z_-]+", prefix):
            return ()
        with self._errors():
            part = self._part(Kind.ARTICLES)
            pattern = re.escape(analysis.fold(prefix)) + ".*"
            query = Query.regex_query(part.index.schema, "id", pattern)
            searcher = part.searcher()
            total = _total(searcher.search(query, 1))
            hits = searcher.search(query, max(1, total)).hits
            return tuple(sorted(_id(searcher, address) for _, address in hits)[:limit])

    def count(self, kind: Kind) -> int:
        with self._errors():
            return int(self._part(kind).searcher().num_docs)

    def ids(self) -> Iterator[str]:
        with self._errors():
            part = self._part(Kind.ARTICLES)
            found = part.searcher().terms_with_prefix("id", "", Query.all_query())
        yield from sorted(id_ for id_, number in found if number)

    def search(self, request: SearchRequest) -> SearchResult:
        parsed = parse(request.query, request.kind, now=request.now)
        check_request(request)
        with self._errors():
            part = self._part(request.kind)
            searcher = part.searcher()
            fields = FIELDS[request.kind]
            try:
                query = part.compiler.compile(parsed)
            except ValueError as error:
                raise RequestError(request.query, "query", f"the query is too dear to run: {error}") from error
            filters = []
            if request.since or request.until:
                filters.append(part.compiler.span(fields["time"], request.since, request.until))
            if request.sources:
                filters.append(part.compiler.any_of(fields["source.keyword"], [*map(analysis.scrub, request.sources)]))
            if filters:
                query = Query.boolean_query(
                    [
                        (Occur.Must, query),
                        *((Occur.Must, Query.boost_query(wanted, 0.0)) for wanted in filters),
                    ]
                )

            by_score = request.sort is Sort.SCORE and parsed.scores

            def ordered(asked: SearchRequest) -> tuple[int, Page, str | None]:
                if by_score:
                    return _by_score(searcher, query, asked)
                return _by_time(searcher, query, asked, part.compiler, fields["time"])

            if request.collapse:
                word = "score" if by_score else "time"
                total, page, cursor, groups = _collapsed(searcher, request, word, ordered)
                folded = _folded(searcher, part, query, request.kind, groups)
            else:
                total, page, cursor = ordered(request)
                folded = [0] * len(page)
            mark = highlighter(parsed) if request.highlight else None
            hits = []
            for (score, address), others in zip(page, folded, strict=True):
                record = msgspec.json.decode(_record(searcher, address))
                texts = record if request.kind is Kind.CLAIMS else record["article"]
                id_ = record["id"] if request.kind is Kind.CLAIMS else texts["id"]
                hits.append(
                    Hit(id=id_, score=score, record=record, highlights=mark(texts) if mark else {}, folded=others)
                )
            return SearchResult(
                total=total,
                hits=tuple(hits),
                facets=_facets(searcher, query, request),
                histogram=_histogram(searcher, query, request),
                next_cursor=cursor,
                hints=parsed.hints,
            )

    def check(self) -> list[str]:
        problems: list[str] = []
        expected: dict[str, tuple[int, int]] = {}
        with self._errors(), self._locked():
            for kind in Kind:
                problems += _damaged_files(self.folder / kind.value)
            for kind in Kind:
                searcher = self._parts[kind].searcher()
                stored = 0
                for address in _addresses(searcher):
                    try:
                        line = _record(searcher, address)
                        if kind is Kind.ARTICLES:
                            document = from_json(line, Document)
                            id_ = document.article.id
                            if id_ in expected:
                                problems.append(f"article {id_} is there twice")
                            expected[id_] = (document.article.version, len(document.enriched.claims))
                        else:
                            record = msgspec.json.decode(line)
                            id_, version = record["article"], record["version"]
                            known = expected.get(id_)
                            if known is None or known[0] != version:
                                problems.append(
                                    f"claim {record['id']} belongs to no version of article {id_} that is there"
                                )
                            else:
                                expected[id_] = (version, known[1] - 1)
                        stored += 1
                    except (ValueError, KeyError, msgspec.ValidationError) as error:
                        problems.append(f"a record in {kind.value} cannot be read: {error}")
                if stored != searcher.num_docs:
                    problems.append(f"{kind.value} should hold {searcher.num_docs} records, and {stored} can be read")
        problems += [
            f"article {id_} lacks {lacking} of its claims" for id_, (_, lacking) in expected.items() if lacking > 0
        ]
        problems += [
            f"article {id_} has {-lacking} claims too many" for id_, (_, lacking) in expected.items() if lacking < 0
        ]
        return problems

    def close(self) -> None:
        self._parts.clear()

    # -- the folder

    def _part(self, kind: Kind) -> _Part:
        """An open index, opened anew where another process has replaced the folder's content."""
        with self._opening:
            if _stamp_of(self.folder) != self._stamp:
                self._open()
            return self._parts[kind]

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the folder's lock, with the last holder's work finished."""
        with _lock(self.folder):
            self._part(Kind.ARTICLES)
            self._finish_pending()
            yield

    def _open(self) -> None:
        stamp = self.folder / "schema.json"
        if not stamp.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            with _lock(self.folder):
                if not stamp.exists():
                    self._make()
        version: Any = None
        with contextlib.suppress(ValueError, AttributeError):
            version = json.loads(stamp.read_text("utf-8")).get("schema")
        if version != SCHEMA_VERSION:
            raise IndexDamagedError(
                str(self.folder), f"it was made with schema version {version}, and this is version {SCHEMA_VERSION}"
            )
        seen = _stamp_of(self.folder)
        self._parts = {kind: _open_part(kind, self.folder / kind.value) for kind in Kind}
        self._stamp = seen

    def _make(self) -> None:
        """Lay out an empty index. Called with the lock held."""
        for kind in Kind:
            folder = self.folder / kind.value
            meta = folder / "meta.json"
            if meta.exists() and json.loads(meta.read_text("utf-8")).get("segments"):
                raise IndexDamagedError(str(self.folder), "its schema.json is missing")
            if folder.exists():
                shutil.rmtree(folder)  # an earlier start that was killed half-way: nothing is in it
            folder.mkdir()
            tantivy.Index(_schema(kind), str(folder), reuse=False)
        draft = self.folder / "schema.draft"
        with draft.open("w", encoding="utf-8") as file:
            json.dump({"schema": SCHEMA_VERSION, "made": datetime.now(UTC).isoformat()}, file)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(self.folder / "schema.json")
        _sync(self.folder)

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        """tantivy's errors as ours."""
        try:
            yield
        except WirewatchError:
            raise
        except OSError as error:
            raise self._error(error, error.errno) from error
        except ValueError as error:
            raise self._error(error, None) from error
        except BaseException as error:  # tantivy's panics are not Exceptions
            if type(error).__name__ != "PanicException":
                raise
            raise self._error(error, None) from error

    def _error(self, error: BaseException, number: int | None) -> WirewatchError:
        text = str(error)
        code = re.search(r"os error (\d+)|code: (\d+)", text)
        if code:
            number = int(code.group(1) or code.group(2))
        if number in _PASSING or "index writer was killed" in text or "LockFailure" in text or "LockBusy" in text:
            return IndexUnavailableError(str(self.folder), _PASSING.get(number or 0, text))
        return IndexDamagedError(str(self.folder), text if len(text) <= 200 else text[:200] + "…")


_PASSING = {
    errno.ENOSPC: "no space is left on the disk",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "a file has grown larger than is allowed",
    errno.EROFS: "the folder is read-only",
    errno.EACCES: "the folder may not be read or written by this user",
    errno.EPERM: "the folder may not be read or written by this user",
    errno.EMFILE: "too many files are open",
    errno.ENFILE: "too many files are open",
    errno.ENOMEM: "memory is used up",
    errno.EIO: "the disk does not answer",
}
"""What passes or can be mended without rebuilding."""


def discard(folder: Path) -> None:
    """Remove an index, in whatever state it is; opening it then makes an empty one.

    Raises IndexUnavailableError where the folder cannot be written.
    """
    try:
        if not folder.exists():
            return
        with _lock(folder):
            for name in ("pending.jsonl", "schema.json"):
                (folder / name).unlink(missing_ok=True)
            for kind in Kind:
                if (folder / kind.value).exists():
                    shutil.rmtree(folder / kind.value)
    except OSError as error:
        raise IndexUnavailableError(str(folder), f"it cannot be removed: {error.strerror or error}") from error


@contextlib.contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """Hold ``folder/lock``, which goes with the process. Waits for others."""
    with (folder / "lock").open("a") as file:
        deadline = time.monotonic() + LOCK_TIMEOUT
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    reason = f"another process has been writing for over {LOCK_TIMEOUT:.0f} s"
                    raise IndexUnavailableError(str(folder), reason) from None
                time.sleep(0.005)
        yield


def _sync(folder: Path) -> None:
    """Make renames in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _stamp_of(folder: Path) -> tuple[int, int]:
    try:
        status = os.stat(folder / "schema.json")
    except FileNotFoundError:
        return (0, 0)
    return status.st_ino, status.st_mtime_ns


def _schema(kind: Kind) -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    for known in FIELDS[kind].values():
        match known.type:
            case Type.TEXT | Type.NAME:
                builder.add_text_field(known.name, tokenizer_name="whitespace")
            case Type.KEYWORD | Type.BOOLEAN:
                builder.add_text_field(known.name, tokenizer_name="folded", index_option="basic", fast=True)
            case Type.DATE:
                builder.add_date_field(known.name, indexed=True, fast=True)
            case Type.INTEGER:
                builder.add_integer_field(known.name, indexed=True, fast=True)
    builder.add_text_field(PRESENT, tokenizer_name="raw", index_option="basic")
    builder.add_text_field(ORDER, tokenizer_name="raw", index_option="basic", fast=True)
    builder.add_integer_field(TIE, fast=True)
    builder.add_bytes_field(RECORD, stored=True, indexed=False)
    return builder.build()


def _open_part(kind: Kind, folder: Path) -> _Part:
    index = tantivy.Index.open(str(folder))
    raw = Tokenizer.raw()
    folded = TextAnalyzerBuilder(raw).filter(Filter.lowercase()).filter(Filter.ascii_fold()).build()
    index.register_tokenizer("folded", folded)
    index.register_fast_field_tokenizer("folded", TextAnalyzerBuilder(raw).build())  # facets are as written
    index.config_reader("manual")
    return _Part(kind, folder, index, Compiler(index.schema, kind))


def _entry(document: Document) -> _Entry:
    """Make a document ready. Half a surrogate pair, which no encoding has room for, becomes U+FFFD."""
    try:
        line = to_json(document)
    except UnicodeEncodeError:
        document = scrub_document(document)
        line = to_json(document)
    return _Entry(
        document.article.id,
        document.article.version,
        line,
        _tantivy_document(Kind.ARTICLES, article_values(document), line),
        tuple(
            _tantivy_document(Kind.CLAIMS, values, to_json(claim_record(document, values)))
            for values in claim_values(document)
        ),
    )


def _tantivy_document(kind: Kind, values: dict[str, Value], record: bytes) -> tantivy.Document:
    document = tantivy.Document()
    for name, value in values.items():
        known = FIELDS[kind][name]
        document.add_text(PRESENT, name)
        match known.type:
            case Type.TEXT:
                text = str(value)
                stemmed, exact = _in_terms(text)
                document.add_text(name, stemmed)
                document.add_text(f"{name}.exact", exact)
            case Type.NAME:
                for text in strings(value):
                    document.add_text(name, _in_terms(text)[1])
                    document.add_text(f"{name}.keyword", text)
            case Type.KEYWORD:
                for text in strings(value):
                    document.add_text(name, text)
            case Type.BOOLEAN:
                document.add_text(name, "true" if value else "false")
            case Type.DATE:
                assert isinstance(value, datetime)
                document.add_date(name, clamp(value))
            case Type.INTEGER:
                for number in value if isinstance(value, list) else [value]:
                    assert isinstance(number, int)
                    document.add_integer(name, number)
    document.add_text(ORDER, _order_key(values))
    document.add_integer(TIE, _tie(values))
    document.add_bytes(RECORD, record)
    return document


# A story that grows has its articles written again soon after, outlets carry each other's texts, and each claim has the
# names and the title of its article: where a text was put into terms before, a document is made ready in less than half
# the time (2026-11-26).


def _in_terms(text: str) -> tuple[str, str]:
    """A running text or a name as it is indexed: its terms with stemming and without, blanks between."""
    if len(text) > LONGEST:
        return _put_in_terms(text)
    return _body_in_terms(text) if len(text) > SHORT else _line_in_terms(text)


def _put_in_terms(text: str) -> tuple[str, str]:
    forms = analysis.forms(text)
    return " ".join(forms.stem), " ".join(forms.exact)


_body_in_terms = functools.lru_cache(maxsize=500)(_put_in_terms)  # 11 MB with bodies of news
_line_in_terms = functools.lru_cache(maxsize=20_000)(_put_in_terms)  # 8 MB with titles, names and claims


def _order_key(values: dict[str, Value]) -> str:
    moment = values["time"]
    assert isinstance(moment, datetime)
    tie = f"{values['article']}-{values['n']:06d}" if "article" in values else str(values["id"])
    return f"{moment.replace(tzinfo=None).isoformat(timespec='seconds')} {tie}"


def _tie(values: dict[str, Value]) -> int:
    """A number in the order of an article's id, or of a claim's article and number: 48 bits of the id and 15 of the
    number, enough to tell those of one score apart."""
    id_ = str(values.get("article") or values["id"])
    n = values.get("n", 0)
    if not re.fullmatch(r"[0-9a-f]{12,}", id_):
        id_ = digest(id_)
    assert isinstance(n, int)
    return (int(id_[:12], 16) << 15) + min(n, 0x7FFF)


def _record(searcher: tantivy.Searcher, address: tantivy.DocAddress) -> bytes:
    stored = searcher.doc(address).get_first(RECORD)
    if stored is None:
        raise ValueError("a record is missing from the store")
    return bytes(stored)


def _total(found: tantivy.SearchResult) -> int:
    return int(found.count)  # type: ignore[attr-defined]  # tantivy's stub leaves it out


class _Article(msgspec.Struct):
    id: str


class _Identity(msgspec.Struct):
    article: _Article


class _Place(msgspec.Struct):
    story: str | None = None


class _Placed(msgspec.Struct):
    placement: _Place


class _Asserted(msgspec.Struct):
    assertion: str | None = None


def _id(searcher: tantivy.Searcher, address: tantivy.DocAddress) -> str:
    """The id of an article; the rest of its record is not decoded."""
    return msgspec.json.decode(_record(searcher, address), type=_Identity).article.id


def _addresses(searcher: tantivy.Searcher) -> Iterator[tantivy.DocAddress]:
    number = searcher.num_docs
    if number:
        for _, address in searcher.search(Query.all_query(), number, count=False).hits:
            yield address


def _damaged_files(folder: Path) -> list[str]:
    """Segment files that do not match the checksum in their footer. tantivy writes it and leaves reading it to us: a
    flipped bit in a list of postings would give wrong hits without a word."""
    segments = json.loads((folder / "meta.json").read_text("utf-8")).get("segments", [])
    problems = []
    for segment in segments:
        name = segment["segment_id"].replace("-", "")
        for file in sorted(folder.glob(f"{name}.*")):
            data = file.read_bytes()
            try:
                size, _ = struct.unpack("<II", data[-8:])
                wanted = json.loads(data[-8 - size : -8])["crc"]
            except (struct.error, ValueError, KeyError):
                problems.append(f"{folder.name}/{file.name} has no readable footer")
                continue
            if zlib.crc32(memoryview(data)[: -8 - size]) != wanted:
                problems.append(f"{folder.name}/{file.name} does not match its checksum")
    return problems


Page = list[tuple[float, tantivy.DocAddress]]
Ordered = Callable[[SearchRequest], tuple[int, Page, str | None]]


def _by_score(searcher: tantivy.Searcher, query: Query, request: SearchRequest) -> tuple[int, Page, str | None]:
    offset = request.offset
    if request.after:
        offset = int(cursor_place(request, "score", r"(\d{1,12})").group(1))
    end = offset + request.limit
    # tantivy makes room for all that it is asked for, so never ask for more than there can be.
    found = searcher.search(query, max(1, min(end + TIE_REACH, searcher.num_docs)))
    total, hits = _total(found), found.hits
    page = hits[offset:end]
    if page:
        first = next(at for at, (score, _) in enumerate(hits) if score == page[0][0])
        last = end
        while last < len(hits) and hits[last][0] == page[-1][0]:
            last += 1
        ties = searcher.fast_field_values(TIE, [address for _, address in hits[first:last]])
        around = sorted(zip(hits[first:last], ties, strict=True), key=lambda pair: (-pair[0][0], pair[1]))
        page = [hit for hit, _ in around[offset - first : end - first]]
    return total, page, f"score:{cursor_mark(request)}:{end}" if request.limit and total > end else None


def _by_time(
    searcher: tantivy.Searcher, query: Query, request: SearchRequest, compiler: Compiler, time_field: Field
) -> tuple[int, Page, str | None]:
    order = Order.Asc if request.sort is Sort.OLDEST else Order.Desc
    if not request.after:
        if request.offset >= searcher.num_docs:
            return _total(searcher.search(query, 1)), [], None
        found = searcher.search(query, request.limit + 1, order_by_field=ORDER, offset=request.offset, order=order)
        total, hits = _total(found), found.hits
    else:
        match = cursor_place(request, "time", r"((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d) .+)")
        try:
            key, moment = match.group(1), datetime.fromisoformat(match.group(2)).replace(tzinfo=UTC)
        except ValueError:
            raise RequestError(request.query, "after", "this is no cursor that a search gave") from None
        moment = clamp(moment)
        beyond = moment + timedelta(seconds=1)
        total = _total(searcher.search(query, 1))

        def within(low: datetime | None, high: datetime | None) -> Query:
            span = compiler.span(time_field, low, high)
            return Query.boolean_query([(Occur.Must, query), (Occur.Must, span)])

        ties = _total(searcher.search(within(moment, beyond), 1))
        rest = within(moment, None) if order == Order.Asc else within(None, beyond)
        hits = searcher.search(rest, request.limit + 1 + ties, count=False, order_by_field=ORDER, order=order).hits
        hits = [hit for hit in hits if (hit[0] > key if order == Order.Asc else hit[0] < key)]
    page = hits[: request.limit]
    cursor = f"time:{cursor_mark(request)}:{page[-1][0]}" if page and len(hits) > request.limit else None
    return total, [(0.0, address) for _, address in page], cursor


def _group(searcher: tantivy.Searcher, kind: Kind, address: tantivy.DocAddress) -> str | None:
    """The story of an article, or the assertion of a claim; the rest of its record is not decoded. (tantivy's columns
    of words cannot be read.)"""
    record = _record(searcher, address)
    if kind is Kind.CLAIMS:
        return msgspec.json.decode(record, type=_Asserted).assertion or None
    return msgspec.json.decode(record, type=_Placed).placement.story or None


def _collapsed(
    searcher: tantivy.Searcher, request: SearchRequest, word: str, ordered: Ordered
) -> tuple[int, Page, str | None, list[str | None]]:
    """A page of the first hits of each group, found by going through all hits in order; and their groups."""
    total = 0
    hits: Page = []
    groups: list[str | None] = []

    def look(reach: int) -> Sequence[str | None]:
        nonlocal total, hits
        total, hits, _ = ordered(replace(request, limit=reach, offset=0, after=None))
        groups.extend(_group(searcher, request.kind, address) for _, address in hits[len(groups) :])
        return groups

    shown, cursor = collapsed_page(request, word, look)
    return total, [hits[place] for place in shown], cursor, [groups[place] for place in shown]


def _folded(
    searcher: tantivy.Searcher, part: _Part, query: Query, kind: Kind, groups: Sequence[str | None]
) -> list[int]:
    """How many other hits there are of each of these groups."""
    named = [group for group in groups if group is not None]
    if not named:
        return [0] * len(groups)
    name = COLLAPSED[kind]
    of_page = Query.term_set_query(part.index.schema, name, [analysis.fold(group) for group in named])
    both = Query.boolean_query([(Occur.Must, query), (Occur.Must, of_page)])
    counted = searcher.aggregate(both, {"groups": {"terms": {"field": name, "size": len(named)}}})
    counts = {bucket["key"]: int(bucket["doc_count"]) for bucket in counted["groups"]["buckets"]}
    return [counts.get(group, 1) - 1 for group in groups]


def _facets(searcher: tantivy.Searcher, query: Query, request: SearchRequest) -> dict[str, tuple[tuple[str, int], ...]]:
    if not request.facets:
        return {}
    fields = FIELDS[request.kind]
    # More than asked, because tantivy leaves the order of equal counts open; and enough from each segment for counts to
    # be exact up to 5,000 different values in one (2026-11-23: no slower than its default of ten times the size).
    size = 2 * request.facet_size + 50
    wanted = {
        name: {
            "terms": {
                "field": f"{name}.keyword" if fields[name].type is Type.NAME else name,
                "size": size,
                "segment_size": 5_000,
            }
        }
        for name in request.facets
    }
    counted = _aggregate(searcher, query, wanted, request)
    return {
        name: tuple(
            sorted(
                ((bucket["key"], int(bucket["doc_count"])) for bucket in counted[name]["buckets"]),
                key=lambda pair: (-pair[1], pair[0]),
            )[: request.facet_size]
        )
        for name in request.facets
    }


def _aggregate(
    searcher: tantivy.Searcher, query: Query, wanted: dict[str, Any], request: SearchRequest
) -> dict[str, Any]:
    """Count. Raises QueryError where that would take more buckets or memory than tantivy allows (65,000, 500 MB)."""
    try:
        counted: dict[str, Any] = searcher.aggregate(query, wanted)
    except ValueError as error:
        if "limit was exceeded" not in str(error):
            raise
        reason = "there is too much to count: narrow the times, or count by a longer interval"
        raise RequestError(request.query, "histogram" if "time" in wanted else "facets", reason) from error
    return counted


def _histogram(searcher: tantivy.Searcher, query: Query, request: SearchRequest) -> tuple[tuple[datetime, int], ...]:
    interval = request.histogram
    if interval is None:
        return ()
    # tantivy has no calendar months: days are added up.
    fixed = "1h" if interval is Interval.HOUR else "1d"
    wanted = {"time": {"date_histogram": {"field": "time", "fixed_interval": fixed, "min_doc_count": 1}}}
    counted: dict[datetime, int] = {}
    for bucket in _aggregate(searcher, query, wanted, request)["time"]["buckets"]:
        start = datetime.fromtimestamp(bucket["key"] / 1000, UTC)
        if interval is Interval.MONTH:
            start = start.replace(day=1)
        counted[start] = counted.get(start, 0) + int(bucket["doc_count"])
    return tuple(sorted(counted.items()))
