"""What is owed: feeds and when each is due, every sighting, the state of every item, leases, quarantine.

The ledger is a database (SQLite in the data folder; PostgreSQL by a URL for more than one machine), so that a worker
that is killed loses its lease and never its work. Everything here is at-least-once with deterministic ids.
"""

from typing import TYPE_CHECKING

from pipeline.ledger.changes import (
    Again,
    Change,
    Duplicate,
    FellBack,
    Fetched,
    GaveUp,
    Indexed,
    Item,
    ItemState,
    Owed,
    Quarantined,
    Retry,
    Skipped,
    Unchanged,
)
from pipeline.ledger.telling import (
    AlertState,
    Delivery,
    DeliveryState,
    Fired,
    Hold,
    Parcel,
    StoryNow,
    Told,
    Verdict,
    Waiting,
)

if TYPE_CHECKING:
    from pipeline.ledger.batches import claims_of, round_of
    from pipeline.ledger.database import open_ledger
    from pipeline.ledger.store import Ledger, this_worker

__all__ = [
    "Again",
    "AlertState",
    "Change",
    "Delivery",
    "DeliveryState",
    "Duplicate",
    "FellBack",
    "Fetched",
    "Fired",
    "GaveUp",
    "Hold",
    "Indexed",
    "Item",
    "ItemState",
    "Ledger",
    "Owed",
    "Parcel",
    "Quarantined",
    "Retry",
    "Skipped",
    "StoryNow",
    "Told",
    "Unchanged",
    "Verdict",
    "Waiting",
    "claims_of",
    "open_ledger",
    "round_of",
    "this_worker",
]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """The names that need SQLAlchemy, on first use: worker processes speak of changes and items, and open no
        database; it takes half a second of CPU to import."""
        if name == "open_ledger":
            from pipeline.ledger import database

            return database.open_ledger
        if name in ("claims_of", "round_of"):
            from pipeline.ledger import batches

            return getattr(batches, name)
        if name in ("Ledger", "this_worker"):
            from pipeline.ledger import store

            return getattr(store, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
