"""The archive: what goes in comes out, by location and in order, and damage costs only what it hits."""

from __future__ import annotations

import gzip
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator

from pipeline.errors import ArchiveError
from pipeline.fetch import Archive
from pipeline.fetch.client import MAX_URL
from pipeline.records import Location, Page, Sighting

WHEN = datetime(2026, 11, 23, 15, 4, 5, 678901, tzinfo=UTC)
HEADERS = (
    ("Content-Type", "text/html; charset=utf-8"),
    ("Content-Encoding", "br"),
    ("Transfer-Encoding", "chunked"),
    ("content-length", "17"),
    ("Set-Cookie", "a=1"),
    ("Set-Cookie", "b=2"),
    ("X-Archive-Orig-Server", "one that was archived before"),
    ("X-Town", "Zürich"),
    ("X-Empty", ""),
)


def page(name: str = "a", body: bytes | None = None, **changed: object) -> Page:
    made = Page(
        url=f"https://news.example/{name}?x=1",
        final_url=f"https://news.example/{name}",
        status=200,
        headers=HEADERS,
        body=f"<html><body>Story {name}\r\n\r\nEnd</body></html>".encode() if body is None else body,
        fetched=WHEN,
        moved_to=f"https://news.example/{name}",
    )
    return replace(made, **changed)  # type: ignore[arg-type]


def sighting(name: str = "a") -> Sighting:
    return Sighting(
        id=name, feed="f", url=f"https://news.example/{name}", first_seen=WHEN, title="Zürich – ✓", text="One.\n\nTwo."
    )


def everything(archive: Archive) -> tuple[list[tuple[Page, Sighting | None]], list[ArchiveError]]:
    errors: list[ArchiveError] = []
    return list(archive.pages(errors.append)), errors


def files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


# Round trip


def test_a_page_is_read_as_it_was_appended(tmp_path: Path) -> None:
    archive = Archive(tmp_path, 10**6)
    pages = [
        page(),
        page("b", b""),
        page("c", os.urandom(300_000), status=404, moved_to=None),
        page("d", status=999, headers=(), fetched=WHEN.replace(microsecond=0)),
        page("e", url="https://news.example/ä/日本?q=é"),
    ]
    locations = [archive.append(one) for one in pages]
    assert [archive.read(where) for where in locations] == [
        replace(one, location=where) for one, where in zip(pages, locations, strict=True)
    ]


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    body=st.binary(max_size=2000),
    status=st.integers(100, 999),
    headers=st.lists(
        st.tuples(
            st.from_regex(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,30}", fullmatch=True),
            st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=60).map(str.strip),
        ),
        max_size=8,
    ),
    path=st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters=" "), max_size=60),
    fetched=st.datetimes(timezones=st.just(UTC)),
)
def test_any_page_comes_back(
    tmp_path: Path, body: bytes, status: int, headers: list[tuple[str, str]], path: str, fetched: datetime
) -> None:
    archive = Archive(tmp_path, 10**6)
    one = page(url=f"http://x/{path}", body=body, status=status, headers=tuple(headers), fetched=fetched, moved_to=None)
    where = archive.append(one)
    archive.close()
    assert archive.read(where) == replace(one, location=where)


def test_what_no_header_line_can_hold_is_made_to_fit(tmp_path: Path) -> None:
    archive = Archive(tmp_path, 10**6)
    odd = page(url="http://x/a b\r\nEvil: 1\ud800", headers=(("X", "a\r\nEvil: 1"),), final_url="http://x/\t")
    read = archive.read(archive.append(odd))
    assert read.url == "http://x/a%20b%0D%0AEvil:%201%ED%A0%80"
    assert read.headers == (("X", "a Evil: 1"),)
    assert read.final_url == "http://x/%09"


def test_the_longest_addresses_fit(tmp_path: Path) -> None:
    archive = Archive(tmp_path, 10**6)
    longest = "https://news.example/" + "a" * (MAX_URL - 21)
    long = page(url=longest, final_url=longest, moved_to=longest)
    where = archive.append(long)
    assert archive.read(where) == replace(long, location=where)


def test_times_of_other_zones_are_kept_as_utc(tmp_path: Path) -> None:
    archive = Archive(tmp_path, 10**6)
    local = WHEN.astimezone(timezone(timedelta(hours=5, minutes=30)))
    read = archive.read(archive.append(page(fetched=local)))
    assert read.fetched == WHEN
    assert read.fetched.utcoffset() == timedelta(0)


