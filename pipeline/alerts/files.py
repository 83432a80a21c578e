"""The rules folder: reads its YAML files, and settles what is in force.

YAML 1.2 in its core schema: ``no`` is a word and ``22:00`` is text. Every fault is told with file, line and reason, and
costs only the rule or channel that it stands in. One that was good before stays in force in its last good form until
it is mended or taken out: a slip of the finger must not end the watch. What was taken out of a readable file is gone.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml

from pipeline.alerts.rules import ALWAYS_THERE, Channel, FaultyError, Rule, channel_from, rule_from

MAX_BYTES = 16 * 1024 * 1024
"""Of one file; ten thousand rules have some two million."""
MAX_NODES = 2_000_000
"""Of one file with its aliases written out, so that aliases within aliases cannot fill the memory."""

Kind = Literal["rule", "channel"]


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong in a rules file. ``line`` counts from 1; ``name`` is the rule's or channel's, if it has one."""

    file: str
    line: int
    reason: str
    name: str | None = None

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {f'{self.name}: ' if self.name else ''}{self.reason}"


@dataclass(frozen=True, slots=True)
class Entry:
    """A rule or channel as read from a file. ``form`` is what it says, as JSON; ``fault`` is there where it is bad."""

    kind: Kind
    name: str
    file: str
    line: int
    form: str
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What a folder's files say. Of the ``unsure`` files, something that was there before could not be recognised."""

    entries: tuple[Entry, ...] = ()
    faults: tuple[Fault, ...] = ()
    unsure: frozenset[str] = frozenset()
    missing: bool = False


def rules_files(folder: Path) -> list[Path]:
    """The files with rules, in order of their names; hidden ones are an editor's."""
    found = (path for pattern in ("*.yaml", "*.yml") for path in folder.rglob(pattern))
    return sorted(path for path in found if not path.name.startswith("."))


def stamp(folder: Path) -> tuple[tuple[str, int, int, int], ...]:
    """Changes when a file of the folder does."""
    found = []
    for path in rules_files(folder):
        try:
            status = path.stat()
        except OSError:
            continue  # gone since it was listed, or a link to nothing: reading it will tell
        found.append((str(path), status.st_mtime_ns, status.st_size, status.st_ino))
    return tuple(found)


def read_folder(folder: Path) -> Reading:
    """Everything that the folder's files say, good and bad."""
    if not folder.is_dir():
        return Reading(missing=True)
    entries: list[Entry] = []
    faults: list[Fault] = []
    unsure: set[str] = set()
    for path in rules_files(folder):
        name = str(path.relative_to(folder))
        try:
            found, wrong, doubtful = read_text(_text(path), name)
        except _UnreadableError as error:
            faults.append(Fault(name, error.line, error.reason))
            unsure.add(name)
            continue
        entries += found
        faults += wrong
        if doubtful:
            unsure.add(name)
    return Reading(tuple(entries), tuple(faults), frozenset(unsure))


