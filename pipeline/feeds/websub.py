"""What is said between a subscriber and a hub (W3C WebSub, 2018-01-23), without a network: requests, challenges,
signatures.

A hub is asked for a topic with an address of ours and a secret. It comes back to that address with a challenge, so that
nobody can subscribe us to anything; then it sends there what is new, each time signed with the secret.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

LEASE: Final = timedelta(days=7)
"""What hubs are asked for; they may give another."""
SHORTEST, LONGEST = timedelta(minutes=5), timedelta(days=30)
"""Leases beyond these are taken as these: one that is shorter would have us ask all the time, and whether a hub that
gave a year still pushes should be known within a month."""
METHODS: Final = ("sha1", "sha256", "sha384", "sha512")
"""The signatures that the standard knows."""
_MAX_REASON = 300


def form(mode: str, topic: str, callback: str, secret: str) -> dict[str, str]:
    """The form that asks a hub to ``subscribe`` or ``unsubscribe``."""
    asked = {"hub.mode": mode, "hub.topic": topic, "hub.callback": callback}
    if mode == "subscribe":
        asked |= {"hub.lease_seconds": str(int(LEASE.total_seconds())), "hub.secret": secret}
    return asked


@dataclass(frozen=True, slots=True)
class Intent:
    """What a hub says at the callback: that it will do as ``mode`` says, or (``denied``) why not."""

    mode: str
    topic: str
    challenge: str
    lease: timedelta
    reason: str

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Intent:
        """Reads the query of a hub's GET. A lease that cannot be read is the one that was asked for."""
        given = query.get("hub.lease_seconds", "")
        lease = timedelta(seconds=int(given)) if given.isascii() and given.isdigit() and len(given) < 12 else LEASE
        return cls(
            mode=query.get("hub.mode", ""),
            topic=query.get("hub.topic", ""),
            challenge=query.get("hub.challenge", ""),
            lease=max(SHORTEST, min(lease, LONGEST)),
            reason=" ".join(query.get("hub.reason", "").split())[:_MAX_REASON],
        )


def is_signed(body: bytes, signature: str | None, secret: str) -> bool:
    """Whether ``X-Hub-Signature`` ("sha256=…") is that of this body. What is not signed may come from anybody."""
    method, _, given = (signature or "").strip().partition("=")
    if method.lower() not in METHODS or not given.isascii():
        return False
    wanted = hmac.new(secret.encode(), body, getattr(hashlib, method.lower())).hexdigest()
    return hmac.compare_digest(wanted, given.lower())
