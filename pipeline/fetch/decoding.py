"""Content encodings, taken off while the bytes arrive, never making more than the cap: gzip, deflate, br, zstd.

The libraries decode; what is ours is that every step asks for a bounded piece of output, so that a bomb of a few
kilobytes stops at the cap and costs the cap and no more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import brotli  # type: ignore[import-untyped]
from backports import zstd
from isal import isal_zlib

PIECE = 256 * 1024
"""Most bytes that one step of a decoder makes (brotli may overshoot by one of its own blocks)."""

MAX_LAYERS = 2
"""Encodings on top of each other. Two are seen in the wild (a gzip behind a gzipping proxy), three are an attack."""

ACCEPT_ENCODING = "gzip, deflate, br, zstd"

_IGNORED = frozenset({"", "identity", "none", "utf-8", "utf8", "binary", "8bit"})
"""Values that say nothing; charsets are put there by misconfigured servers, and browsers pass over them."""

UnpackError: type[Exception] = isal_zlib.error  # type: ignore[assignment]  # its stub calls it an instance

_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_OPTIONS: dict[int, int] = {zstd.DecompressionParameter.window_log_max: 23}
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


class EncodingError(Exception):
    """A body that is not in the encoding that its headers name. Says how."""


class CapError(Exception):
    """A body that decodes to more than the cap."""


class _Layer(Protocol):
    def feed(self, data: bytes) -> Iterator[bytes]: ...

    def finished(self) -> bool: ...


class _Zlib:
    """gzip (any number of members) and deflate, zlib-wrapped or raw as servers send it."""

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._head = b""
        self._decoder: isal_zlib.Decompress | None = None
        self._plain = False
        self._ended = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        if self._plain:
            yield data
            return
        if self._ended:
            return  # padding after the last member
        if self._decoder is None:
            data = self._head + data
            if len(data) < 2:
                self._head = data
                return
            self._head = b""
            if self._encoding == "gzip" and not data.startswith(_GZIP_MAGIC):
                # Servers that say gzip and send plain text are common enough; nothing else starts with this magic.
                self._plain = True
                yield data
                return
            self._decoder = isal_zlib.decompressobj(self._window(data))
        while data:
            try:
                piece = self._decoder.decompress(data, PIECE)
            except UnpackError as error:
                raise EncodingError(f"not valid {self._encoding}: {error}") from error
            if piece:
                yield piece
            if self._decoder.eof:
                data = self._decoder.unused_data
                if self._encoding != "gzip" or not data.startswith(_GZIP_MAGIC):
                    self._ended = True
                    return
                self._decoder = isal_zlib.decompressobj(31)
            else:
                data = self._decoder.unconsumed_tail
                if not data and len(piece) == PIECE:
                    yield from self._drain()

    def _drain(self) -> Iterator[bytes]:
        """Output that zlib holds back though it has taken all input."""
        assert self._decoder is not None
        while piece := self._decoder.decompress(b"", PIECE):
            yield piece

    def _window(self, head: bytes) -> int:
        if self._encoding == "gzip":
            return 31
        wrapped = head[0] & 0x0F == 8 and int.from_bytes(head[:2], "big") % 31 == 0
        return 15 if wrapped else -15

    def finished(self) -> bool:
        if self._decoder is None:
            return self._plain or not self._head
        return self._ended or self._decoder.eof


class _Brotli:
    def __init__(self) -> None:
        self._decoder = brotli.Decompressor()
        self._fed = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        self._fed = True
        if self._decoder.is_finished():
            return
        try:
            piece = self._decoder.process(data, output_buffer_limit=PIECE)
            while True:
                if piece:
                    yield piece
                if self._decoder.is_finished() or (not piece and self._decoder.can_accept_more_data()):
                    return
                if self._decoder.can_accept_more_data():
                    return
                piece = self._decoder.process(b"", output_buffer_limit=PIECE)
        except brotli.error as error:
            raise EncodingError(f"not valid br: {error}") from error

    def finished(self) -> bool:
        return not self._fed or bool(self._decoder.is_finished())


class _Zstd:
    """Zstandard frames, with the window of at most 8 MB that RFC 9659 sets for HTTP."""

    def __init__(self) -> None:
        self._decoder = zstd.ZstdDecompressor(options=_ZSTD_OPTIONS)
        self._fed = False
        self._ended = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        self._fed = True
        if self._ended:
            return
        try:
            while True:
                piece = self._decoder.decompress(data, PIECE)
                if piece:
                    yield piece
                data = b""
                if self._decoder.eof:
                    data = self._decoder.unused_data
                    if not data.startswith(_ZSTD_MAGIC):
                        self._ended = True
                        return
                    self._decoder = zstd.ZstdDecompressor(options=_ZSTD_OPTIONS)
                elif self._decoder.needs_input:
                    return
        except zstd.ZstdError as error:
            raise EncodingError(f"not valid zstd: {error}") from error

    def finished(self) -> bool:
        return not self._fed or self._ended or self._decoder.eof


class BodyDecoder:
    """Takes wire bytes piece by piece and collects the decoded body, at most ``cap`` bytes at every layer.

    ``encodings`` are the values of the Content-Encoding headers. Raises EncodingError for one that is unknown and for
    more than two.
    """

    def __init__(self, encodings: Sequence[str], cap: int) -> None:
        names = [name.strip().lower() for value in encodings for name in value.split(",")]
        layers: list[_Layer] = [_layer(name) for name in names if name not in _IGNORED]
        if len(layers) > MAX_LAYERS:
            raise EncodingError(f"{len(layers)} content encodings on top of each other")
        self._layers = layers[::-1]  # applied first is listed first, so the last comes off first
        self._made = [0] * len(layers)
        self._cap = cap
        self._pieces: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> None:
        """Take bytes off the wire. Raises CapError past the cap, EncodingError for bytes that do not decode."""
        for piece in self._through(0, data):
            self._size += len(piece)
            self._pieces.append(piece)
            if self._size > self._cap:
                raise CapError

    def _through(self, depth: int, data: bytes) -> Iterator[bytes]:
        if depth == len(self._layers):
            yield data
            return
        for piece in self._layers[depth].feed(data):
            self._made[depth] += len(piece)
            if self._made[depth] > self._cap:
                # What is under the cap still counts, for callers that take the beginning of a long file.
                room = self._cap - self._made[depth] + len(piece)
                yield from self._through(depth + 1, piece[:room])
                raise CapError
            yield from self._through(depth + 1, piece)

    def begun(self) -> bytes:
        """What was decoded so far, at most ``cap`` bytes."""
        return b"".join(self._pieces)[: self._cap]

    def body(self) -> bytes:
        """The whole body. Raises EncodingError where a layer ends before its end mark: the body is cut short."""
        for layer in self._layers:
            if not layer.finished():
                raise EncodingError("the compressed body ends too early")
        return self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)


def _layer(name: str) -> _Layer:
    match name:
        case "gzip" | "x-gzip":
            return _Zlib("gzip")
        case "deflate":
            return _Zlib("deflate")
        case "br":
            return _Brotli()
        case "zstd":
            return _Zstd()
    raise EncodingError(f"unknown content encoding {name!r}")
