"""Speed and quality, each figure beside a peer's in the same run. ``make bench`` runs all of it."""
