"""Errors name what they are about, and come whole out of a worker process."""

import pickle

import pytest

from pipeline.errors import (
    ArchiveError,
    FetchError,
    IndexDamagedError,
    ModelError,
    QueryError,
    RequestError,
    SettingsError,
    WirewatchError,
)

ERRORS = [
    SettingsError("setting 'workers': too few"),
    FetchError("http://e.org/", "timeout", "no answer", retry_after=3.0, permanent=True),
    ArchiveError("a.warc.gz", 77, "truncated"),
    ModelError("/models/x", "is not there"),
    QueryError("a AND", 5, "nothing after AND"),
    RequestError("a", "after", "no cursor"),
    IndexDamagedError("/index", "bad checksum"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_comes_whole_out_of_a_worker_process(error: WirewatchError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert again.__dict__ == error.__dict__


def test_an_error_names_what_it_is_about() -> None:
    assert str(ArchiveError("a.warc.gz", 77, "truncated")) == "a.warc.gz at byte 77: truncated"
    assert "character 6 of 'a AND'" in str(QueryError("a AND", 5, "nothing after AND"))
    assert "wirewatch replay" in str(IndexDamagedError("/index", "bad checksum"))
