"""What is owed: feeds and when each is due, every sighting, the state of every item, leases, quarantine.

The ledger is a database (SQLite in the data folder; PostgreSQL by a URL for more than one machine), so that a worker
that is killed loses its lease and never its work. Everything here is at-least-once with deterministic ids.
"""

from pipeline.ledger.changes import (
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
)
from pipeline.ledger.database import open_ledger
from pipeline.ledger.store import Ledger, this_worker

__all__ = [
    "Change",
    "Duplicate",
    "FellBack",
    "Fetched",
    "GaveUp",
    "Indexed",
    "Item",
    "ItemState",
    "Ledger",
    "Owed",
    "Quarantined",
    "Retry",
    "Skipped",
    "open_ledger",
    "this_worker",
]
