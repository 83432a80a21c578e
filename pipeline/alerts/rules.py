"""A rule and a channel, and the making of them from what stands in a rules file.

The shape is ``mappings/rule.schema.json``; what a schema cannot say (that a query can be read, that a zone exists) is
checked here. ``files.py`` reads the files and knows the lines.
"""

from __future__ import annotations

import difflib
import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema_rs
from jinja2 import TemplateError

from pipeline.alerts.timing import Digest, QuietHours, Throttle, read_digest, read_quiet_hours, read_throttle
from pipeline.errors import QueryError
from pipeline.index.base import Kind
from pipeline.index.query import parse

SEVERITIES = ("info", "low", "medium", "high", "critical")
ONCE_PER_STORY = Throttle()
OPERATIONS = "wirewatch"
"""The name under which Wirewatch tells of itself, as if it were a rule."""
ALWAYS_THERE = ("log", "feed")
"""Channels that need no definition; what a rule without channels is sent to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What somebody wants to be told. At least one of ``query`` and ``claims`` is there; both have to hold."""

    name: str
    query: str | None = None
    claims: str | None = None
    description: str = ""
    sources: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    min_sources: int = 1
    severity: str = "medium"
    channels: tuple[str, ...] = ALWAYS_THERE
    throttle: Throttle = ONCE_PER_STORY
    digest: Digest | None = None
    quiet_hours: QuietHours | None = None
    template: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """Where a credential is found; exactly one of the two."""

    env: str | None = None
    file: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A way out. ``url`` is plain only for a webhook; ``path`` is for files."""

    name: str
    type: str
    url: str | Secret | None = None
    secret: Secret | None = None
    path: str | None = None
    title: str = "Wirewatch alerts"
    link: str | None = None
    timeout: float = 15.0


class FaultyError(ValueError):
    """What is wrong with a rule or channel: ``path`` leads to the part at fault, ``str()`` is the reason."""

    def __init__(self, path: tuple[str | int, ...], reason: str) -> None:
        super().__init__(reason)
        self.path = path


def rule_from(plain: Mapping[str, Any]) -> Rule:
    """The rule that a mapping describes. Raises FaultyError."""
    _conform("rule", plain)
    if plain["name"] == OPERATIONS:
        raise FaultyError(("name",), f"{OPERATIONS!r} is the name under which Wirewatch tells of itself; take another")
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in plain.items()}
    for part, kind in (("query", Kind.ARTICLES), ("claims", Kind.CLAIMS)):
        if part in values:
            try:
                parse(values[part], kind)
            except QueryError as error:
                raise FaultyError((part,), f"{part}: {error}") from None
    for part, read in _READERS.items():
        if part in values:
            try:
                values[part] = read(values[part])
            except ValueError as error:
                raise FaultyError((part,), f"{part}: {error}") from None
    if "template" in values:
        from pipeline.alerts.message import compiled  # Jinja2, which few rules need

        try:
            compiled(values["template"])
        except TemplateError as error:
            raise FaultyError(("template",), f"template: {error}") from None
    return Rule(**values)


_READERS: Mapping[str, Callable[[str], Any]] = {
    "throttle": read_throttle,
    "digest": read_digest,
    "quiet_hours": read_quiet_hours,
}


def channel_from(name: str, plain: Mapping[str, Any]) -> Channel:
    """The channel that a mapping describes. Raises FaultyError."""
    if name in ALWAYS_THERE:
        raise FaultyError((), f"{name!r} is the name of a channel that is always there; give yours another")
    _conform("channelName", name)
    _conform("channel", plain)
    values = dict(plain)
    for part in ("url", "secret"):
        if isinstance(values.get(part), Mapping):
            values[part] = Secret(**values[part])
    return Channel(name=name, **({"timeout": 30.0} if values["type"] == "apprise" else {}) | values)


def own_channel(name: str) -> Channel:
    """One of the channels that are always there."""
    files = {"log": ("jsonl", "alerts.jsonl"), "feed": ("atom", "alerts.atom")}
    type_, path = files[name]
    return Channel(name=name, type=type_, path=path)


@functools.cache
def schema() -> dict[str, Any]:
    """The JSON schema of a rules file."""
    packaged = resources.files("pipeline") / "mappings" / "rule.schema.json"
    if not packaged.is_file():  # a checkout, where the folder stands beside the package
        packaged = Path(__file__).parents[2] / "mappings" / "rule.schema.json"
    loaded: dict[str, Any] = json.loads(packaged.read_text("utf-8"))
    return loaded


@functools.cache
def _validator(part: str) -> Any:
    return jsonschema_rs.validator_for({"$defs": schema()["$defs"], "$ref": f"#/$defs/{part}"})


def _conform(part: str, plain: Any) -> None:
    """Raise FaultyError for the first thing in which this is not of the schema's shape."""
    errors = sorted(_validator(part).iter_errors(plain), key=lambda error: (len(error.instance_path) == 0, str(error)))
    if errors:
        error = errors[0]
        path = tuple(error.instance_path)
        raise FaultyError(_place(error, path), _sentence(error, path, part))


def _place(error: Any, path: tuple[str | int, ...]) -> tuple[str | int, ...]:
    unknown = getattr(error.kind, "unexpected", None)
    return (*path, unknown[0]) if unknown else path


def _sentence(error: Any, path: tuple[str | int, ...], part: str) -> str:
    """What is wrong, in words."""
    where = ".".join(str(step + 1 if isinstance(step, int) else step) for step in path)
    unknown = getattr(error.kind, "unexpected", None)
    if unknown:
        properties = schema()["$defs"][part].get("properties", {})
        near = difflib.get_close_matches(str(unknown[0]), list(properties), n=1, cutoff=0.6)
        advice = (
            f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(properties)}" if properties else ""
        )
        return f"a {part} has no {unknown[0]!r}{advice}"
    if part == "rule" and not path and error.schema_path and error.schema_path[-1] == "anyOf":
        return "a rule needs a 'query' over articles, or 'claims', a query over claims, or both"
    return f"{where}: {error.message}" if where else error.message
