"""An index folder that is damaged, of another version, full or closed to us: a clear error each time."""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.errors import IndexDamagedError, IndexUnavailableError
from pipeline.index import Kind, SearchRequest, discard_index, open_index
from pipeline.index.embedded import EmbeddedIndex, discard
from pipeline.settings import Settings
from tests.conformance.wire import WIRE, document, id_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    index = EmbeddedIndex(tmp_path / "index")
    index.upsert(list(WIRE.values()))
    index.close()
    return tmp_path / "index"


def halve(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def scribble(file: Path) -> None:
    file.write_bytes(b"nonsense")


@pytest.mark.parametrize("harm", [halve, scribble, Path.unlink], ids=["halved", "overwritten", "gone"])
@pytest.mark.parametrize("pattern", ["articles/meta.json", "claims/*.term", "articles/*.store", "schema.json"])
def test_a_damaged_file_is_told_with_the_way_to_mend_it(
    folder: Path, pattern: str, harm: Callable[[Path], None]
) -> None:
    for file in folder.glob(pattern):
        harm(file)
    with pytest.raises(IndexDamagedError, match="wirewatch replay") as caught:
        EmbeddedIndex(folder).search(SearchRequest(query="kashmir"))
    assert str(folder) in str(caught.value)


@pytest.mark.parametrize("version", [0, 99])
def test_an_index_of_another_schema_version_has_to_be_replayed(folder: Path, version: int) -> None:
    (folder / "schema.json").write_text(json.dumps({"schema": version}), "utf-8")
    with pytest.raises(IndexDamagedError, match=f"schema version {version}"):
        EmbeddedIndex(folder)


@pytest.mark.parametrize("suffix", ["store", "idx", "pos", "fast", "term", "fieldnorm"])
def test_a_flipped_bit_is_found_by_a_check(folder: Path, suffix: str) -> None:
    file = next((folder / "articles").glob(f"*.{suffix}"))
    data = bytearray(file.read_bytes())
    data[len(data) // 3] ^= 0x10
    file.write_bytes(data)
    assert any(file.name in problem for problem in EmbeddedIndex(folder).check())


def test_a_check_finds_claims_without_their_article_and_articles_without_their_claims(folder: Path) -> None:
    index = EmbeddedIndex(folder)
    for kind, name in ((Kind.CLAIMS, "talks"), (Kind.ARTICLES, "denial")):
        writer = index._parts[kind].index.writer(15_000_000, 1)
        writer.delete_documents_by_term("article" if kind is Kind.CLAIMS else "id", id_of(name))
        writer.commit()
        writer.wait_merging_threads()
    problems = index.check()
    assert f"article {id_of('talks')} lacks 2 of its claims" in problems
    assert sum(id_of("denial") in problem for problem in problems) == 3


def test_a_discarded_index_is_empty_and_works_also_for_those_who_had_it_open(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    before = open_index(settings)
    before.upsert([WIRE["talks"]])
    scribble(settings.index_folder / "articles" / "meta.json")
    discard_index(settings)
    after = open_index(settings)
    after.upsert([WIRE["oil"]])
    assert list(after.ids()) == list(before.ids()) == [id_of("oil")]
    discard(tmp_path / "none")


def test_a_start_that_was_killed_half_way_is_begun_again(tmp_path: Path) -> None:
    index = EmbeddedIndex(tmp_path)
    index.close()
    (tmp_path / "schema.json").unlink()
    (tmp_path / "articles" / "meta.json").unlink()
    again = EmbeddedIndex(tmp_path)
    again.upsert([WIRE["oil"]])
    assert again.count(Kind.ARTICLES) == 1


def in_a_child(work: Callable[[], None]) -> None:
    """Run in a forked process, whose limits and user may be changed for good."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - the parent is told by the status
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_no_room_for_a_batch_leaves_the_index_as_it_was(folder: Path) -> None:
    def work() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        index = EmbeddedIndex(folder)
        with pytest.raises(IndexUnavailableError, match=r"grown larger|space"):
            index.upsert([document(f"big-{n}", "Big", "word " * 5_000) for n in range(5)])
        assert index.count(Kind.ARTICLES) == len(WIRE)

    in_a_child(work)
    index = EmbeddedIndex(folder)
    assert index.check() == []
    assert index.count(Kind.ARTICLES) == len(WIRE)
    index.upsert([document("big-0", "Big", "word")])
    assert index.count(Kind.ARTICLES) == len(WIRE) + 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user to be refused")
def test_a_folder_that_is_closed_to_us_is_told(tmp_path: Path) -> None:
    folder = Path(os.path.realpath(f"/tmp/wirewatch-test-{os.getpid()}"))
    folder.mkdir(mode=0o755)
    try:

        def work() -> None:
            os.setuid(65534)
            with pytest.raises(IndexUnavailableError, match="may not be read or written"):
                EmbeddedIndex(folder / "index")

        in_a_child(work)
    finally:
        folder.rmdir()
