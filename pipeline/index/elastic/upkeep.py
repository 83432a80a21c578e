"""Set-up and change of the indices on an Elasticsearch server: for ``wirewatch index`` and ``replay``.

Searches and writes know aliases only. A new index is filled beside the old one, and takes over both aliases in one
step, so that no search finds nothing and no write goes astray; writers are held off only while the last few documents
follow.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from elasticsearch import Elasticsearch, NotFoundError

from pipeline.errors import IndexUnavailableError
from pipeline.index.base import Index, Kind
from pipeline.index.elastic import connection, mappings, operations
from pipeline.index.elastic.documents import WANTED, article_of
from pipeline.index.elastic.index import ElasticIndex
from pipeline.index.elastic.mappings import PLAIN, Part, alias, index_name, write_alias
from pipeline.index.elastic.pages import every
from pipeline.index.fields import SCHEMA_VERSION
from pipeline.records import Document, from_json

COPIED_AT_ONCE = 500
"""Articles copied between two notes of how far a migration has come."""
FEW = 1_000
"""Documents that may be left to copy when writers are held off: they wait for a second or so."""
ROUNDS = 20
"""Rounds in which a migration tries to catch up with writers before it holds them off all the same."""

Progress = Callable[[int, int], None]
"""Told how many articles are copied, of how many."""


@dataclass(frozen=True, slots=True)
class Migration:
    """What a migration did. ``problems`` are sentences on articles that could not be taken over."""

    indices: Mapping[str, str]
    """The new indices, by the old ones' names."""
    articles: int
    problems: tuple[str, ...] = ()


