"""Elasticsearch behind the port of the index.

``mappings`` reads the templates in the folder of that name, ``connection`` talks to the server and says what went
wrong, ``compile`` turns the checked query tree into Elasticsearch's query objects, ``documents`` a document into what
is kept and back, ``pages`` and ``counts`` are parts of a search, ``index`` is the adapter, ``upkeep`` sets up and
migrates.
"""
