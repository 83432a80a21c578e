"""How good the enrichment is, measured on corpora beside the repository, with floors under which a run fails.

``python -m bench.quality`` runs every measure, ``python -m bench.quality attribution`` one. A measure is a module with
``measure(split) -> Report``; it is listed in ``__main__.MEASURES``, and its floors stand in ``floors.toml``.
"""
