"""Feeds: found, polled by conditional GET, parsed, scheduled, imported and exported, and their health in words."""

from pipeline.feeds.discover import Discovered, discover
from pipeline.feeds.entry import Entry, ParsedFeed
from pipeline.feeds.health import Volume, gone_quiet, health, pushed, volume_of
from pipeline.feeds.opml import OpmlFeed, OpmlList, OpmlSkipped, list_opml, read_opml, write_opml
from pipeline.feeds.parse import parse
from pipeline.feeds.poll import Gets, Outcome, Polled, accept, announced, poll
from pipeline.feeds.schedule import settle

__all__ = [
    "Discovered",
    "Entry",
    "Gets",
    "OpmlFeed",
    "OpmlList",
    "OpmlSkipped",
    "Outcome",
    "ParsedFeed",
    "Polled",
    "Volume",
    "accept",
    "announced",
    "discover",
    "gone_quiet",
    "health",
    "list_opml",
    "parse",
    "poll",
    "pushed",
    "read_opml",
    "settle",
    "volume_of",
    "write_opml",
]