def test_pages_come_with_their_sightings_in_the_order_of_writing(tmp_path: Path) -> None:
    archive = Archive(tmp_path, 10**6)
    archive.append(page("a"), sighting=sighting("a"))
    archive.append(page("b"))
    archive.append(page("c"), sighting=sighting("c"))
    found, errors = everything(archive)
    assert [(one.url[-5], seen and seen.id) for one, seen in found] == [("a", "a"), ("b", None), ("c", "c")]
    assert found[0][1] == sighting("a")
    assert all(one.location and archive.read(one.location) == one for one, _ in found)
    assert errors == []


def test_an_archive_that_does_not_exist_has_no_pages(tmp_path: Path) -> None:
    assert everything(Archive(tmp_path / "none", 10**6)) == ([], [])


def test_other_archives_tools_read_what_we_write(tmp_path: Path) -> None:
    archive = Archive(tmp_path, 10**6)
    archive.append(page(), sighting=sighting())
    archive.close()
    (file,) = files(tmp_path)
    kinds = []
    with file.open("rb") as stream:
        for record in ArchiveIterator(stream):
            kinds.append(record.rec_type)
            if record.rec_type == "response":
                assert record.http_headers.get_statuscode() == "200"
                assert record.http_headers.get_header("Content-Length") == str(len(page().body))
                assert record.http_headers.get_header("Content-Encoding") is None
                assert record.rec_headers.get_header("WARC-Date") == "2026-11-23T15:04:05.678901Z"
                assert record.content_stream().read() == page().body
                response_id = record.rec_headers.get_header("WARC-Record-ID")
            if record.rec_type == "metadata":
                assert record.rec_headers.get_header("WARC-Concurrent-To") == response_id
    assert kinds == ["warcinfo", "response", "metadata"]


def test_a_location_alone_leads_to_its_record(tmp_path: Path) -> None:
    archive = Archive(tmp_path, 10**6)
    where = archive.append(page("a"))
    archive.append(page("b"))
    archive.close()
    path = tmp_path / where.file
    data = path.read_bytes()
    path.write_bytes(b"\0" * where.offset + data[where.offset :])  # all before it is gone
    assert Archive(tmp_path, 1).read(where).url == page("a").url


def test_the_same_page_takes_the_same_bytes_but_for_its_record_id(tmp_path: Path) -> None:
    sizes = []
    for name in ("one", "two"):
        archive = Archive(tmp_path / name, 10**6)
        where = archive.append(page())
        archive.close()
        data = (tmp_path / name / where.file).read_bytes()[where.offset :]
        sizes.append(data[:10])  # the gzip header with its time field
    assert sizes[0] == sizes[1]
    assert sizes[0][4:8] == b"\0\0\0\0"


# Files


def test_a_file_that_is_full_is_closed_and_another_begun(tmp_path: Path) -> None:
    archive = Archive(tmp_path, 20_000)
    locations = [archive.append(page(str(n), os.urandom(9000)), sighting=sighting()) for n in range(9)]
    archive.close()
    *full, last = (path.stat().st_size for path in files(tmp_path))
    assert len(full) > 2
    assert all(20_000 <= size < 31_000 for size in full)
    assert last < 31_000
    assert [where.file for where in locations] == sorted(where.file for where in locations)
    assert [one.url for one, _ in everything(archive)[0]] == [page(str(n)).url for n in range(9)]


def test_a_file_is_written_to_for_a_day_at_most(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = Archive(tmp_path, 10**6)
    first = archive.append(page("a"))
    began = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: began + 23 * 3600)
    assert archive.append(page("b")).file == first.file
    monkeypatch.setattr(time, "monotonic", lambda: began + 25 * 3600)
    later = archive.append(page("c"))
    assert later.file != first.file
    archive.flush()
    assert archive.read(first).url == page("a").url


def test_two_archives_on_one_folder_write_files_of_their_own(tmp_path: Path) -> None:
    one, two = Archive(tmp_path, 10**6), Archive(tmp_path, 10**6)
    first, second = one.append(page("a")), two.append(page("b"))
    assert first.file != second.file
    assert one.read(second).url == page("b").url


def test_a_forked_child_begins_its_own_file(tmp_path: Path) -> None:
    archive = Archive(tmp_path, 10**6)
    before = archive.append(page("a"))
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = 0 if archive.append(page("b")).file != before.file else 2
            archive.flush()
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    assert archive.append(page("c")).file == before.file
    assert len(everything(archive)[0]) == 3


