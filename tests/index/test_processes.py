"""Several processes on one index, and processes that are killed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.index import Kind, SearchRequest
from pipeline.index.embedded import EmbeddedIndex
from pipeline.records import Document, to_json
from tests.conformance.wire import WIRE, id_of
from tests.index.upserter import ARTICLES, written

ROOT = Path(__file__).parents[2]


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.index.upserter", str(folder), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def versions(index: EmbeddedIndex, name: str) -> list[int]:
    """The version of each article, once it is sure that each is whole and of one piece with its claims."""
    found = []
    for n in range(ARTICLES):
        whole = index.get(id_of(f"{name}-{n}"))
        assert whole is not None
        assert whole == written(name, n, whole.article.version)
        claims = index.search(SearchRequest(query=f"article:{whole.article.id}", kind=Kind.CLAIMS, limit=100)).hits
        assert [hit.record["content"] for hit in sorted(claims, key=lambda hit: hit.record["n"])] == [
            claim.content.text for claim in whole.enriched.claims
        ]
        found.append(whole.article.version)
    return found


@pytest.mark.slow
def test_an_index_whose_writer_is_killed_at_any_moment_holds_whole_batches_only(tmp_path: Path) -> None:
    dice = random.Random(20261123)
    reached = 0
    for _ in range(8):
        process = start(tmp_path / "index", "killed", str(reached + 1))
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        lines = [process.stdout.readline() for _ in range(dice.randrange(3))]
        time.sleep(dice.uniform(0.0, 0.1))
        os.kill(process.pid, signal.SIGKILL)
        returned = [int(line.split()[1]) for line in (*lines, *process.stdout.read().splitlines())]
        process.wait()
        index = EmbeddedIndex(tmp_path / "index")
        assert index.check() == []
        if index.count(Kind.ARTICLES):
            found = versions(index, "killed")
            assert len(set(found)) == 1, "a batch is there in part"
            assert found[0] in {max(returned, default=reached), max(returned, default=reached) + 1}
            reached = found[0]
        else:
            assert not returned
        index.close()
    assert reached


def test_two_processes_upserting_at_once_wait_for_each_other_and_lose_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    processes = [start(folder, name, "1", "12") for name in ("one", "two")]
    reader = EmbeddedIndex(folder)
    while any(process.poll() is None for process in processes):
        for name in ("one", "two"):  # a reader sees whole batches meanwhile
            hits = reader.search(SearchRequest(query=f"url:*{name}*", limit=50)).hits
            assert len(hits) in {0, ARTICLES}
            assert len({hit.record["article"]["version"] for hit in hits}) <= 1
    for process in processes:
        output, _ = process.communicate(timeout=120)
        assert process.returncode == 0
        assert output.splitlines()[-1] == "done 12"
    index = EmbeddedIndex(folder)
    assert versions(index, "one") == versions(index, "two") == [12] * ARTICLES
    assert index.check() == []


def test_two_processes_that_open_a_new_folder_at_once_share_one_index(tmp_path: Path) -> None:
    processes = [start(tmp_path / "index", name, "1", "1") for name in ("one", "two", "three")]
    for process in processes:
        process.communicate(timeout=120)
        assert process.returncode == 0
    assert EmbeddedIndex(tmp_path / "index").count(Kind.ARTICLES) == 3 * ARTICLES


def leave_behind(folder: Path, documents: list[Document]) -> None:
    """What a process leaves that is killed after it wrote its batch down and before it committed anything."""
    (folder / "pending.jsonl").write_bytes(b"".join(to_json(document) + b"\n" for document in documents))


def test_a_batch_left_behind_is_finished_by_the_next_writer(tmp_path: Path) -> None:
    index = EmbeddedIndex(tmp_path)
    index.upsert([WIRE["oil"]])
    leave_behind(tmp_path, [WIRE["talks"], WIRE["denial"]])
    index.upsert([WIRE["court"]])
    assert set(index.ids()) == {id_of(name) for name in ("oil", "talks", "denial", "court")}
    assert index.count(Kind.CLAIMS) == 5
    assert index.check() == []
    assert not (tmp_path / "pending.jsonl").exists()


def test_a_batch_left_behind_does_not_bring_back_what_is_deleted_after_it(tmp_path: Path) -> None:
    index = EmbeddedIndex(tmp_path)
    leave_behind(tmp_path, [WIRE["talks"]])
    index.delete([id_of("talks")])
    assert (index.count(Kind.ARTICLES), index.count(Kind.CLAIMS)) == (0, 0)


def test_a_batch_left_behind_that_cannot_be_read_is_dropped(tmp_path: Path) -> None:
    index = EmbeddedIndex(tmp_path)
    (tmp_path / "pending.jsonl").write_bytes(to_json(WIRE["talks"]) + b'\n{"article": {"id"')
    index.upsert([WIRE["oil"]])
    assert list(index.ids()) == [id_of("oil")]


def test_threads_may_search_while_one_writes(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    index = EmbeddedIndex(tmp_path)

    def search() -> None:
        for _ in range(50):
            result = index.search(SearchRequest(query="version", facets=("source",)))
            assert result.total in {0, ARTICLES}
            assert len({hit.record["article"]["version"] for hit in result.hits}) <= 1

    with ThreadPoolExecutor(3) as pool:
        searches = [pool.submit(search) for _ in range(2)]
        for version in range(1, 8):
            index.upsert([written("threads", n, version) for n in range(ARTICLES)])
        for done in searches:
            done.result()
