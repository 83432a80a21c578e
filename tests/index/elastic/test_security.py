"""https: who is talked to is known by a CA file or a fingerprint, and nobody else is told a key."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.errors import IndexUnavailableError, SettingsError
from pipeline.index import Kind, open_index, upkeep_of
from pipeline.settings import Settings
from tests.conformance.wire import WIRE
from tests.support.elastic import ElasticServer


def openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an authority of the test's own (ca.pem), a server's certificate by it, and another authority."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl, which makes the certificates, is not installed")
    folder = tmp_path_factory.mktemp("certificates")
    for name in ("ca", "other"):
        subject = (
            "-subj",
            f"/CN={name}",
            "-days",
            "2",
            "-keyout",
            folder / f"{name}.key",
            "-out",
            folder / f"{name}.pem",
        )
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", *subject)
    openssl(
        "req",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=search",
        "-keyout",
        folder / "key.pem",
        "-out",
        folder / "csr",
    )
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1")
    authority = ("-CA", folder / "ca.pem", "-CAkey", folder / "ca.key", "-CAcreateserial")
    openssl(
        "x509",
        "-req",
        "-in",
        folder / "csr",
        *authority,
        "-days",
        "2",
        "-extfile",
        folder / "names",
        "-out",
        folder / "own.pem",
    )
    (folder / "chain.pem").write_text((folder / "own.pem").read_text() + (folder / "ca.pem").read_text())
    return folder


def fingerprint(certificate: Path) -> str:
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate.read_text())).hexdigest()


@pytest.fixture(scope="module")
def tunnel(elasticsearch: ElasticServer, certificates: Path) -> Iterator[str]:
    """An https address that leads to Elasticsearch."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "chain.pem", certificates / "key.pem")
    loop = asyncio.new_event_loop()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def through(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        other_reader, other_writer = await asyncio.open_connection("127.0.0.1", elasticsearch.port)
        await asyncio.gather(pump(reader, other_writer), pump(other_reader, writer))

    server = loop.run_until_complete(asyncio.start_server(through, "127.0.0.1", 0, ssl=context))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    loop.call_soon_threadsafe(loop.stop)
    thread.join()


def test_a_server_is_known_by_the_ca_file_or_the_fingerprint_of_its_authority(
    tunnel: str, certificates: Path, elastic_prefix: str, tmp_path: Path
) -> None:
    known = Settings(data=tmp_path, index=tunnel, index_prefix=elastic_prefix, index_ca=certificates / "ca.pem")
    upkeep_of(known).init()
    for settings in (
        known,
        known.model_copy(update={"index_ca": None, "index_fingerprint": fingerprint(certificates / "ca.pem")}),
        known.model_copy(update={"index_ca": None, "index_fingerprint": fingerprint(certificates / "own.pem")}),
    ):
        index = open_index(settings)
        index.upsert([WIRE["oil"]])
        assert index.count(Kind.ARTICLES) == 1
        index.close()


def test_a_server_that_is_not_the_one_meant_gets_no_key(
    tunnel: str, certificates: Path, elastic_prefix: str, tmp_path: Path
) -> None:
    meant = Settings(data=tmp_path, index=tunnel, index_prefix=elastic_prefix, index_api_key="s3cret")  # type: ignore[arg-type]
    for strange in (
        {"index_ca": certificates / "other.pem"},
        {"index_fingerprint": fingerprint(certificates / "other.pem")},
        {},  # only who the system trusts
    ):
        index = open_index(meant.model_copy(update=strange))
        with pytest.raises(IndexUnavailableError, match="certificate") as caught:
            index.count(Kind.ARTICLES)
        assert "s3cret" not in str(caught.value)
        index.close()


def test_a_ca_file_that_is_missing_is_named(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, index="https://127.0.0.1:9", index_ca=tmp_path / "missing.pem")
    with pytest.raises(SettingsError, match=r"index_ca.*missing\.pem"):
        open_index(settings)