def test_nothing_is_made_before_the_first_page(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive", 10**6)
    archive.flush()
    archive.close()
    assert not (tmp_path / "archive").exists()


def test_an_archive_can_be_used_again_after_close(tmp_path: Path) -> None:
    with Archive(tmp_path, 10**6) as archive:
        archive.append(page("a"))
    archive.append(page("b"))
    assert len(everything(archive)[0]) == 2


# Damage


def test_a_damaged_record_is_reported_and_the_rest_is_read(tmp_path: Path) -> None:
    archive = Archive(tmp_path, 10**6)
    locations = [archive.append(page(name), sighting=sighting(name)) for name in "abc"]
    archive.close()
    path = tmp_path / locations[0].file
    data = bytearray(path.read_bytes())
    data[locations[1].offset + 60] ^= 0xFF
    path.write_bytes(data)
    found, errors = everything(archive)
    assert [(one.url[-5], seen and seen.id) for one, seen in found] == [("a", "a"), ("c", "c")]
    assert [(error.file, error.offset) for error in errors] == [(path.name, locations[1].offset)]
    with pytest.raises(ArchiveError, match=f"at byte {locations[1].offset}: the record is damaged"):
        archive.read(locations[1])
    with pytest.raises(ArchiveError):
        list(archive.pages())


@pytest.mark.parametrize("seed", range(30))
def test_whatever_bytes_are_damaged_other_records_are_read(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    archive = Archive(tmp_path, 10**7)
    locations = [archive.append(page(str(n), chance.randbytes(chance.randint(0, 4000)))) for n in range(6)]
    archive.close()
    path = tmp_path / locations[0].file
    data = bytearray(path.read_bytes())
    hit = chance.randrange(6)
    end = locations[hit + 1].offset if hit < 5 else len(data)
    begin = chance.randrange(locations[hit].offset, end - 1)
    data[begin : chance.randrange(begin + 1, end)] = chance.randbytes(chance.randint(0, 50))
    path.write_bytes(data)
    found, errors = everything(archive)
    expected = [page(str(n)).url for n in range(6) if n != hit]
    assert [one.url for one, _ in found if one.url != page(str(hit)).url] == expected
    assert len(errors) <= 1


def test_a_damaged_sighting_does_not_cost_its_page(tmp_path: Path) -> None:
    archive = Archive(tmp_path, 10**6)
    where = archive.append(page("a"), sighting=sighting("a"))
    after = archive.append(page("b"), sighting=sighting("b"))
    archive.close()
    path = tmp_path / where.file
    data = bytearray(path.read_bytes())
    data[after.offset - 30] ^= 0xFF
    path.write_bytes(data)
    found, errors = everything(archive)
    assert [(one.url[-5], seen and seen.id) for one, seen in found] == [("a", None), ("b", "b")]
    assert len(errors) == 1


def test_a_tail_cut_anywhere_is_reported_and_the_whole_records_are_read(tmp_path: Path) -> None:
    archive = Archive(tmp_path, 10**6)
    first = archive.append(page("a"), sighting=sighting("a"))
    last = archive.append(page("b"))
    archive.close()
    path = tmp_path / first.file
    data = path.read_bytes()
    for end in range(last.offset + 1, len(data)):
        path.write_bytes(data[:end])
        found, errors = everything(archive)
        assert [one.url for one, _ in found] == [page("a").url]
        assert [error.offset for error in errors] == [last.offset]
    assert "cut short" in str(errors[0])


@pytest.mark.parametrize("content", [b"", b"not gzip at all", b"\x1f\x8b\x08", b"WARC/1.1\r\n"])
def test_a_file_that_is_no_archive_does_not_stop_the_others(tmp_path: Path, content: bytes) -> None:
    archive = Archive(tmp_path, 10**6)
    archive.append(page("a"))
    (tmp_path / "a-foreign.warc.gz").write_bytes(content)
    (tmp_path / "notes.txt").write_text("not ours")
    found, errors = everything(archive)
    assert len(found) == 1
    assert [error.file for error in errors] == (["a-foreign.warc.gz"] if content else [])


def test_a_location_that_leads_nowhere_is_an_error_that_names_it(tmp_path: Path) -> None:
    archive = Archive(tmp_path, 10**6)
    where = archive.append(page())
    for file, offset in [
        ("none.warc.gz", 0),
        (where.file, where.offset + 1),
        (where.file, 10**9),
        (where.file, -1),
        (where.file, 0),
        ("../" + where.file, where.offset),
    ]:
        with pytest.raises(ArchiveError) as caught:
            archive.read(Location(file=file, offset=offset))
        assert (caught.value.file, caught.value.offset) == (file, offset)


# Disks that refuse


def test_a_folder_that_cannot_be_made_is_an_archive_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ArchiveError, match="cannot be made"):
        Archive(tmp_path / "file" / "archive", 10**6).append(page())


def test_a_folder_that_cannot_be_written_is_an_archive_error() -> None:
    with pytest.raises(ArchiveError, match="cannot be made"):
        Archive(Path("/proc"), 10**6).append(page())


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """No file of this process may grow beyond ``size`` bytes: writes fail, as on a full disk, in their middle."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_after_a_failed_write_later_pages_are_not_behind_garbage(tmp_path: Path) -> None:
    archive = Archive(tmp_path, 10**6)
    before = archive.append(page("a"))
    with file_size_limit(5000), pytest.raises(ArchiveError, match=r"at byte \d+: cannot be written") as caught:
        archive.append(page("b", os.urandom(20_000)))
    assert caught.value.file == before.file
    archive.flush()
    after = archive.append(page("c"))
    assert after.file != before.file
    found, errors = everything(archive)
    assert [one.url for one, _ in found] == [page("a").url, page("c").url]
    assert errors == []


def test_a_file_that_cannot_even_begin_leaves_nothing_behind(tmp_path: Path) -> None:
    archive = Archive(tmp_path, 10**6)
    with file_size_limit(10):
        for _ in range(3):
            with pytest.raises(ArchiveError):
                archive.append(page())
    assert files(tmp_path) == []
    archive.append(page())
    assert len(files(tmp_path)) == 1


FULL_DISK = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from pipeline.errors import ArchiveError
from pipeline.fetch import Archive
from pipeline.records import Page

def page(name):
    when = datetime.now(UTC)
    return Page(url=name, final_url=name, status=200, headers=(), body=os.urandom(20_000), fetched=when)

archive = Archive(Path(sys.argv[1]), 10**9)
written = []
try:
    while True:
        written.append(archive.append(page(str(len(written)))))
except ArchiveError as error:
    print("No space left" in str(error), len(written) > 5)
archive.flush()
errors = []
print(len(list(archive.pages(errors.append))) == len(written), errors)
os.truncate(Path(sys.argv[1]) / written[0].file, 50_000)
archive.append(page("after"))
archive.flush()
print([page.url for page, _ in archive.pages(errors.append)][-1])
"""


def test_a_full_disk_is_an_error_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    mount = f"mount -t tmpfs -o size=256k tmpfs {tmp_path}"
    if subprocess.run(["unshare", "-rm", "sh", "-c", mount], capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let a test have a small disk of its own (unshare, mount)")
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", f'{mount} && exec "$0" -c "$1" "$2"', sys.executable, FULL_DISK, tmp_path],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
        timeout=60,
    )
    assert done.stdout.splitlines() == ["True True", "True []", "after"]


ENDLESS = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from pipeline.fetch import Archive
from pipeline.records import Page, Sighting

archive, when, number = Archive(Path(sys.argv[1]), 300_000), datetime.now(UTC), 0
while True:
    page = Page(url=str(number), final_url="", status=200, headers=(), body=os.urandom(30_000), fetched=when)
    archive.append(page, sighting=Sighting(id=str(number), feed="f", url="u", first_seen=when))
    print(number, flush=True)
    number += 1
"""


def test_a_killed_writer_loses_nothing_that_it_had_appended(tmp_path: Path) -> None:
    for _ in range(2):
        command = [sys.executable, "-c", ENDLESS, tmp_path]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(0.05)
            writer.send_signal(signal.SIGKILL)
            told = 1 + len(writer.stdout.read().splitlines())
        found, errors = everything(Archive(tmp_path, 10**6))
        assert told <= len(found) <= told + 1
        assert all(seen is not None and one.url == seen.id for one, seen in found[:told])
        assert len(errors) <= 1
        for path in files(tmp_path):
            path.unlink()


def test_the_archive_takes_pages_that_were_read_from_another(tmp_path: Path) -> None:
    one, two = Archive(tmp_path / "one", 10**6), Archive(tmp_path / "two", 10**6)
    read = one.read(one.append(page()))
    where = two.append(read)
    assert two.read(where) == replace(read, location=where)


def test_a_member_without_a_warc_record_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a.warc.gz").write_bytes(gzip.compress(b"just text"))
    archive = Archive(tmp_path, 10**6)
    archive.append(page())
    found, errors = everything(archive)
    assert len(found) == 1
    assert [error.file for error in errors] == ["a.warc.gz"]
