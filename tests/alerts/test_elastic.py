"""Alerts in Elasticsearch, for Kibana: one document each, with what became of it."""

from __future__ import annotations

from pathlib import Path

from pipeline.flow import utc_now
from pipeline.flow.report import alert_row
from pipeline.index import upkeep_of
from pipeline.index.elastic.mappings import Part, alias
from pipeline.ledger import open_ledger
from pipeline.settings import Settings
from tests.alerts.test_delivery import full_alert
from tests.alerts.test_outbox import NOW, at_once, fired, record
from tests.conftest import own_prefix
from tests.support.elastic import ElasticServer


def test_an_alert_is_a_document_that_says_what_became_of_it(elasticsearch: ElasticServer, tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path / "ledger.sqlite")
    record(ledger, fired(full_alert(), channels=("desk", "log")))
    with own_prefix(elasticsearch) as prefix:
        upkeep = upkeep_of(Settings(data=tmp_path, index=elasticsearch.url, index_prefix=prefix))
        upkeep.init()
        for _ in range(2):
            upkeep.put_alerts(alert_row(told) for told in ledger.outbox.changed(NOW, 100))
        (parcel, _) = ledger.outbox.claim(NOW, "me", 60.0, at_once)
        ledger.outbox.sent(parcel, utc_now())
        upkeep.put_alerts(alert_row(told) for told in ledger.outbox.changed(NOW, 100))
        name = alias(prefix, Part.ALERTS)
        upkeep.client.indices.refresh(index=name)
        (hit,) = upkeep.client.search(index=name, query={"match": {"matched": "kashmir"}})["hits"]["hits"]
        found = hit["_source"]
        assert (hit["_id"], found["rule"], found["speaker"], found["class"]) == (
            full_alert().id,
            "kashmir",
            "Mary Ann Smith",
            "deny",
        )
        assert (found["channel"], found["state"], found["attempts"]) == (["desk", "log"], "owed", 2)
        upkeep.client.close()
    ledger.close()
