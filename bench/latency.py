"""How long it takes from a page being served to its alert standing at a webhook, in a resident run.

A site on loopback brings out a story a second; `wirewatch run` polls it, and delivers what two rules fire on to a
receiver on loopback. The time is by the wall clock, from the page being asked for to the webhook's request being there
whole; so it holds only for a machine with little else to do, and the load is printed beside it. The peer is a look once
a minute at what came in the minute before, as alerting by a window does: half a minute in the mean, by arithmetic.

    python -m bench.latency [--stories 60] [--enrich] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pipeline.flow import utc_now
from pipeline.ledger import open_ledger
from pipeline.records import Feed, feed_id
from pipeline.settings import load_settings
from tests.alerts.test_kill import RULES, Site
from tests.support.receiver import SECRET, Receiver

TARGET = 2.0
"""Seconds, p95."""
PAUSE = 1.0
RULES_A_STORY = 2


class TimedSite(Site):
    """Notes when each page was asked for: stories are updated and corrected, and those alerts come of a later look."""

    def __enter__(self) -> TimedSite:
        self.served: dict[str, list[float]] = {}
        super().__enter__()
        return self

    def page(self, path: str) -> tuple[str, str] | None:
        found = super().page(path)
        if found and found[0] == "text/html":
            self.served.setdefault(path, []).append(time.time())
        return found


def measure(stories: int, enrich: bool) -> list[float]:
    """Seconds from page to webhook, for every alert."""
    with TimedSite() as site, Receiver() as receiver, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "rules").mkdir()
        (folder / "rules" / "rules.yaml").write_text(RULES.replace("URL", receiver.url))
        ledger = open_ledger(load_settings(folder).ledger_file)
        url = f"http://{site.host}/a/feed.xml"
        ledger.add_feed(Feed(id=feed_id(url), url=url, added=utc_now(), source="Outlet a"))
        environment = os.environ | {
            "WIREWATCH_DATA": name,
            "WIREWATCH_ALLOW_HOSTS": site.host,
            "WIREWATCH_HOST_DELAY": "0",
            "WIREWATCH_MIN_INTERVAL": "1",
            "WIREWATCH_ENRICH": str(enrich).lower(),
            "HOOK_SECRET": SECRET,
        }
        process = subprocess.Popen([sys.executable, "-m", "pipeline", "run", "--quiet"], env=environment)
        try:
            _until(lambda: site.requests >= 1, 120)  # the silent first poll
            time.sleep(5)
            for _ in range(stories):
                site.publish()
                ledger.touch_feed(feed_id(url), utc_now())
                time.sleep(PAUSE)
            _until(lambda: len(receiver.taken) >= RULES_A_STORY * stories, 60)
        finally:
            process.terminate()
            process.wait(60)
            ledger.close()
        return [
            message.at
            - max(at for at in site.served[alert["url"].removeprefix(f"http://{site.host}")] if at < message.at)
            for message in receiver.taken
            for alert in message.body["alerts"]
        ]


def _until(holds: object, seconds: float) -> None:
    end = time.time() + seconds
    while not holds() and time.time() < end:  # type: ignore[operator]
        time.sleep(0.1)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--stories", type=int, default=60)
    arguments.add_argument("--enrich", action="store_true", help="find entities and claims, too")
    arguments.add_argument("--json", action="store_true")
    options = arguments.parse_args()
    took = sorted(measure(options.stories, options.enrich))
    report = {
        "stories": options.stories,
        "alerts": len(took),
        "p50_s": round(statistics.median(took), 2),
        "p95_s": round(statistics.quantiles(took, n=20)[-1], 2),
        "worst_s": round(took[-1], 2),
        "load": round(os.getloadavg()[0], 1),
        "processors": os.cpu_count(),
    }
    if options.json:
        print(json.dumps(report))
    else:
        print(
            f"page to webhook: p50 {report['p50_s']} s, p95 {report['p95_s']} s (at most {TARGET} wanted), worst "
            f"{report['worst_s']} s; {report['alerts']} alerts of {options.stories} stories, load {report['load']} on "
            f"{report['processors']} processors. A look once a minute at the minute before: 30 s in the mean"
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
