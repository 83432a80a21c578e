"""The Elasticsearch adapter of the port of the index.

An article is one document in ``wire-articles`` and its claims are documents in ``wire-claims``, under their own ids and
with the article's version as external version number: what is older than what is there is turned away by the server.
All of a batch goes in one stream; then the claims that no longer belong to an article of the batch are sought and taken
out. Each step can be done again, and an upsert that is done again ends where it would have ended: that takes the place
of a transaction, which Elasticsearch has not.
"""

from __future__ import annotations

import contextlib
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import msgspec
from elasticsearch import BadRequestError, Elasticsearch, NotFoundError
from elasticsearch.helpers import streaming_bulk

from pipeline.errors import (
    DocumentsRefusedError,
    IndexUnavailableError,
    RequestError,
)
from pipeline.index import analysis
from pipeline.index.base import Kind, SearchRequest, SearchResult, Sort
from pipeline.index.elastic import connection
from pipeline.index.elastic.compile import any_of, compile_query, span
from pipeline.index.elastic.counts import aggregations, facets_of, histogram_of
from pipeline.index.elastic.documents import WANTED, article_of, article_source, claim_of, claim_sources
from pipeline.index.elastic.mappings import Part, alias, write_alias
from pipeline.index.elastic.pages import WINDOW, CollapsedPage, Page, every
from pipeline.index.fields import FIELDS, SCHEMA_VERSION, scrub_document
from pipeline.index.highlight import highlighter
from pipeline.index.query import parse
from pipeline.index.request import FULL_ID, check_request
from pipeline.records import Document, Hit, from_json

CHUNK_ITEMS, CHUNK_BYTES = 500, 5_000_000
"""Documents and bytes of one request; Elasticsearch's own advice is 5 to 15 MB. Bounds the memory of an upsert."""
MADE_AHEAD = 250
"""Documents made ready while a request is under way."""
BUSY_RETRIES, BUSY_PAUSE, BUSY_LONGEST = 5, 0.25, 4.0
"""Further tries of documents that the server is too busy for (429), and the seconds between: 0.25, 0.5, 1, 2, 4."""
MAX_ID = 512
"""Bytes of an id that Elasticsearch takes."""
SWEPT = 1_000
"""Articles of which stale claims are sought at once."""


class _Action(NamedTuple):
    """A document to put in, or where ``source`` is ``None`` to take out, of this version or an older one."""

    kind: Kind
    id: str
    article: str
    version: int
    source: bytes | None = None


class _Failed(NamedTuple):
    """What the server turned away: the article concerned, the HTTP status, and why."""

    article: str
    status: int
    reason: str


