from __future__ import annotations

import time
import urllib.error
import urllib.request

import psutil
import pytest

from tests.support.elastic import ElasticServer, NotHadError


def processes(server: ElasticServer) -> list[psutil.Process]:
    """All processes that know of this server's folder."""
    known = psutil.process_iter(["cmdline"])
    return [each for each in known if any(str(server.folder) in part for part in each.info["cmdline"] or ())]


def test_a_server_of_ones_own_keeps_its_data_over_a_crash_and_leaves_no_process() -> None:
    server = ElasticServer()
    try:
        try:
            server.start()
        except NotHadError as error:
            pytest.skip(str(error))
        request = urllib.request.Request(
            f"{server.url}/kept/_doc/1", b'{"n": 1}', {"Content-Type": "application/json"}, method="PUT"
        )
        urllib.request.urlopen(request).close()
        if psutil.Process().username() == "root":
            assert {process.username() for process in processes(server) if "java" in process.name()} == {"nobody"}
        server.stop()
        with pytest.raises(urllib.error.URLError):
            urllib.request.urlopen(server.url)
        server.start()
        for _ in range(100):  # the shard is taken up a moment after the node answers
            try:
                assert b'"n": 1' in urllib.request.urlopen(f"{server.url}/kept/_doc/1").read()
                break
            except urllib.error.HTTPError:
                time.sleep(0.1)
        else:
            pytest.fail("the document is gone")
    finally:
        server.close()
    for _ in range(50):
        if not processes(server):
            break
        time.sleep(0.1)
    assert processes(server) == []
    assert not server.folder.exists()
