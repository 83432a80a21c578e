"""Alerts: rules matched against every document as it is indexed, an outbox in the ledger, and delivery from there.

``rules`` and ``files`` read what is asked for, ``matcher`` finds it, ``desk`` is what the flow calls with each batch,
``courier`` delivers what the ledger owes through ``channels``.
"""