class Upkeep:
    """Everything that is done to indices as a whole, under one prefix. Raises IndexUnavailableError throughout."""

    def __init__(self, client: Elasticsearch, prefix: str, where: str) -> None:
        self.client, self.prefix, self.where = client, prefix, where
        self.templates = mappings.load(prefix)

    # -- init

    def init(self) -> list[str]:
        """Put the templates there, and make indices with their aliases where there are none. Says what it did; doing
        it again does nothing."""
        with connection.errors(self.where):
            done = self._put_templates()
            for part in Part:
                if self._holder(alias(self.prefix, part)) is None:
                    name = self._make(part, with_aliases=True)
                    done.append(f"made index {name} with aliases {alias(self.prefix, part)} and …-write")
        return done

    def _put_templates(self) -> list[str]:
        done = []
        for name, body in self.templates.components.items():
            if _plain(self._component(name)) != _plain(body):
                self.client.cluster.put_component_template(name=name, template=body["template"])
                done.append(f"put component template {name}")
        for name, body in self.templates.indices.items():
            if _plain(self._template(name)) != _plain(body):
                self.client.indices.put_index_template(
                    name=name,
                    index_patterns=body["index_patterns"],
                    composed_of=body["composed_of"],
                    priority=body["priority"],
                    template=body["template"],
                    meta=body["_meta"],
                )
                done.append(f"put index template {name}")
        return done

    def _component(self, name: str) -> Any:
        try:
            found = self.client.cluster.get_component_template(name=name)
        except NotFoundError:
            return None
        return found["component_templates"][0]["component_template"]

    def _template(self, name: str) -> Any:
        try:
            found = self.client.indices.get_index_template(name=name)
        except NotFoundError:
            return None
        return found["index_templates"][0]["index_template"]

    # -- check

    def differences(self) -> list[str]:
        """In sentences, what on the server is not as the files have it."""
        found: list[str] = []
        with connection.errors(self.where):
            for what, names, get in (
                ("component template", self.templates.components, self._component),
                ("index template", self.templates.indices, self._template),
            ):
                for name, body in names.items():
                    there = get(name)
                    if there is None:
                        found.append(f"{what} {name} is missing: `wirewatch index init` puts it there")
                    elif _plain(there) != _plain(body):
                        found.append(f"{what} {name} is not as in the file: `wirewatch index init` puts it there")
            for part in Part:
                found += self._odd(part)
        return found

    def _odd(self, part: Part) -> list[str]:
        read, write = alias(self.prefix, part), write_alias(self.prefix, part)
        name = self._holder(read)
        if name is None:
            return [f"there is no alias {read}: `wirewatch index init` makes one with its index"]
        odd = []
        if (writes := self._holder(write)) != name:
            odd.append(f"alias {write} is of {writes or 'no index'}, and should be of {name} as {read} is")
        body = self.client.indices.get(index=name)[name]
        expected = self._resolved(part)
        advice = "`wirewatch index migrate` fills a new index"
        version = body["mappings"].get("_meta", {}).get("wirewatch", {}).get("schema")
        if version != SCHEMA_VERSION:
            odd.append(f"index {name} has schema version {version}, and this is version {SCHEMA_VERSION}: {advice}")
        odd += [f"index {name}: {each}: {advice}" for each in _unlike(body["mappings"], expected["mappings"])]
        if body["settings"]["index"].get("analysis") != _texts(expected["settings"]["index"]["analysis"]):
            odd.append(f"index {name} analyses text otherwise than the files: {advice}")
        blocks = body["settings"]["index"].get("blocks", {})
        odd += [f"index {name} is blocked: {block}" for block, on in blocks.items() if on == "true"]
        odd += [
            f"index {other} is being filled from {name}: `wirewatch index migrate` goes on with it"
            for other in self._all(part)
            if other != name and self._meta(other).get("filled_from") == name
        ]
        return odd

    def _resolved(self, part: Part) -> dict[str, Any]:
        """What an index of this kind is to be, by the files: the template over its components."""
        template = self.templates.indices[alias(self.prefix, part)]
        whole: dict[str, Any] = {}
        for name in template["composed_of"]:
            whole = _merged(whole, self.templates.components[name]["template"])
        return _merged(whole, template["template"])

    # -- migrate

    def migrate(self, progress: Progress | None = None) -> Migration:
        """Make new indices by the files, fill them from the old ones, and let them take over.

        Writers go on meanwhile, and lose nothing; they are held off while the last documents follow. A migration that
        was broken off is gone on with. The old indices are kept, without aliases.
        """
        with connection.errors(self.where):
            self._put_templates()
            old = {part: self._standing(part) for part in Part}
            new = {part: self._target(part, old[part]) for part in Part}
            filled = ElasticIndex(self.client, self.prefix, self.where, {kind: new[Part(kind)] for kind in Kind})
            copy = _Copy(self, filled, old, new, progress)
            for _ in range(ROUNDS):
                if copy.round() < FEW:
                    break
            try:
                for name in old.values():
                    self.client.indices.add_block(index=name, block="write")
                copy.round()
                copy.drop_deleted()
                self.client.indices.refresh(index=list(new.values()))
                self._swap(old, new)
            except BaseException:
                with contextlib.suppress(Exception):
                    self.client.indices.put_settings(index=list(old.values()), settings={"index.blocks.write": None})
                raise
            for part, name in new.items():
                self._note(part, name, {})
        return Migration({old[part]: new[part] for part in Part}, copy.articles, tuple(copy.problems))

    def _target(self, part: Part, source: str) -> str:
        """The index that a broken-off migration was filling, else a new one."""
        for name in self._all(part):
            meta = self._meta(name)
            if name != source and meta.get("filled_from") == source:
                if meta.get("schema") == SCHEMA_VERSION:
                    return name
                self.client.indices.delete(index=name)
        name = self._make(part, with_aliases=False)
        self._note(part, name, {"filled_from": source})
        return name

    def _note(self, part: Part, name: str, more: dict[str, Any]) -> None:
        """Write beside an index's schema version how far it is filled."""
        meta = {"schema": SCHEMA_VERSION, "kind": part.value} | more
        self.client.indices.put_mapping(index=name, meta={"wirewatch": meta})

    def _meta(self, name: str) -> dict[str, Any]:
        found = self.client.indices.get_mapping(index=name, filter_path="*.mappings._meta")
        meta: dict[str, Any] = {}
        for body in found.values():
            meta = body["mappings"]["_meta"].get("wirewatch", {})
        return meta

    # -- replay, clear

    @contextlib.contextmanager
    def rebuilding(self) -> Iterator[Index]:
        """Empty indices of articles and claims to fill, which take over from those in use on leaving the block without
        an error; those are then deleted. The caller sees to it that nobody writes meanwhile."""
        with connection.errors(self.where):
            self._put_templates()
            for part in map(Part, Kind):
                for name in self._all(part):
                    if self._meta(name).get("filled_from") == "archive":  # by a replay that was killed
                        self.client.indices.delete(index=name)
            new = {}
            for part in map(Part, Kind):
                new[part] = self._make(part, with_aliases=False)
                self._note(part, new[part], {"filled_from": "archive"})
        try:
            yield ElasticIndex(self.client, self.prefix, self.where, {kind: new[Part(kind)] for kind in Kind})
        except BaseException:
            with contextlib.suppress(Exception):
                self.client.indices.delete(index=list(new.values()))
            raise
        with connection.errors(self.where):
            self._take_over(new)

    def replace_by_empty(self) -> None:
        """Put empty indices of articles and claims in the place of those in use."""
        with connection.errors(self.where):
            self._put_templates()
            self._take_over({part: self._make(part, with_aliases=False) for part in map(Part, Kind)})

    def _take_over(self, new: Mapping[Part, str]) -> None:
        old = {part: name for part in new if (name := self._holder(alias(self.prefix, part))) is not None}
        self.client.indices.refresh(index=list(new.values()))
        self._swap(old, new)
        for part, name in new.items():
            self._note(part, name, {})
        if old:
            self.client.indices.delete(index=list(old.values()))

    # -- operations

    def report(self, rows: Iterable[Mapping[str, Any]], now: datetime) -> int:
        """Write down how the pipeline stands, for Kibana's Operations board: see ``operations.report``."""
        return operations.report(self.client, self.prefix, self.where, rows, now)

    def put_alerts(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Write alerts with what became of them into the index of alerts, one document each by its ``id``."""
        present = ({name: value for name, value in row.items() if value not in (None, [], "")} for row in rows)
        filled = ElasticIndex(self.client, self.prefix, self.where)
        with connection.errors(self.where):
            filled.put_plain(write_alias(self.prefix, Part.ALERTS), ((row["id"], row) for row in present))

    # -- indices and aliases

    def _swap(self, old: Mapping[Part, str], new: Mapping[Part, str]) -> None:
        """Hand the aliases over, all in one step."""
        actions: list[dict[str, Any]] = []
        for part, name in new.items():
            for held in (alias(self.prefix, part), write_alias(self.prefix, part)):
                if part in old:
                    actions.append({"remove": {"index": old[part], "alias": held}})
                writes = held == write_alias(self.prefix, part)
                actions.append({"add": {"index": name, "alias": held} | ({"is_write_index": True} if writes else {})})
        self.client.indices.update_aliases(actions=actions)

    def _holder(self, name: str) -> str | None:
        """The index that an alias is of."""
        try:
            found = self.client.indices.get_alias(name=name)
        except NotFoundError:
            if self.client.indices.exists(index=name):
                reason = f"{name} is an index there, and should be an alias: delete or rename it first"
                raise IndexUnavailableError(self.where, reason) from None
            return None
        if len(found) > 1:
            reason = f"alias {name} is of several indices ({', '.join(sorted(found))}), and should be of one"
            raise IndexUnavailableError(self.where, reason)
        return next(iter(found), None)

    def _standing(self, part: Part) -> str:
        name = self._holder(alias(self.prefix, part))
        if name is None:
            raise IndexUnavailableError(self.where, "it is not set up there, run `wirewatch index init`")
        return name

    def _all(self, part: Part) -> list[str]:
        """All indices of a kind, whoever has the alias."""
        found = self.client.indices.get(index=f"{self.prefix}-{part}-*", filter_path="*.settings.index.uuid")
        pattern = re.compile(rf"{self.prefix}-{part}-\d{{6,}}")
        return sorted(name for name in found if pattern.fullmatch(name))

    def _make(self, part: Part, *, with_aliases: bool) -> str:
        number = max((int(name.rpartition("-")[2]) for name in self._all(part)), default=0) + 1
        name = index_name(self.prefix, part, number)
        aliases = {alias(self.prefix, part): {}, write_alias(self.prefix, part): {"is_write_index": True}}
        self.client.indices.create(index=name, aliases=aliases if with_aliases else {}, wait_for_active_shards=1)
        return name


class _Copy:
    """The filling of new indices from old ones: what is new in those, round by round, by sequence number, which every
    write raises. How far it came is noted in the new index of articles."""

    def __init__(
        self,
        upkeep: Upkeep,
        filled: ElasticIndex,
        old: Mapping[Part, str],
        new: Mapping[Part, str],
        progress: Progress | None,
    ) -> None:
        self.upkeep, self.client, self.filled, self.old, self.new = upkeep, upkeep.client, filled, old, new
        self.progress = progress
        self.up_to: dict[str, int] = upkeep._meta(new[Part.ARTICLES]).get("up_to", {})
        self.articles = 0
        self.problems: list[str] = []

    def round(self) -> int:
        """Copy what is not copied yet; how many articles that was. Claims are made from their articles."""
        self.client.indices.refresh(index=list(self.old.values()))
        total = self.client.count(index=self.old[Part.ARTICLES])["count"]
        copied = 0
        index = self.old[Part.ARTICLES]
        for shard in self.client.search_shards(index=index)["shards"]:
            number = str(shard[0]["shard"])
            batch: list[Any] = []
            query = {"range": {"_seq_no": {"gt": self.up_to.get(number, -1)}}}
            hits = every(self.client, index, query, [{"_seq_no": "asc"}], source=WANTED[Kind.ARTICLES], shard=number)
            for hit in hits:
                batch.append(hit)
                if len(batch) >= COPIED_AT_ONCE:
                    copied += self._copy(number, batch)
                    batch = []
                    if self.progress is not None:
                        self.progress(min(self.articles, total), total)
            copied += self._copy(number, batch)
        self._copy_plain()
        return copied

    def _copy(self, shard: str, batch: list[Any]) -> int:
        documents = []
        for hit in batch:
            try:
                documents.append(from_json(msgspec.json.encode(article_of(hit["_source"])), Document))
            except (KeyError, TypeError, msgspec.ValidationError) as error:
                self.problems.append(f"article {hit['_id']} cannot be read: {error}; `wirewatch replay` makes it anew")
        if documents:
            self.filled.upsert(documents)
        if batch:
            self.up_to[shard] = batch[-1]["sort"][0]
            self.upkeep._note(
                Part.ARTICLES,
                self.new[Part.ARTICLES],
                {"filled_from": self.old[Part.ARTICLES], "up_to": self.up_to},
            )
        self.articles += len(documents)
        return len(batch)

    def _copy_plain(self) -> None:
        """What has no record to be made from goes over as it is; there is little of it."""
        for part in PLAIN:
            hits = every(self.client, self.old[part], {"match_all": {}}, [{"_seq_no": "asc"}], source=True)
            self.filled.put_plain(self.new[part], ((hit["_id"], hit["_source"]) for hit in hits))

    def drop_deleted(self) -> None:
        """Take out again what was deleted in the old index after it was copied. Writers are held off by now."""
        for kind in (Part.ARTICLES, *PLAIN):
            pair = (self.old[kind], self.new[kind])
            self.client.indices.refresh(index=list(pair))
            there, here = (
                (hit["_id"] for hit in every(self.client, name, {"match_all": {}}, [{"id": "asc"}], source=False))
                for name in pair
            )
            if self.client.count(index=pair[0])["count"] >= self.client.count(index=pair[1])["count"]:
                continue
            gone = sorted(set(here) - set(there))
            if kind is Part.ARTICLES:
                self.filled.delete(gone)
            else:
                for id_ in gone:
                    self.client.options(ignore_status=404).delete(index=pair[1], id=id_)


def _plain(body: Any) -> Any:
    """A template in the form in which two of them can be compared: settings flat, every value as text."""
    if body is None:
        return None
    template = body.get("template", {})
    return {
        "settings": _texts(template.get("settings", {})),
        "mappings": template.get("mappings", {}),
        "patterns": body.get("index_patterns"),
        "composed_of": body.get("composed_of"),
        "priority": body.get("priority"),
    }


def _texts(value: Any) -> Any:
    """Settings as the server gives them back: keys with points taken apart, numbers and truth as text."""
    if isinstance(value, Mapping):
        whole: dict[str, Any] = {}
        for key, inner in value.items():
            nested = _texts(inner)
            for name in reversed(key.split(".")):
                nested = {name: nested}
            whole = _merged(whole, nested)
        return whole
    if isinstance(value, list):
        return [_texts(item) for item in value]
    return str(value).lower() if isinstance(value, bool) else str(value)


def _merged(one: dict[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(one)
    for name, value in other.items():
        under = merged.get(name)
        merged[name] = _merged(under, value) if isinstance(under, dict) and isinstance(value, Mapping) else value
    return merged


def _unlike(there: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """How a mapping differs from the one wanted, field by field."""
    has, should = there.get("properties", {}), wanted["properties"]
    odd = [f"field {name} is missing" for name in should if name not in has]
    odd += [f"field {name} is in no file" for name in has if name not in should]
    odd += [
        f"field {name} is {msgspec.json.encode(has[name]).decode()}, and should be "
        f"{msgspec.json.encode(should[name]).decode()}"
        for name in should
        if name in has and has[name] != should[name]
    ]
    if there.get("dynamic") != wanted["dynamic"]:
        odd.append(f"dynamic is {there.get('dynamic')}, and should be {wanted['dynamic']}")
    return odd