class _UnreadableError(Exception):
    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line, self.reason = line, reason


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _UnreadableError(1, f"the file is larger than {MAX_BYTES // 1024 // 1024} MB")
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise _UnreadableError(1, f"cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise _UnreadableError(line, "the file is not in UTF-8") from None


class _Loader(yaml.CSafeLoader):
    """libyaml's reader with the implicit types of YAML 1.2's core schema."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 - so the base class has it


for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]{1,18}", "-+0123456789"),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,3})?", "-+.0123456789"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), list(_first))


def read_text(text: str, file: str) -> tuple[list[Entry], list[Fault], bool]:
    """Entries and faults of one file's text, and whether something in it could not be told by name.

    Raises _UnreadableError where it is no YAML.
    """
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = " ".join(part for part in (error.context, error.problem) if part)
        raise _UnreadableError(mark.line + 1 if mark else 1, f"this is no YAML: {said}") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise _UnreadableError(1, f"this is no YAML: {error}") from None
    if root is None:
        return [], [], False
    return _Reader(file).read(root)


class _Reader:
    """One file's way from YAML's nodes to entries."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.entries: list[Entry] = []
        self.faults: list[Fault] = []
        self.doubtful = False
        self.visited = 0

    def read(self, root: yaml.Node) -> tuple[list[Entry], list[Fault], bool]:
        if isinstance(root, yaml.SequenceNode):
            self._rules(root)
        elif not isinstance(root, yaml.MappingNode):
            self._fault(root, "a rules file holds a rule, a list of rules, or 'rules' and 'channels'")
        elif {"rules", "channels"} & set(_keys(root)):
            for key, node in root.value:
                if key.value == "rules" and isinstance(node, yaml.SequenceNode):
                    self._rules(node)
                elif key.value == "channels" and isinstance(node, yaml.MappingNode):
                    for name, channel in node.value:
                        self._entry("channel", str(name.value), name, channel)
                elif key.value in ("rules", "channels") and _is_null(node):
                    continue  # "rules:" with nothing under it
                elif key.value in ("rules", "channels"):
                    self._fault(key, f"{key.value!r} is a {'list' if key.value == 'rules' else 'table of channels'}")
                else:
                    self._fault(key, f"a file with lists of rules or channels has no {key.value!r}")
        else:
            self._rule(root)
        return self.entries, self.faults, self.doubtful

    def _rules(self, nodes: yaml.SequenceNode) -> None:
        for node in nodes.value:
            self._rule(node)

    def _rule(self, node: yaml.Node) -> None:
        name = None
        if isinstance(node, yaml.MappingNode):
            name = next((value.value for key, value in node.value if key.value == "name" and value.value), None)
        if not isinstance(name, str):
            self._fault(node, "a rule is a table with a 'name'" if name is None else "the name of a rule is text")
            return
        self._entry("rule", name, node, node)

    def _entry(self, kind: Kind, name: str, place: yaml.Node, node: yaml.Node) -> None:
        line = place.start_mark.line + 1
        form, fault = "", None
        try:
            plain = self._plain(node)
            form = msgspec.json.encode(plain, order="sorted").decode()
            if kind == "rule":
                _rule_of(form)
            else:
                channel_from(name, plain)
        except _UnreadableError as error:
            fault, line_of_fault = error.reason, error.line
        except FaultyError as error:
            fault, line_of_fault = str(error), _line(node, error.path) if error.path else line
        if fault is not None:
            self.faults.append(Fault(self.file, line_of_fault, fault, name))
        self.entries.append(Entry(kind, name, self.file, line, form, fault))

    def _fault(self, node: yaml.Node, reason: str) -> None:
        self.faults.append(Fault(self.file, node.start_mark.line + 1, reason))
        self.doubtful = True

    def _plain(self, node: yaml.Node) -> Any:
        """Plain types for a node. Raises _UnreadableError with the line."""
        self.visited += 1
        line = node.start_mark.line + 1
        if self.visited > MAX_NODES:
            raise _UnreadableError(line, f"the file holds more than {MAX_NODES:,} values")
        if isinstance(node, yaml.MappingNode):
            found: dict[str, Any] = {}
            for key, value in node.value:
                if not isinstance(key, yaml.ScalarNode):
                    raise _UnreadableError(key.start_mark.line + 1, "a key must be a word")
                if key.value in found:
                    raise _UnreadableError(key.start_mark.line + 1, f"{key.value!r} is there twice")
                found[key.value] = self._plain(value)
            return found
        if isinstance(node, yaml.SequenceNode):
            return [self._plain(value) for value in node.value]
        kind = node.tag.rpartition(":")[2]
        match kind:
            case "str":
                return node.value
            case "int":
                return int(node.value)
            case "float":
                return float(node.value)
            case "bool":
                return node.value.lower() == "true"
            case "null":
                return None
        raise _UnreadableError(line, f"tags such as {node.tag} have no meaning here")


def _keys(node: yaml.MappingNode) -> Iterator[str]:
    return (str(key.value) for key, _ in node.value)


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag.endswith(":null")


def _line(node: yaml.Node, path: Sequence[str | int]) -> int:
    """The line of the part that a path leads to, or of the last part on the way that is there."""
    line = node.start_mark.line + 1
    for step in path:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == step), None)
            if found is None:
                break
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line + 1
        else:
            break
    return line


# -- what is in force


def settle(reading: Reading, before: Iterable[Entry]) -> tuple[tuple[Entry, ...], tuple[Fault, ...]]:
    """What is in force now, given what the files say and what was in force before; and all faults.

    An entry in force with a ``fault`` is in its last good form.
    """
    known = {(entry.kind, entry.name): entry for entry in before}
    if reading.missing:
        why = "the rules folder is not there; this is its last good form"
        return tuple(replace(entry, fault=why) for entry in known.values()), ()
    faults = list(reading.faults)
    force: dict[tuple[Kind, str], Entry] = {}
    claimed: dict[tuple[Kind, str], Entry] = {}
    for entry in reading.entries:
        key = (entry.kind, entry.name)
        first = claimed.setdefault(key, entry)
        if first is not entry:
            where = f"{first.file}, line {first.line}"
            faults.append(Fault(entry.file, entry.line, f"a {entry.kind} of this name stands in {where}", entry.name))
        elif entry.fault is None:
            force[key] = entry
        elif key in known:
            force[key] = replace(known[key], file=entry.file, line=entry.line, fault=entry.fault)
    for key, entry in known.items():
        if key not in claimed and entry.file in reading.unsure:
            force[key] = replace(entry, fault="its file cannot be read in full")
    channels = {name for kind, name in force if kind == "channel"} | set(ALWAYS_THERE)
    for key, entry in list(force.items()):
        if entry.kind == "rule" and entry.fault is None:
            undefined = [name for name in made_rule(entry).channels if name not in channels]
            if undefined:
                reason = f"there is no channel {undefined[0]!r}"
                faults.append(Fault(entry.file, entry.line, reason, entry.name))
                if key in known:
                    force[key] = replace(known[key], file=entry.file, line=entry.line, fault=reason)
                else:
                    del force[key]
    return tuple(force.values()), tuple(sorted(faults, key=lambda fault: (fault.file, fault.line)))


def made_rule(entry: Entry) -> Rule:
    """The rule of an entry in force. Raises FaultyError where it was good for an older Wirewatch only."""
    return _rule_of(entry.form)


@functools.lru_cache(maxsize=65_536)  # ten thousand queries take two seconds to read, and files change rule by rule
def _rule_of(form: str) -> Rule:
    return rule_from(msgspec.json.decode(form))


def made_channel(entry: Entry) -> Channel:
    """The channel of an entry in force."""
    return channel_from(entry.name, msgspec.json.decode(entry.form))
