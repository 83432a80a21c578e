"""Starts an Elasticsearch and ends it when nobody uses it any more, however its users ended.

    python -m tests.support.elastic.keeper FOLDER

Users hold a shared lock on ``FOLDER/users``, which goes with their process. Standard library only: it starts at once.
The server is killed, not asked to end: whoever wants its data afterwards has Elasticsearch's word that nothing is lost.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path


def main(folder: Path) -> None:
    task = json.loads((folder / "task.json").read_text())
    for ignored in (signal.SIGINT, signal.SIGHUP):  # of the terminal that the tests run in
        signal.signal(ignored, signal.SIG_IGN)
    with (folder / "users").open("a") as users, (folder / "output").open("ab") as output:
        server = subprocess.Popen(
            task["command"],
            env=os.environ | task["environment"],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            **({"user": task["user"], "group": task["user"], "extra_groups": []} if task["user"] else {}),
        )
        try:
            while server.poll() is None:
                time.sleep(0.2)
                with contextlib.suppress(BlockingIOError):
                    fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)
            server.wait()
    if task["remove"]:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
