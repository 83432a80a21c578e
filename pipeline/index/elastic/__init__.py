"""Elasticsearch behind the port of the index. ``mappings`` reads the templates in the folder of that name."""