class ElasticIndex:
    """The Elasticsearch adapter of ``pipeline.index.base.Index``, whose contract it keeps with these differences: an
    upsert that fails half-way is finished when it is done again, and a document that the server refuses is reported by
    DocumentsRefusedError when all others are in."""

    def __init__(self, client: Elasticsearch, prefix: str, where: str, names: Mapping[Kind, str] | None = None) -> None:
        """``names`` are indices to use in place of the prefix's aliases: those that are being filled."""
        self.client, self.prefix, self.where = client, prefix, f"{where} ({prefix})"
        self._read = {kind: alias(prefix, Part(kind)) for kind in Kind} | dict(names or {})
        self._write = {kind: write_alias(prefix, Part(kind)) for kind in Kind} | dict(names or {})
        self._behind_alias = names is None

    # -- writing

    def upsert(self, documents: Sequence[Document]) -> None:
        batch: dict[str, Document] = {}
        for document in documents:
            known = batch.get(document.article.id)
            if known is None or known.article.version <= document.article.version:
                batch[document.article.id] = document
        if not batch:
            return
        with connection.errors(self.where):
            self._check_schema()
            fresh = dict(batch)
            refused: dict[str, str] = {}
            for failed in self._stream(_ahead(self._put(batch.values()))):
                if failed.status == 409:
                    fresh.pop(failed.article, None)
                else:
                    refused.setdefault(failed.article, failed.reason)
            if refused:
                self._take_out(refused)
            self._refresh()
            self._sweep(batch, {id_: len(fresh[id_].enriched.claims) for id_ in fresh if id_ not in refused})
        if refused:
            raise DocumentsRefusedError(self.where, refused)

    def delete(self, ids: Iterable[str]) -> None:
        gone = list(dict.fromkeys(analysis.scrub(id_) for id_ in ids))
        if gone:
            with connection.errors(self.where):
                self._refresh()
                self._take_out(gone)
                self._refresh()

    def clear(self) -> None:
        from pipeline.index.elastic.upkeep import Upkeep

        with connection.errors(self.where):
            Upkeep(self.client, self.prefix, self.where).replace_by_empty()

    def put_plain(self, index: str, sources: Iterable[tuple[str, dict[str, Any]]]) -> None:
        """Put sources as they are into an index, by id; for what is no document. Raises IndexUnavailableError."""
        actions = ({"_index": index, "_id": id_, "_source": source} for id_, source in sources)
        for ok, item in streaming_bulk(
            self.client, actions, chunk_size=CHUNK_ITEMS, max_retries=BUSY_RETRIES, raise_on_error=False
        ):
            if not ok:
                ((_, told),) = item.items()
                raise connection.unavailable(self.where, told["status"], connection.cause(told.get("error", {})))

    def _put(self, documents: Iterable[Document]) -> Iterator[_Action]:
        """What puts documents in, each article before its claims."""
        for document in documents:
            try:
                yield from self._put_one(document)
            except UnicodeEncodeError:
                yield from self._put_one(scrub_document(document))

    def _put_one(self, document: Document) -> list[_Action]:
        id_, version = document.article.id, document.article.version
        put = [_Action(Kind.ARTICLES, id_, id_, version, msgspec.json.encode(article_source(document)))]
        for source in claim_sources(document):
            put.append(_Action(Kind.CLAIMS, source["id"], id_, version, msgspec.json.encode(source)))  # noqa: PERF401
        return put

    def _stream(self, actions: Iterable[_Action]) -> Iterator[_Failed]:
        """Send actions in requests of bounded size, and give those that the server turned away.

        Raises IndexUnavailableError where that is the server's fault and not the document's.
        """
        results = streaming_bulk(
            self.client,
            actions,  # type: ignore[arg-type]  # the callback makes of them what it wants
            expand_action_callback=self._expand,  # type: ignore[arg-type]
            chunk_size=CHUNK_ITEMS,
            max_chunk_bytes=CHUNK_BYTES,
            max_retries=BUSY_RETRIES,
            initial_backoff=BUSY_PAUSE,
            max_backoff=BUSY_LONGEST,
            raise_on_error=False,
            yield_ok=False,
            require_alias=self._behind_alias,
            filter_path="errors,items.*.status,items.*.error,items.*._id,items.*._index",
        )
        for _, item in results:
            ((operation, told),) = item.items()
            status, id_ = told["status"], told["_id"]
            if operation == "delete" and status in {404, 409}:
                continue  # gone already, or put in anew by another
            kind, reason = connection.cause(told.get("error", {}))
            if kind == "strict_dynamic_mapping_exception":
                raise IndexUnavailableError(
                    self.where, f"its mapping is not this version's, see `wirewatch index check`: {reason}"
                )
            if status != 409 and (status not in {400, 413} or "alias" in reason):
                raise connection.unavailable(self.where, status, (kind, reason))
            claims = re.fullmatch(r"(.+)-\d+", id_) if not self._is_article(told["_index"]) else None
            yield _Failed(claims.group(1) if claims else id_, status, reason)

    def _is_article(self, index: str) -> bool:
        return index.startswith(f"{self.prefix}-{Part.ARTICLES}")

    def _expand(self, action: _Action) -> tuple[dict[str, Any], bytes | None]:
        operation = "delete" if action.source is None else "index"
        about = {
            "_index": self._write[action.kind],
            "_id": action.id,
            "version": action.version,
            "version_type": "external_gte",
        }
        return {operation: about}, action.source

    def _check_schema(self) -> None:
        """Raise where the index was made with another schema: what is written there would be of two kinds."""
        found = self.client.indices.get_mapping(index=self._write[Kind.ARTICLES], filter_path="*.mappings._meta")
        for name, body in found.items():
            version = body["mappings"]["_meta"].get("wirewatch", {}).get("schema")
            if version != SCHEMA_VERSION:
                reason = (
                    f"{name} was made with schema version {version}, and this is version {SCHEMA_VERSION}: "
                    "`wirewatch index migrate` fills a new one from it, `wirewatch replay` from the archive"
                )
                raise IndexUnavailableError(self.where, reason)

    def _refresh(self) -> None:
        self.client.indices.refresh(index=list(self._write.values()))

    def _take_out(self, ids: Iterable[str]) -> None:
        """Take out articles with the claims that a search finds, each at the version that it has: an external version
        stands for a while after its document is gone."""
        wanted = list(ids)
        for at in range(0, len(wanted), SWEPT):
            some = wanted[at : at + SWEPT]
            gone = [
                _Action(Kind.ARTICLES, hit["_id"], hit["_id"], hit["_version"])
                for hit in self._all(Kind.ARTICLES, {"terms": {"id": some}}, [{"id": "asc"}], source=False)
            ]
            claims = self._all(Kind.CLAIMS, {"terms": {"article": some}}, [{"id": "asc"}], source=False)
            gone += [_Action(Kind.CLAIMS, hit["_id"], "", hit["_version"]) for hit in claims]
            for failed in self._stream(gone):
                raise IndexUnavailableError(self.where, failed.reason)

    def _sweep(self, batch: Mapping[str, Document], counts: Mapping[str, int]) -> None:
        """Take out the claims that an upsert has left of older versions. ``counts`` has how many claims those articles
        have that were put in; what is known of the others is asked of the server."""
        passed_over = [id_ for id_ in batch if id_ not in counts]
        expected = {id_: (batch[id_].article.version, count) for id_, count in counts.items()}
        expected |= self._standing(passed_over)
        ids = list(batch)
        gone: list[_Action] = []
        for at in range(0, len(ids), SWEPT):
            some = ids[at : at + SWEPT]
            counted = self.client.search(
                index=self._read[Kind.CLAIMS],
                query={"terms": {"article": some}},
                aggs={"article": {"terms": {"field": "article", "size": len(some)}}},
                size=0,
                track_total_hits=False,
            )["aggregations"]["article"]["buckets"]
            odd = [bucket["key"] for bucket in counted if bucket["doc_count"] > expected.get(bucket["key"], (0, 0))[1]]
            if odd:
                for hit in self._all(
                    Kind.CLAIMS, {"terms": {"article": odd}}, [{"id": "asc"}], source=["article", "n"]
                ):
                    article, n = hit["_source"]["article"], hit["_source"]["n"]
                    version, count = expected.get(article, (hit["_version"], 0))
                    if hit["_version"] < version or n >= count:
                        gone.append(_Action(Kind.CLAIMS, hit["_id"], article, max(version, hit["_version"])))
        if gone:
            for failed in self._stream(gone):
                raise IndexUnavailableError(self.where, failed.reason)
            self._refresh()

    def _standing(self, ids: list[str]) -> dict[str, tuple[int, int]]:
        """The version and number of claims of articles that are there."""
        if not ids:
            return {}
        found = self.client.mget(index=self._read[Kind.ARTICLES], ids=ids, source_includes=["claims"])
        return {
            each["_id"]: (each["_version"], each["_source"].get("claims", 0)) for each in found["docs"] if each["found"]
        }

    # -- reading

    def get(self, article_id: str) -> Document | None:
        article_id = analysis.scrub(article_id)
        if not article_id:
            return None
        with connection.errors(self.where):
            if len(article_id.encode()) <= MAX_ID:
                try:
                    found = self.client.get(
                        index=self._read[Kind.ARTICLES], id=article_id, source_includes=WANTED[Kind.ARTICLES]
                    )
                except NotFoundError as error:
                    if error.body.get("found") is not False:
                        raise
                else:
                    return from_json(msgspec.json.encode(article_of(found["_source"])), Document)
        if 6 <= len(article_id) < FULL_ID:
            beginning = self.find(article_id, 2)
            if len(beginning) == 1:
                return self.get(beginning[0])
        return None

    def find(self, prefix: str, limit: int = 10) -> tuple[str, ...]:
        if not re.fullmatch(r"[0-9A-Za-z_-]+", prefix):
            return ()
        with connection.errors(self.where):
            hits = self.client.search(
                index=self._read[Kind.ARTICLES],
                query={"prefix": {"id": {"value": analysis.fold(prefix)}}},
                sort=[{"id": "asc"}],
                size=min(limit, WINDOW),
                source=False,
                track_total_hits=False,
            )["hits"]["hits"]
        return tuple(hit["_id"] for hit in hits)

    def count(self, kind: Kind) -> int:
        with connection.errors(self.where):
            return int(self.client.count(index=self._read[kind])["count"])

    def ids(self) -> Iterator[str]:
        with connection.errors(self.where):
            for hit in self._all(Kind.ARTICLES, {"match_all": {}}, [{"id": "asc"}], source=False):
                yield hit["_id"]

    def search(self, request: SearchRequest) -> SearchResult:
        parsed = parse(request.query, request.kind, now=request.now)
        check_request(request)
        fields = FIELDS[request.kind]
        try:
            query = compile_query(parsed)
        except ValueError as error:
            raise RequestError(request.query, "query", str(error)) from error
        filters = []
        if request.since or request.until:
            filters.append(span(fields["time"], request.since, request.until))
        if request.sources:
            filters.append(any_of(fields["source.keyword"], [*map(analysis.scrub, request.sources)]))
        by_score = request.sort is Sort.SCORE and parsed.scores
        whole = {"bool": {"must": [query], "filter": filters}} if filters else query
        made = CollapsedPage if request.collapse else Page
        page = made(self.client, self._read[request.kind], request, whole, by_score=by_score)
        with connection.errors(self.where), _too_dear(request):
            answer = page.ask(aggregations(request))
        mark = highlighter(parsed) if request.highlight else None
        hits = []
        for hit in page.hits:
            record = article_of(hit["_source"]) if request.kind is Kind.ARTICLES else claim_of(hit["_source"])
            texts = record["article"] if request.kind is Kind.ARTICLES else record
            score = float(hit.get("_score") or 0.0)
            hits.append(
                Hit(
                    id=hit["_id"],
                    score=score,
                    record=record,
                    highlights=mark(texts) if mark else {},
                    folded=page.folded.get(hit["_id"], 0),
                )
            )
        return SearchResult(
            total=page.total,
            hits=tuple(hits),
            facets=facets_of(request, answer),
            histogram=histogram_of(request, answer),
            next_cursor=page.cursor,
            hints=parsed.hints,
        )

    def check(self) -> list[str]:
        problems: list[str] = []
        with connection.errors(self.where):
            self._refresh()
            expected: dict[str, tuple[int, int]] = {}
            fields = ["version", "claims", *WANTED[Kind.ARTICLES]]
            for hit in self._all(Kind.ARTICLES, {"match_all": {}}, [{"id": "asc"}], source=fields):
                source = hit["_source"]
                expected[hit["_id"]] = (source["version"], source.get("claims", 0))
                try:
                    from_json(msgspec.json.encode(article_of(source)), Document)
                except (KeyError, TypeError, msgspec.ValidationError) as error:
                    problems.append(f"article {hit['_id']} cannot be read: {error}")
            for hit in self._all(Kind.CLAIMS, {"match_all": {}}, [{"id": "asc"}], source=["article", "version"]):
                id_, version = hit["_source"]["article"], hit["_source"]["version"]
                known = expected.get(id_)
                if known is None or known[0] != version:
                    problems.append(f"claim {hit['_id']} belongs to no version of article {id_} that is there")
                else:
                    expected[id_] = (version, known[1] - 1)
        for id_, (_, lacking) in expected.items():
            if lacking > 0:
                problems.append(f"article {id_} lacks {lacking} of its claims")
            elif lacking < 0:
                problems.append(f"article {id_} has {-lacking} claims too many")
        return problems

    def close(self) -> None:
        if self._behind_alias:
            self.client.close()

    def _all(
        self, kind: Kind, query: dict[str, Any], sort: list[Any], *, source: bool | list[str]
    ) -> Iterator[dict[str, Any]]:
        """All hits of a query, in order, however many, as of one point in time."""
        return every(self.client, self._read[kind], query, sort, source=source)


def _ahead(actions: Iterator[_Action]) -> Iterator[_Action]:
    """The same actions, some of them made ready by a thread of their own while the server is at work on others."""

    def take() -> list[_Action]:
        return list(itertools.islice(actions, MADE_AHEAD))

    with ThreadPoolExecutor(1, thread_name_prefix="elastic-ahead") as thread:
        made = thread.submit(take)
        while ready := made.result():
            made = thread.submit(take)
            yield from ready


@contextlib.contextmanager
def _too_dear(request: SearchRequest) -> Iterator[None]:
    """A search that the server refuses as such, as RequestError."""
    try:
        yield
    except BadRequestError as error:
        kind, reason = connection.cause(error.body)
        if "too_many_buckets" in kind:
            reason = "there is too much to count: narrow the times, or count by a longer interval"
            raise RequestError(request.query, "histogram" if request.histogram else "facets", reason) from None
        raise RequestError(request.query, "query", f"the query is too dear to run: {reason}") from None
