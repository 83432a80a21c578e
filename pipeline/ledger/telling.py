"""What the ledger keeps of alerts: the states of a match and of its deliveries, and what goes in and comes out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pipeline.records import Alert, AlertKind


class AlertState(StrEnum):
    """What became of a match. Only what was ``fired`` is told."""

    FIRED = "fired"
    WAITING = "waiting"  # for more independent sources
    BASELINE = "baseline"  # it was there before us
    THROTTLED = "throttled"  # the rule speaks once of a story, and has


class DeliveryState(StrEnum):
    """What became of an alert on one channel."""

    OWED = "owed"
    SENT = "sent"
    SILENCED = "silenced"
    UNDELIVERABLE = "undeliverable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fired:
    """A match, and what its rule asks for. ``silent``: it was there at a feed's first poll, and is only remembered.
    ``copy``: its text is another article's."""

    alert: Alert
    channels: tuple[str, ...]
    once: bool = True
    need: int = 1
    silent: bool = False
    copy: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryNow:
    """How a story stands after one of its articles was indexed. ``notice`` is what to tell those who were alerted,
    where that article was corrected, withdrawn or is gone; its rule is filled in."""

    story: str
    merged: tuple[str, ...]
    carriers: tuple[str, ...]
    independent_sources: int
    notice: Alert | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A delivery that is due. ``last`` is when the rule last sent anything by the channel."""

    rule: str
    channel: str
    kind: AlertKind
    fired: datetime
    held: str | None
    attempts: int
    last: datetime | None
    silenced: datetime | None


@dataclass(frozen=True, slots=True)
class Hold:
    """Not before ``until``; ``why`` is digest, throttle or quiet."""

    until: datetime
    why: str


class Verdict(StrEnum):
    """Whether a delivery goes out now, or never."""

    SEND = "send"
    SILENCE = "silence"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """What goes out in one message. ``key`` is its idempotency key, the same at every attempt."""

    key: str
    rule: str
    channel: str
    alerts: tuple[Alert, ...]
    attempt: int
    first_attempt: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One alert on its way out by one channel, for those who look."""

    alert: str
    channel: str
    state: DeliveryState
    due: datetime | None
    held: str | None
    message: str | None
    attempts: int
    delivered: datetime | None
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An alert with what became of it."""

    alert: Alert
    state: AlertState
    need: int
    deliveries: tuple[Delivery, ...] = ()
