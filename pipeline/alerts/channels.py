"""The ways out: a signed webhook, a JSONL file, an Atom feed, and by Apprise whatever service there is.

Each takes one message under its idempotency key. A webhook's request is signed after the Standard Webhooks scheme
(standardwebhooks.com): HMAC-SHA256 over ``id.timestamp.body``, in base64, in the header ``webhook-signature``. Files
know by themselves what they hold: a message that is sent again is not written again.

What is wrong is said without a credential in it.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import hmac
import logging
import os
import re
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import aiohttp
import msgspec

from pipeline import __version__
from pipeline.alerts import message
from pipeline.alerts.rules import SEVERITIES, Channel, Secret
from pipeline.ledger import Parcel
from pipeline.records import Alert, to_dict, to_json

MAX_ANSWER = 2_000
"""Bytes of an answer that are read; they say why a message was not taken."""
IN_FEED = 100
"""Alerts that the Atom feed holds."""
ATOM = "http://www.w3.org/2005/Atom"


class RefusedError(Exception):
    """A message that was not taken. ``again`` is the receiver's own wish in seconds."""

    def __init__(self, reason: str, again: float | None = None) -> None:
        super().__init__(reason)
        self.again = again


def content_of(secret: Secret) -> str:
    """A credential. Raises RefusedError where it is not to be had."""
    if secret.env is not None:
        found = os.environ.get(secret.env)
        if not found:
            raise RefusedError(f"environment variable {secret.env} is not set")
        return found
    assert secret.file is not None
    try:
        return Path(secret.file).expanduser().read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise RefusedError(f"secret file {secret.file}: {getattr(error, 'strerror', None) or error}") from None


def payload(parcel: Parcel, template: str | None = None) -> dict[str, Any]:
    """What a message is as JSON: its key, its words, and its alerts whole."""
    return {
        "id": parcel.key,
        "rule": parcel.rule,
        "title": message.title(parcel.rule, parcel.alerts),
        "text": message.body(parcel.rule, parcel.alerts, template),
        "alerts": [to_dict(alert) for alert in parcel.alerts],
    }


# -- webhook


def signature(secret: str, key: str, timestamp: str, body: bytes) -> str:
    """The value of ``webhook-signature``. A secret that begins with ``whsec_`` is base64, any other is taken as is."""
    if secret.startswith("whsec_"):
        try:
            binary = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except ValueError:
            raise RefusedError("the secret begins with whsec_, but what follows is not base64") from None
    else:
        binary = secret.encode()
    digest = hmac.new(binary, f"{key}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


async def post(channel: Channel, parcel: Parcel, template: str | None, session: aiohttp.ClientSession) -> None:
    """Hand a message to a webhook. Any 2xx acknowledges it. Raises RefusedError."""
    assert channel.url is not None
    url = content_of(channel.url) if isinstance(channel.url, Secret) else channel.url
    body = msgspec.json.encode(payload(parcel, template))
    timestamp = str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"Wirewatch/{__version__}",
        "Idempotency-Key": parcel.key,
        "webhook-id": parcel.key,
        "webhook-timestamp": timestamp,
        "Wirewatch-Attempt": str(parcel.attempt),
    }
    if channel.secret is not None:
        headers["webhook-signature"] = signature(content_of(channel.secret), parcel.key, timestamp, body)
    limit = aiohttp.ClientTimeout(total=channel.timeout)
    try:
        # A redirect would carry the message, and its signature, to an address that nobody wrote down.
        async with session.post(url, data=body, headers=headers, timeout=limit, allow_redirects=False) as answer:
            if 200 <= answer.status < 300:
                return
            said = (await answer.content.read(MAX_ANSWER)).decode("utf-8", "replace")
            raise RefusedError(
                f"HTTP {answer.status}: {' '.join(said.split())[:200]}".rstrip(": "),
                _wish(answer.headers.get("Retry-After")),
            )
    except TimeoutError:
        raise RefusedError(f"no answer within {channel.timeout:g} s") from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        reason = type(error).__name__ if isinstance(channel.url, Secret) else f"{type(error).__name__}: {error}"
        raise RefusedError(reason) from None


def _wish(header: str | None) -> float | None:
    return float(header) if header is not None and re.fullmatch(r"[0-9]{1,6}", header) else None


# -- files


def append(channel: Channel, parcel: Parcel, folder: Path) -> None:
    """Write a message's alerts to a JSONL file, one a line; those that are there already are left out."""
    path = _path(channel, folder)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            torn = _mend(file)
            there = _ids(file, parcel.alerts) if parcel.attempt > 1 or torn else set()
            lines = [to_json(alert) + b"\n" for alert in parcel.alerts if alert.id not in there]
            file.write(b"".join(lines))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise RefusedError(f"{path}: {error.strerror or error}") from None


