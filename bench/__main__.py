"""All benches, one after the other: ``make bench``. Each prints its figures beside a peer's from the same run."""

from __future__ import annotations

import subprocess
import sys

BENCHES = (
    "bench.extract",
    "bench.pipeline",
    "bench.search",
    "bench.elastic",
    "bench.stories",
    "bench.page",
    "bench.alerts",
    "bench.latency",
    "bench.feeds",
    "bench.quality",
    "bench.peers",
)


def main() -> int:
    failed = 0
    for name in BENCHES:
        print(f"\n== {name} ==", flush=True)
        failed |= subprocess.run([sys.executable, "-m", name], check=False).returncode
    return failed


if __name__ == "__main__":
    sys.exit(main())
