"""Settings come from the folder's file and the environment, the environment winning; what is wrong is named."""

import pickle
from pathlib import Path

import pytest

from pipeline.errors import SettingsError
from pipeline.settings import load_settings


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("WIREWATCH_DATA", "WIREWATCH_WORKERS", "WIREWATCH_ALLOW_HOSTS"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_the_file_in_the_folder_is_read_and_the_environment_wins(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "wirewatch.toml").write_text("workers = 3\nper_host = 4\n")
    assert (load_settings(folder).workers, load_settings(folder).per_host) == (3, 4)
    monkeypatch.setenv("WIREWATCH_WORKERS", "5")
    assert load_settings(folder).workers == 5
    assert load_settings(folder, workers=7).workers == 7


def test_the_folder_itself_can_come_from_the_environment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIREWATCH_DATA", str(folder))
    assert load_settings().data == folder


def test_hosts_are_separated_by_commas(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIREWATCH_ALLOW_HOSTS", "intranet, 10.0.0.5:8080,")
    assert load_settings(folder).allow_hosts == ("intranet", "10.0.0.5:8080")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("workers = 0", "workers"),
        ("workers = 'many'", "workers"),
        ("nonsense = 1", "nonsense"),
        ("workers = [", "wirewatch.toml"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(folder: Path, text: str, named: str) -> None:
    (folder / "wirewatch.toml").write_text(text)
    with pytest.raises(SettingsError, match=named):
        load_settings(folder)


def test_settings_can_be_sent_to_a_worker_process(folder: Path) -> None:
    settings = load_settings(folder, workers=2)
    assert pickle.loads(pickle.dumps(settings)) == settings
