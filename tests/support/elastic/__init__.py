"""A real Elasticsearch for tests: ``package`` fetches it, ``keeper`` looks after it, ``server`` starts it."""

from tests.support.elastic.package import NotHadError
from tests.support.elastic.server import ElasticServer, shared_server

__all__ = ["ElasticServer", "NotHadError", "shared_server"]
