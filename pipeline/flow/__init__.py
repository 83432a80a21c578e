"""The stages, in order: poll, fetch, then extract + enrich + index. The only place that knows that order.

Each stage takes from the ledger what is owed to it, under a lease, and writes back what became of it; so the stages
run beside each other, several processes can share one ledger, and a worker may be killed at any moment. The drivers
(``wirewatch run``, the DAGs, replay) call what is here and have no logic of their own.

``run`` is all stages in one process, ``shift`` what they share, ``poll``, ``fetch`` and ``index`` the stages,
``outcomes`` what becomes of an item after each failure.
"""

from pipeline.flow.outcomes import (
    PERMANENT_DELAYS,
    TRANSIENT_DELAYS,
    after_failed_extraction,
    after_failed_fetch,
    next_fetch,
    settling,
)
from pipeline.flow.run import Flow
from pipeline.flow.shift import Shift, Tally, heed, utc_now

__all__ = [
    "PERMANENT_DELAYS",
    "TRANSIENT_DELAYS",
    "Flow",
    "Shift",
    "Tally",
    "after_failed_extraction",
    "after_failed_fetch",
    "heed",
    "next_fetch",
    "settling",
    "utc_now",
]
