"""The ledger's tables of stories: where each article stands, under which keys it is found, its versions and claims.

SQLite and PostgreSQL are served from this one text, as ``tables`` is.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, LargeBinary, String, Table, Text

from pipeline.ledger.tables import UtcTime, metadata

Big = BigInteger().with_variant(Integer, "sqlite")  # the only type that SQLite takes for its own row number

stories = Table(
    "stories",
    metadata,
    Column("id", String(20), primary_key=True),
    Column("leads_to", String(20)),  # the story that this one turned out to be
    Column("created", UtcTime, nullable=False),
    Column("revision", Integer, nullable=False),  # counts changes of what its documents say
    Column("owed", Boolean, nullable=False, default=False),  # whether documents in the index say less than we know
    Column("lease_owner", String(120)),
    Column("lease_until", UtcTime),
    Index("stories_leads_to", "leads_to"),
    Index("stories_owed", "owed"),
)

# One row an article: what its document says of its story, and what it is compared by.
placements = Table(
    "placements",
    metadata,
    Column("number", Big, primary_key=True, autoincrement=False),
    Column("article", String(20), nullable=False),
    Column("story", String(20), nullable=False),
    Column("text_group", String(20), nullable=False),  # the same for all copies of one text
    Column("time", UtcTime, nullable=False),
    Column("seen", UtcTime, nullable=False),
    Column("source", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("title_key", Big, nullable=False),
    Column("origin", Text, nullable=False),
    Column("origin_from", String(16), nullable=False),
    Column("weak", Boolean, nullable=False),
    Column("body_source", String(8), nullable=False),
    Column("fingerprint", String(20), nullable=False),
    Column("version", Integer, nullable=False),
    Column("update_number", Integer, nullable=False),
    Column("kills", Big),  # the key of the headline that this article takes back
    Column("status", String(16), nullable=False),
    Column("status_at", UtcTime),
    Column("status_note", Text),
    Column("likeness", LargeBinary, nullable=False),
    Index("placements_story", "story"),
    Index("placements_text", "text_group"),
)

# Where articles are filed: under each key the minutes in which they were seen, so that the newest are found first.
story_keys = Table(
    "story_keys",
    metadata,
    Column("key", Big, primary_key=True, autoincrement=False),
    Column("minute", Integer, primary_key=True, autoincrement=False),
    Column("number", Big, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

versions = Table(
    "versions",
    metadata,
    Column("article", String(20), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("fingerprint", String(20), nullable=False),
    Column("title", Text, nullable=False),
    Column("warc_file", Text),
    Column("warc_offset", Integer),
    Column("difference", Text),
)

claims = Table(
    "claims",
    metadata,
    Column("number", Big, primary_key=True, autoincrement=False),
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("assertion", String(20), nullable=False),
    Column("speaker", Text, nullable=False),
    Column("last_name", Text, nullable=False),
    Column("minute", Integer, nullable=False),
    Column("stance", Integer, nullable=False),
    Column("plain", Boolean, nullable=False),
    Column("shown", Text, nullable=False),
    Column("cue", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("terms", LargeBinary, nullable=False),
    Index("claims_speaker", "last_name", "minute"),
    Index("claims_assertion", "assertion"),
)

# Two claims that stand against each other, each pair once, the earlier first.
opposites = Table(
    "opposites",
    metadata,
    Column("number", Big, primary_key=True, autoincrement=False),
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("other_number", Big, primary_key=True, autoincrement=False),
    Column("other_n", Integer, primary_key=True, autoincrement=False),
    Column("relation", String(16), nullable=False),
    Column("confidence", Float, nullable=False),
    Index("opposites_other", "other_number", "other_n"),
)