def _mend(file: Any) -> bool:
    """Cut off a line that a killed writer left half."""
    end = file.seek(0, os.SEEK_END)
    if end == 0:
        return False
    file.seek(end - 1)
    if file.read(1) == b"\n":
        return False
    reach = min(end, 4_000_000)
    file.seek(end - reach)
    last = file.read(reach).rfind(b"\n")
    file.truncate(end - reach + last + 1)
    file.seek(0, os.SEEK_END)
    return True


def _ids(file: Any, alerts: Sequence[Alert]) -> set[str]:
    """Which of these alerts a JSONL file holds."""
    wanted = {f'{{"id":"{alert.id}"'.encode(): alert.id for alert in alerts}
    file.seek(0)
    found = set()
    for line in file:
        for start, id_ in wanted.items():
            if line.startswith(start):
                found.add(id_)
    file.seek(0, os.SEEK_END)
    return found


def feed(channel: Channel, folder: Path, latest: Callable[[int], Sequence[Alert]]) -> None:
    """Write the Atom feed anew: the alerts that the ledger has handed to the channel, newest first."""
    path = _path(channel, folder)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with (path.parent / f".{path.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            alerts = latest(IN_FEED)  # asked under the lock, so that of two writers the later knows both
            draft = path.with_name(f".{path.name}.{os.getpid()}")
            draft.write_bytes(atom(channel, alerts))
            draft.replace(path)
    except OSError as error:
        raise RefusedError(f"{path}: {error.strerror or error}") from None


def atom(channel: Channel, alerts: Sequence[Alert]) -> bytes:
    """An Atom feed (RFC 4287) of alerts."""
    ET.register_namespace("", ATOM)
    root = ET.Element(f"{{{ATOM}}}feed")

    def add(parent: ET.Element, name: str, text: str | None = None, **attributes: str) -> ET.Element:
        made = ET.SubElement(parent, f"{{{ATOM}}}{name}", attributes)
        made.text = None if text is None else _legal(text)
        return made

    add(root, "id", f"urn:wirewatch:alerts:{channel.name}")
    add(root, "title", channel.title)
    add(root, "updated", _moment(max((alert.fired for alert in alerts), default=datetime.now(UTC))))
    add(root, "generator", "Wirewatch", version=__version__)
    if channel.link:
        add(root, "link", rel="self", href=channel.link)
    for alert in alerts:
        entry = add(root, "entry")
        add(entry, "id", f"urn:wirewatch:alert:{alert.id}")
        add(entry, "title", message.title(alert.rule, [alert]))
        add(entry, "updated", _moment(alert.fired))
        add(entry, "published", _moment(alert.published or alert.first_seen))
        if alert.url:
            add(entry, "link", rel="alternate", href=alert.url)
        add(add(entry, "author"), "name", alert.source or "unknown")
        add(entry, "category", term=alert.rule)
        add(entry, "category", term=alert.severity, scheme="urn:wirewatch:severity")
        add(entry, "content", _words(alert), type="text")
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


@lru_cache(maxsize=4 * IN_FEED)
def _words(alert: Alert) -> str:
    """The feed is written anew for each alert, and most of it is as before."""
    return message.body(alert.rule, [alert])


def _legal(text: str) -> str:
    """Without what XML 1.0 cannot hold."""
    return re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text)


def _moment(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _path(channel: Channel, folder: Path) -> Path:
    assert channel.path is not None
    return folder / Path(channel.path).expanduser()


# -- services


def notify(channel: Channel, parcel: Parcel, template: str | None) -> None:
    """Hand a message to a service by Apprise. Blocks as long as the service does. Raises RefusedError."""
    import apprise  # a second of CPU to import

    assert isinstance(channel.url, Secret)
    url = content_of(channel.url)
    service = apprise.Apprise()
    if not service.add(url):
        raise RefusedError("this is no address that Apprise understands")
    severity = max((alert.severity for alert in parcel.alerts), key=SEVERITIES.index)
    with apprise.LogCapture(level=logging.WARNING) as said:  # type: ignore[no-untyped-call]
        taken = service.notify(
            title=message.title(parcel.rule, parcel.alerts),
            body=message.body(parcel.rule, parcel.alerts, template),
            notify_type=_NOTICE_TYPES.get(severity, apprise.NotifyType.INFO),
            body_format=apprise.NotifyFormat.TEXT,
        )
        if not taken:
            lines = said.getvalue().strip().splitlines()
            raise RefusedError(_without(url, lines[-1] if lines else "the service did not take it"))


_NOTICE_TYPES = {"high": "warning", "critical": "failure"}


def _without(url: str, text: str) -> str:
    """A text without any part of a service's address: tokens, passwords and hosts are all in there."""
    for part in sorted(set(re.split(r"[^\w.+-]+", url)), key=len, reverse=True):
        if len(part) >= 4:
            text = text.replace(part, "***")
    return text[:300]
