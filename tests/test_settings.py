"""Settings come from the folder's file and the environment, the environment winning; what is wrong is named."""

import os
import pickle
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import SettingsError
from pipeline.settings import load_settings


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in os.environ:
        if name.upper().startswith("WIREWATCH_"):
            monkeypatch.delenv(name)
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


def refusal(folder: Path, **overrides: Any) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(folder, **overrides)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("host_delay = inf", "a finite number"),
        ("read_timeout = nan", "a finite number"),
        ("page_timeout = 1e308", "3,600 or less"),
        ("lease = 0.0001", "10 or more"),
        ("workers = 2.5", "a whole number, not 2.5"),
        ("host_delay = 'slow'", "a number, not 'slow'"),
        ("robots = 'perhaps'", "true or false"),
        ("contact = 5", "text, not 5"),
        ("allow_hosts = 5", "a list of hosts"),
        ("allow_hosts = ['http://10.0.0.5/']", "a name or name:port"),
        ('contact = "desk@example.org\\r\\nX-Evil: 1"', "one line"),
        ('contact = " "', "one line"),
        ("min_interval = 900\nmax_interval = 600", "min_interval is 900, above max_interval, 600"),
        ("workres = 2", "there is no such setting; did you mean 'workers'?"),
        ("Workers = 2", "there is no such setting; did you mean 'workers'?"),
        ("[fetch]\nworkers = 2", "there is no such setting"),
        ("data = '/elsewhere'", "use --data or WIREWATCH_DATA"),
    ],
)
def test_a_setting_out_of_reason_is_refused_in_words(folder: Path, text: str, said: str) -> None:
    (folder / "wirewatch.toml").write_text(text)
    sentence = refusal(folder)
    assert said in sentence
    assert text.split()[0].strip("[]") in sentence
    assert "nput should" not in sentence  # pydantic's own words


def test_it_is_said_whether_file_or_environment_is_at_fault(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "wirewatch.toml").write_text("workers = 0")
    assert refusal(folder) == f"setting 'workers' in {folder}/wirewatch.toml: must be 1 or more, not 0"
    monkeypatch.setenv("WIREWATCH_WORKERS", "many")
    said = refusal(folder)
    assert said == "setting 'workers' in environment variable WIREWATCH_WORKERS: must be a whole number, not 'many'"
    assert "on the command line" in refusal(folder, workers=0)


def test_an_environment_variable_that_is_no_settings_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIREWATCH_WORKRES", "4")
    said = refusal(folder)
    assert said == "environment variable WIREWATCH_WORKRES: there is no such setting; did you mean WIREWATCH_WORKERS?"


def test_what_a_cluster_says_of_a_service_named_wirewatch_is_no_setting(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PORT", "SERVICE_HOST", "SERVICE_PORT_HTTP", "PORT_8080_TCP_ADDR", "WEB_SERVICE_HOST"):
        monkeypatch.setenv(f"WIREWATCH_{name}", "tcp://10.0.0.1:8080")
    assert load_settings(folder).data == folder


def test_a_folder_where_the_settings_file_should_be_is_refused(folder: Path) -> None:
    (folder / "wirewatch.toml").mkdir()
    assert "wirewatch.toml: it is a folder" in refusal(folder)


def test_a_file_where_the_data_folder_should_be_is_refused_in_one_sentence(folder: Path) -> None:
    (folder / "file").write_text("in the way")
    assert refusal(folder / "file").startswith(f"{folder}/file is a file, not a folder")


def test_an_empty_name_for_the_data_folder_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIREWATCH_DATA", "")
    with pytest.raises(SettingsError, match="WIREWATCH_DATA: it is empty"):
        load_settings()
    assert load_settings(folder).data == folder


def test_a_file_with_a_byte_order_mark_is_read(folder: Path) -> None:
    (folder / "wirewatch.toml").write_bytes("workers = 3\n".encode("utf-8-sig"))
    assert load_settings(folder).workers == 3


SECRET = "s3cret-of-the-desk"


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ({"index": "elastic"}, "must be 'embedded', or the address"),
        ({"index": "ftp://host"}, "must be 'embedded', or the address"),
        ({"index": "https://host:99999"}, "must be 'embedded', or the address"),
        ({"index": f"https://desk:{SECRET}@host:9200"}, "no user or password in its address"),
        ({"index_prefix": "Wire_1"}, "small letters and digits"),
        ({"index_fingerprint": "12:34"}, "64 hexadecimal digits"),
        ({"index_user": "desk"}, "one of them is missing"),
        ({"index_password": SECRET}, "one of them is missing"),
        ({"index_api_key": SECRET, "index_user": "desk", "index_password": SECRET}, "one is enough"),
        ({"index_api_key": SECRET, "index_api_key_file": "key"}, "one is enough"),
        ({"index": "http://search.example:9200", "index_api_key": SECRET}, "unencrypted"),
        ({"index_api_key": [SECRET]}, "must be"),
    ],
)
def test_what_elasticsearch_cannot_be_reached_by_is_refused_without_telling_a_secret(
    folder: Path, written: dict[str, Any], reason: str
) -> None:
    with pytest.raises(SettingsError, match=reason) as caught:
        load_settings(folder, **written)
    assert SECRET not in str(caught.value)


def test_an_address_gets_its_port_and_a_fingerprint_its_plain_form(folder: Path) -> None:
    settings = load_settings(folder, index="https://search.example/es/", index_fingerprint=":".join(["AB"] * 32))
    assert settings.index == "https://search.example:9200/es"
    assert settings.index_fingerprint == "ab" * 32


def test_secrets_come_from_the_environment_or_a_file_and_are_shown_nowhere(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WIREWATCH_INDEX_API_KEY", SECRET)
    assert load_settings(folder).secret("index_api_key") == SECRET
    assert SECRET not in repr(load_settings(folder))
    assert pickle.loads(pickle.dumps(load_settings(folder))).secret("index_api_key") == SECRET
    monkeypatch.delenv("WIREWATCH_INDEX_API_KEY")
    (folder / "password").write_text(f"{SECRET}\n")
    settings = load_settings(folder, index_user="desk", index_password_file=folder / "password")
    assert settings.secret("index_password") == SECRET
    assert settings.secret("index_api_key") is None
    (folder / "password").write_text("")
    for broken in (folder / "password", folder / "missing", folder):
        with pytest.raises(SettingsError, match="index_password_file"):
            load_settings(folder, index_user="desk", index_password_file=broken).secret("index_password")
