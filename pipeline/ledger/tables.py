"""The ledger's tables. SQLite and PostgreSQL are served from this one text; ``migrations/`` makes and changes them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)
from sqlalchemy.types import TypeDecorator


class UtcTime(TypeDecorator[datetime]):
    """An aware UTC datetime as text of fixed width, so that it sorts, and reads well in any database browser."""

    impl = String(27)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> str | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a naive time came to the ledger: {value!r}")
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")

    def process_result_value(self, value: str | None, dialect: Any) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)


metadata = MetaData()

feeds = Table(
    "feeds",
    metadata,
    Column("id", String(20), primary_key=True),
    Column("url", Text, nullable=False),
    Column("host", Text, nullable=False, default=""),
    Column("added", UtcTime, nullable=False),
    Column("title", Text, nullable=False, default=""),
    Column("source", Text, nullable=False, default=""),
    Column("site", Text),
    Column("state", String(16), nullable=False, default="active"),
    Column("etag", Text),
    Column("last_modified", Text),
    Column("body_hash", Text),
    Column("interval", Float, nullable=False),
    Column("next_poll", UtcTime),
    Column("last_polled", UtcTime),
    Column("last_success", UtcTime),
    Column("last_new", UtcTime),
    Column("failures", Integer, nullable=False, default=0),
    Column("reason", Text),
    Column("code", String(40)),
    Column("hub", Text),
    Column("topic", Text),
    Column("polls", Integer, nullable=False, default=0),
    Column("baseline", Boolean, nullable=False, default=True),
    Column("identity", String(8), nullable=False, default="auto", server_default="auto"),
    Column("lease_owner", String(120)),
    Column("lease_until", UtcTime),
    Index("feeds_due", "next_poll"),
)

# The hosts that somebody polls or fetches from now: one worker at a time, so that all workers together are one guest.
hosts = Table(
    "hosts",
    metadata,
    Column("host", Text, primary_key=True),
    Column("not_before", UtcTime),  # it asked to be left alone until then
    Column("lease_owner", String(120)),
    Column("lease_until", UtcTime),
)

# What hubs (WebSub) were asked to push: one row a feed. ``secret`` signs what they send, ``token`` names the callback.
subscriptions = Table(
    "subscriptions",
    metadata,
    Column("feed", String(20), primary_key=True),
    Column("hub", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("token", String(64), nullable=False),
    Column("secret", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("asked", UtcTime),
    Column("next_ask", UtcTime),  # when to subscribe, or to renew
    Column("expires", UtcTime),
    Column("reason", Text),
    Column("failures", Integer, nullable=False, default=0),
    Column("last_push", UtcTime),
    Index("subscriptions_token", "token"),
)

# An item is one thing to be fetched: everything that feeds announce under one normalised link. Several sightings may
# lead to one item; several items may turn out to be one article, and then one of them owns it.
items = Table(
    "items",
    metadata,
    Column("id", String(20), primary_key=True),
    Column("url", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("sighting", String(20), nullable=False),
    Column("first_seen", UtcTime, nullable=False),
    Column("state", String(16), nullable=False),
    Column("owed", String(16)),
    Column("due", UtcTime),
    Column("fetches", Integer, nullable=False, default=0),  # failed fetches in a row
    Column("attempts", Integer, nullable=False, default=0),  # failed attempts at extract, enrich or index
    Column("stage", String(16)),
    Column("reason", Text),
    Column("code", String(40)),
    Column("body_reason", Text),  # why the feed's own text stands in for the page
    Column("fetch_again", UtcTime),  # when the page is to be asked for once more, after that text is indexed
    Column("warc_file", Text),
    Column("warc_offset", Integer),
    Column("article", String(20)),
    Column("indexed", UtcTime),
    Column("lease_owner", String(120)),
    Column("lease_until", UtcTime),
    Column("etag", Text),  # the page's validators, byte for byte, for asking whether it was changed
    Column("last_modified", Text),
    Column("page_hash", String(20)),
    Column("batch", String(40)),  # the round in which it was last claimed (see batches.py)
    Column("quarantined", UtcTime),  # when it last failed for good
    Column("tries", Integer, nullable=False, default=0, server_default="0"),  # how often it was let out unasked
    Index("items_owed", "owed", "due"),
    Index("items_state", "state"),
    Index("items_lease", "lease_owner"),
    Index("items_article", "article"),
    Index("items_batch", "batch"),
)

sightings = Table(
    "sightings",
    metadata,
    Column("id", String(20), primary_key=True),
    Column("feed", String(20), nullable=False),
    Column("item", String(20), ForeignKey("items.id"), nullable=False),
    Column("first_seen", UtcTime, nullable=False),
    Column("baseline", Boolean, nullable=False),
    Column("record", Text, nullable=False),
    Column("said", String(20)),  # a digest of the headline and times that the entry had when it was last polled
    Column("changes", Integer, nullable=False, default=0, server_default="0"),  # how often those were changed
    Index("sightings_item", "item"),
    Index("sightings_volume", "feed", "first_seen"),
)

# Entries of feeds whose links or GUIDs tell nothing: the key under which each is known again, and the item it led to.
identities = Table(
    "identities",
    metadata,
    Column("key", String(20), primary_key=True),
    Column("sighting", String(20), primary_key=True),
    Column("feed", String(20), nullable=False),
    Column("item", String(20), nullable=False),
    Column("time", UtcTime, nullable=False),  # when it came out, as its entry last said
    Column("seen", UtcTime, nullable=False),  # when it last stood in the feed
    Index("identities_seen", "seen"),
)

# How often pages of a host were looked at again on a day, so that no host is asked more than it should be.
visits = Table(
    "visits",
    metadata,
    Column("host", Text, primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("count", Integer, nullable=False),
)

# Which item speaks for an article: the first one that was seen.
articles = Table(
    "articles",
    metadata,
    Column("id", String(20), primary_key=True),
    Column("item", String(20), ForeignKey("items.id"), nullable=False),
)

# What the operator should know now: one line a key, gone when it no longer holds ("index: waiting, disk full").
notes = Table(
    "notes",
    metadata,
    Column("key", String(80), primary_key=True),
    Column("text", Text, nullable=False),
    Column("since", UtcTime, nullable=False),
)

# The rules and channels in force, each in its last good form; ``fault`` is why its file says otherwise now.
alert_rules = Table(
    "alert_rules",
    metadata,
    Column("kind", String(16), primary_key=True),  # rule, channel
    Column("name", String(80), primary_key=True),
    Column("file", Text, nullable=False),
    Column("line", Integer, nullable=False),
    Column("form", Text, nullable=False),
    Column("fault", Text),
)

silences = Table(
    "silences",
    metadata,
    Column("rule", String(80), primary_key=True),
    Column("until", UtcTime, nullable=False),
)

# Every match of a rule, whether anybody was told or not: what a throttle and a digest remember.
alerts = Table(
    "alerts",
    metadata,
    Column("id", String(20), primary_key=True),  # of rule, story and version: the same match comes only once
    Column("rule", String(80), nullable=False),
    Column("story", String(20), nullable=False),
    Column("version", Integer, nullable=False),
    Column("article", String(20), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("need", Integer, nullable=False, default=1),  # independent sources that it waits for
    Column("channels", Text, nullable=False),  # names, parted by spaces
    Column("fired", UtcTime, nullable=False),
    Column("record", Text, nullable=False),
    Index("alerts_story", "story"),
    Index("alerts_rule", "rule", "fired"),
)

# The outbox: each alert on its way out by one channel.
deliveries = Table(
    "deliveries",
    metadata,
    Column("alert", String(20), ForeignKey("alerts.id"), primary_key=True),
    Column("channel", String(40), primary_key=True),
    Column("rule", String(80), nullable=False),
    Column("state", String(16), nullable=False),
    Column("due", UtcTime),
    Column("held", String(16)),  # digest, throttle or quiet: it goes out with what else has waited
    Column("message", String(20)),  # the idempotency key that it goes out under, from the first attempt on
    Column("attempts", Integer, nullable=False, default=0),
    Column("first_attempt", UtcTime),
    Column("last_attempt", UtcTime),
    Column("delivered", UtcTime),
    Column("reason", Text),  # why the last attempt failed
    Column("lease_owner", String(120)),
    Column("lease_until", UtcTime),
    Index("deliveries_due", "state", "due"),
    Index("deliveries_message", "message"),
    Index("deliveries_rule", "rule", "channel"),
)
