"""Stories measured: a labelled set of copies, follow-ups and accounts, its peers, and growth to a million articles."""
