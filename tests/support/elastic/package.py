"""Elasticsearch for tests: the real server, as Maven Central has it for integration tests, with an analysis plugin.

The package (132 MB) is fetched with Maven once and kept, unpacked, in a cache folder of the user's. It is the server with
few modules: no language analyzers, percolator, reindexing, scripts, or security. ``CommonAnalysis.java`` beside this file
puts back the analysis that ``mappings/`` names, so that those files load unchanged.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import zipfile
from pathlib import Path

VERSION = "9.5.3"
ARTIFACT = f"org.elasticsearch.distribution.integ-test-zip:elasticsearch:{VERSION}:zip"
SHA256 = "bec49f3b8d00e75c8d1cec85c35298635ec9fbd3ae80ef5aeb6bc05abdb3db2d"
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"
JAVA = 21
"""The oldest Java that this Elasticsearch runs on."""
PLUGIN = Path(__file__).with_name("CommonAnalysis.java")


class NotHadError(Exception):
    """Why there is no Elasticsearch here, in a sentence."""


def java_home() -> Path:
    """A Java development kit that is new enough: JAVA_HOME's, else one found where systems put them."""
    named = [Path(os.environ[name]) for name in ("ES_JAVA_HOME", "JAVA_HOME") if os.environ.get(name)]
    on_path = [Path(found).resolve().parent.parent for found in [shutil.which("javac")] if found]
    for home in (*named, *on_path, *sorted(Path("/usr/lib/jvm").glob("*"), reverse=True)):
        if (home / "bin" / "javac").exists() and _release(home) >= JAVA:
            return home
    raise NotHadError(f"Elasticsearch needs a Java development kit of version {JAVA} or later, and none is installed")


def home() -> Path:
    """The unpacked server with the plugin, made on first use; shared by all who test on this machine as this user.

    Raises NotHadError.
    """
    java = java_home()
    source = PLUGIN.read_bytes()
    ready = _cache() / f"elasticsearch-{VERSION}-{hashlib.sha256(source).hexdigest()[:12]}"
    with (_cache() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            with tempfile.TemporaryDirectory(dir=_cache()) as work:
                draft = _unpacked(_package(), Path(work))
                _add_plugin(draft, java)
                draft.rename(ready)
    return ready


def _cache() -> Path:
    """A folder that is kept between runs, and in which any user may read: the server never runs as root."""
    if os.geteuid() == 0:
        folder = Path("/var/cache/wirewatch-tests")
    else:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "wirewatch-tests"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _release(home: Path) -> int:
    try:
        found = re.search(r'JAVA_VERSION="(\d+)', (home / "release").read_text())
    except OSError:
        return 0
    return int(found.group(1)) if found else 0


def _package() -> Path:
    """The package as fetched, checked against its hash."""
    file = _cache() / f"elasticsearch-{VERSION}.zip"
    if not file.exists():
        maven = shutil.which("mvn")
        if maven is None:
            raise NotHadError(f"Maven, which fetches {ARTIFACT}, is not installed")
        with tempfile.TemporaryDirectory(dir=_cache()) as folder:
            command = [maven, "-q", "-B", COPY, f"-Dartifact={ARTIFACT}", f"-DoutputDirectory={folder}"]
            done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, cwd=folder)
            fetched = Path(folder) / file.name
            if done.returncode or not fetched.exists():
                raise NotHadError(f"Maven could not fetch {ARTIFACT}: {(done.stdout or done.stderr)[:300]}")
            digest = hashlib.sha256(fetched.read_bytes()).hexdigest()
            if digest != SHA256:
                raise NotHadError(f"{ARTIFACT} has the SHA-256 {digest}, and should have {SHA256}")
            fetched.rename(file)
    return file


def _unpacked(package: Path, folder: Path) -> Path:
    with zipfile.ZipFile(package) as archive:
        archive.extractall(folder)
    draft = folder / f"elasticsearch-{VERSION}"
    for path in (draft, *draft.rglob("*")):
        runs = path.is_dir() or path.parent.name == "bin" or path.suffix == ".so"
        path.chmod(0o755 if runs else 0o644)
    return draft


def _add_plugin(home: Path, java: Path) -> None:
    folder = home / "plugins" / "common-analysis"
    classes = folder / "classes"
    classes.mkdir(parents=True)
    command = ["javac", "--release", str(JAVA), "-cp", f"{home}/lib/*", "-d", str(classes), str(PLUGIN)]
    done = subprocess.run([str(java / "bin" / command[0]), *command[1:]], capture_output=True, text=True)
    if done.returncode:
        raise NotHadError(f"the analysis plugin does not compile: {done.stderr[:500]}")
    with zipfile.ZipFile(folder / "common-analysis.jar", "w") as jar:
        for path in sorted(classes.rglob("*.class")):
            jar.write(path, path.relative_to(classes))
    shutil.rmtree(classes)
    (folder / "plugin-descriptor.properties").write_text(
        "description=what the tests need of analysis-common\n"
        f"version=1\nname=common-analysis\nclassname=wirewatch.fixture.{PLUGIN.stem}\n"
        f"java.version={JAVA}\nelasticsearch.version={VERSION}\n"
    )
