"""Serves the demo's newsroom until standard input closes, for benches where the recorded wire is absent."""

from __future__ import annotations

import json
import sys

from pipeline.demo import Newsroom

if __name__ == "__main__":
    with Newsroom(slow=0.0) as room:
        print(json.dumps({"feeds": [feed.url for feed in room.feeds], "hosts": list(room.hosts)}), flush=True)
        sys.stdin.read()
