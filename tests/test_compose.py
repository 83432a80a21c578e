"""The compose file, as far as it can be checked without Docker: by Compose's own checker, and against the project."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import compose
import pytest

from pipeline.settings import Settings

ROOT = Path(__file__).parents[1]
# The package's own command hides errors; the program beside it does not.
PROGRAM = Path(compose.__file__).parent / "docker-compose"
PROFILES = sorted(
    set(
        re.findall(
            r"[a-z]+", " ".join(re.findall(r"profiles: \[([a-z, ]+)\]", (ROOT / "docker-compose.yml").read_text()))
        )
    )
)
EXAMPLE = (ROOT / ".env.example").read_text()
NAMED = set(re.findall(r"^#?([A-Z][A-Z0-9_]+)=", EXAMPLE, re.MULTILINE))


def config(tmp_path: Path, *profiles: str, **changed: str) -> subprocess.CompletedProcess[str]:
    """What Compose makes of the file with ``.env.example`` filled in."""
    filled = re.sub(r"^([A-Z][A-Z0-9_]+)=$", lambda m: f"{m[1]}={'s3cret' * 8}", EXAMPLE, flags=re.MULTILINE)
    lines = [line for line in filled.splitlines() if line.partition("=")[0] not in changed]
    env = tmp_path / "env"
    env.write_text("\n".join([*lines, *(f"{name}={value}" for name, value in changed.items())]) + "\n")
    named = [part for profile in profiles for part in ("--profile", profile)]
    return subprocess.run(
        [PROGRAM, "--project-directory", ROOT, "--env-file", env, *named, "config", "--format", "json"],
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        timeout=60,
        check=False,
    )


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """All services, of all profiles."""
    done = config(tmp_path_factory.mktemp("compose"), *PROFILES)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)["services"]
    return found


@pytest.mark.parametrize("profile", PROFILES)
def test_compose_takes_each_profile_without_a_complaint(tmp_path: Path, profile: str) -> None:
    done = config(tmp_path, profile)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    assert json.loads(done.stdout)["services"]


def test_search_alone_is_elasticsearch_kibana_and_what_sets_them_up(tmp_path: Path) -> None:
    found = json.loads(config(tmp_path, "search").stdout)["services"]
    assert set(found) == {"certs", "elasticsearch", "keys", "indices", "kibana", "dashboards"}


def test_a_secret_that_is_missing_is_named(tmp_path: Path) -> None:
    for name in re.findall(r"^([A-Z_]+)=$", EXAMPLE, re.MULTILINE):
        done = config(tmp_path, *PROFILES, **{name: ""})
        assert done.returncode != 0, name
        assert name in done.stderr


def test_every_variable_is_in_the_example_and_the_other_way_round() -> None:
    used = set(re.findall(r"\$\{([A-Z][A-Z0-9_]+)", (ROOT / "docker-compose.yml").read_text()))
    assert used == NAMED


def test_every_image_is_of_a_pinned_version(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert re.search(r":\d+\.\d+(\.\d+)?(-[a-z0-9.-]+)?$", service["image"]), name


def test_elasticsearch_and_kibana_are_of_one_version_which_is_the_one_that_the_tests_run(
    services: dict[str, Any],
) -> None:
    from tests.support.elastic import package

    tags = {services[name]["image"].rpartition(":")[2] for name in ("elasticsearch", "kibana", "certs", "keys")}
    assert tags == {package.VERSION}


def test_every_port_is_on_this_machine_only(services: dict[str, Any]) -> None:
    for name, service in services.items():
        for port in service.get("ports", ()):
            assert port.get("host_ip") == "127.0.0.1", name


def test_every_mounted_path_is_in_the_project_and_read_only(services: dict[str, Any]) -> None:
    for name, service in services.items():
        for volume in service.get("volumes", ()):
            if volume["type"] == "bind":
                path = Path(volume["source"])
                assert path.is_relative_to(ROOT), name
                assert path.exists(), path
                assert volume.get("read_only"), (name, path)


def test_every_service_has_a_limit_of_memory(services: dict[str, Any]) -> None:
    assert [name for name, service in services.items() if "mem_limit" not in service] == []


def test_whoever_is_waited_for_as_healthy_can_be_asked(services: dict[str, Any]) -> None:
    for service in services.values():
        for name, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert services[name].get("healthcheck", {}).get("test"), name
            if how["condition"] == "service_completed_successfully":
                assert services[name].get("restart", "no") in {"no", "on-failure:3"}, name


def test_security_is_on(services: dict[str, Any]) -> None:
    elastic = services["elasticsearch"]["environment"]
    assert elastic["xpack.security.enabled"] == "true"
    assert elastic["xpack.security.http.ssl.enabled"] == "true"
    assert services["kibana"]["environment"]["ELASTICSEARCH_HOSTS"].startswith("https://")


def test_settings_of_wirewatch_are_ones_that_it_has(services: dict[str, Any]) -> None:
    for name, service in services.items():
        for variable in service.get("environment") or {}:
            if variable.startswith("WIREWATCH_"):
                assert variable.removeprefix("WIREWATCH_").lower() in {*Settings.model_fields, "data"}, name


def test_the_command_line_has_the_commands_that_services_run(services: dict[str, Any]) -> None:
    for name, service in services.items():
        if service["image"].startswith("wirewatch:"):
            told = [sys.executable, "-m", "pipeline", *service["command"], "--help"]
            done = subprocess.run(told, capture_output=True, text=True, timeout=120, check=False)
            assert done.returncode == 0, (name, done.stderr)
            assert " ".join(["Usage: python -m pipeline", *service["command"]]) in " ".join(done.stdout.split()), name


@pytest.mark.parametrize("script", sorted(ROOT.glob("docker/**/*.sh")), ids=lambda path: path.name)
def test_every_script_can_be_read_by_bash_and_can_be_run(script: Path) -> None:
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0
    assert script.stat().st_mode & 0o111


def test_the_image_is_built_from_files_that_are_there_and_from_the_lock(services: dict[str, Any]) -> None:
    for name, service in services.items():
        if "build" not in service:
            continue
        file = ROOT / service["build"]["dockerfile"]
        text = file.read_text()
        assert "uv.lock" in text, name
        assert "--frozen" in text or "--require-hashes" in text, name
        for copied in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE):
            for path in copied.split():
                assert (ROOT / path).exists(), (file, path)
