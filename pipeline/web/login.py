"""Who may come in: a token where the page is reached from other machines, and proof that a form is our own.

The token is the operator's (``WIREWATCH_TOKEN``, or one made for this run). A browser gives it once and gets a signed
cookie; scripts and feed readers send it as ``Authorization: Bearer`` or as the password of Basic.

A form carries a token of its own against cross-site request forgery: a signature over the visitor's cookie, under a
mask that is new in each page, so that compression cannot give it away (BREACH). Browsers' own word on where a request
comes from (``Sec-Fetch-Site``, ``Origin``) is checked besides, in ``guard``.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass, field
from typing import Final

from starlette.requests import HTTPConnection
from starlette.responses import Response

SESSION: Final = "wirewatch-session"
VISIT: Final = "wirewatch-visit"
LASTS: Final = 14 * 86_400
"""Seconds until the token is asked for again."""


@dataclass(frozen=True, slots=True)
class Login:
    """``token`` is ``None`` where no login is asked for: the page is reached from this machine alone."""

    token: str | None
    _key: bytes = field(default=b"", repr=False)

    @classmethod
    def of(cls, token: str | None) -> Login:
        """With a token, sessions outlive a restart; without one, only forms are signed and the key is this run's."""
        key = hashlib.sha256(b"wirewatch page\0" + token.encode()).digest() if token else secrets.token_bytes(32)
        return cls(token, key)

    def admits(self, connection: HTTPConnection) -> bool:
        """Whether this visitor may see more than the login form."""
        return self.token is None or self.bears_token(connection) or self._session(connection)

    def bears_token(self, connection: HTTPConnection) -> bool:
        """Whether the request itself carries the token, as no other site can make a browser do."""
        kind, _, given = connection.headers.get("authorization", "").partition(" ")
        if kind.lower() == "basic":
            try:
                given = base64.b64decode(given, validate=True).decode().partition(":")[2]
            except ValueError:  # no Base64, or no text in it
                return False
        elif kind.lower() != "bearer":
            return False
        return self.matches(given.strip())

    def matches(self, given: str) -> bool:
        """Whether this is the token, compared in constant time."""
        return self.token is not None and hmac.compare_digest(given.encode(), self.token.encode())

    def _session(self, connection: HTTPConnection) -> bool:
        ends, _, signature = connection.cookies.get(SESSION, "").partition(".")
        if not ends.isascii() or not ends.isdigit() or int(ends) < time.time():
            return False
        return hmac.compare_digest(signature.encode(), self._sign(f"session {ends}").hex().encode())

    def begin(self, response: Response, *, secure: bool) -> None:
        """Let this visitor in from now on."""
        ends = str(int(time.time()) + LASTS)
        value = f"{ends}.{self._sign(f'session {ends}').hex()}"
        # Lax: a link in a chat or a mail should not end at the login form.
        response.set_cookie(SESSION, value, max_age=LASTS, httponly=True, samesite="lax", secure=secure)

    def end(self, response: Response) -> None:
        response.delete_cookie(SESSION)

    def form_token(self, visit: str) -> str:
        """What a form must carry that is to change anything, for the visitor with this cookie."""
        right = self._sign(f"form {visit}")
        mask = secrets.token_bytes(len(right))
        return (mask + bytes(a ^ b for a, b in zip(mask, right, strict=True))).hex()

    def is_our_form(self, visit: str, given: str) -> bool:
        """Whether a form's token was made for the visitor with this cookie."""
        try:
            raw = bytes.fromhex(given)
        except ValueError:
            return False
        right = self._sign(f"form {visit}")
        if not visit or len(raw) != 2 * len(right):
            return False
        mask, masked = raw[: len(right)], raw[len(right) :]
        return hmac.compare_digest(bytes(a ^ b for a, b in zip(mask, masked, strict=True)), right)

    def _sign(self, text: str) -> bytes:
        return hmac.digest(self._key, text.encode(), "sha256")
