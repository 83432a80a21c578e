"""Stories: which articles are copies of one text or accounts of one event, whose text it is, and what became of it."""
