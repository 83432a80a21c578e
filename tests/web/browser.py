"""A real Chromium for the tests of the page, and axe-core, which looks for what keeps people out."""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import platformdirs
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

ROOT = Path(__file__).parents[2]
FLAGS = [
    "--no-sandbox",  # CI runs as root, where Chromium's own sandbox refuses to begin
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-first-run",
    "--disable-features=MediaRouter,OptimizationHints,Translate",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # nothing but loopback, whatever a page asks for
]
AXE = "4.14.1"
AXE_SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser. Skips the test with a sentence where there is none and none can be had."""
    with _alone("chromium"):
        found = subprocess.run(
            [ROOT / "scripts" / "chromium"], capture_output=True, text=True, timeout=600, check=False
        )
    if found.returncode:
        pytest.skip(found.stderr.strip() or "there is no Chromium here")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found.stdout.strip(), args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def visit(browser: Browser, base: str, **options: Any) -> Iterator[Page]:
    """A visitor's first page. The test fails where anything on the pages seen breaks: a script, the policy, a link to
    a file of ours. A page that answers 400 and the like is no break."""
    options = {"viewport": {"width": 1280, "height": 900}, "base_url": base, **options}
    context: BrowserContext = browser.new_context(**options)
    context.set_default_timeout(15_000)
    page = context.new_page()
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.on(
        "console",
        lambda line: (
            broken.append(line.text) if line.type in {"error", "warning"} and "status of 4" not in line.text else None
        ),
    )
    outside: list[str] = []
    page.on("request", lambda sent: outside.append(sent.url) if not sent.url.startswith((base, "data:")) else None)
    yield page
    context.close()
    assert broken == []
    assert outside == []


def axe() -> str:
    """axe-core's script, from npm, kept in the user's cache. Skips the test with a sentence where it cannot be had."""
    folder = platformdirs.user_cache_path("wirewatch-tests")
    file = folder / f"axe-{AXE}.min.js"
    with _alone("axe"):
        if not file.exists():
            if shutil.which("npm") is None:
                pytest.skip("axe-core is got from npm, and there is no npm here")
            folder.mkdir(parents=True, exist_ok=True)
            packed = subprocess.run(
                ["npm", "pack", "--silent", "--json", f"axe-core@{AXE}"],
                cwd=folder, capture_output=True, text=True, timeout=120, check=False,
            )  # fmt: skip
            if packed.returncode:
                pytest.skip(f"axe-core could not be got from npm: {packed.stderr.strip()[:200]}")
            archive = folder / json.loads(packed.stdout)[0]["filename"]
            with tarfile.open(fileobj=io.BytesIO(archive.read_bytes())) as unpacked:
                member = unpacked.extractfile("package/axe.min.js")
                assert member is not None
                script = member.read()
            archive.unlink()
            file.write_bytes(script)
    script = file.read_bytes()
    assert hashlib.sha256(script).hexdigest() == AXE_SHA256, f"{file} is not axe-core {AXE}; remove it"
    return script.decode()


def serious(page: Page, script: str) -> list[str]:
    """What axe-core finds serious or critical on a page: the rule, and where."""
    if not page.evaluate("typeof axe !== 'undefined'"):
        # Through the debugger, which the page's own policy does not bind.
        page.evaluate(script)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']}: {one['help']}: {node['target']} {node.get('failureSummary', '')}"
        for one in found["violations"]
        if one["impact"] in {"serious", "critical"}
        for node in one["nodes"]
    ]


@contextmanager
def _alone(name: str) -> Iterator[None]:
    """One test process at a time."""
    folder = platformdirs.user_cache_path("wirewatch-tests")
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
