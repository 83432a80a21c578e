"""Wirewatch: watches news wires, keeps what it saw, finds who claims what, and makes it searchable."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("wirewatch")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0+unknown"
