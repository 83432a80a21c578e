"""Trains the tagger that ``pipeline.enrich.tagger`` runs. Needs torch; nothing in ``pipeline`` imports this."""
