"""``wirewatch extract`` over files."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli import application


def test_a_file_that_is_no_page_is_named_and_the_next_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIREWATCH_DATA", str(tmp_path / "data"))
    report, page = tmp_path / "report.pdf", tmp_path / "page.html"
    report.write_bytes(b"%PDF-1.7\n1 0 obj")
    page.write_text(
        "<title>Lake drains</title><p>Officials said on Monday that the lake had drained without damage.</p>"
    )
    result = CliRunner(env={"COLUMNS": "400"}).invoke(application(), ["extract", str(report), str(page)])
    assert result.exit_code == 1
    assert f"{report}: not HTML but a binary file" in result.stderr.replace("\n", "")
    assert "Lake drains" in result.stdout
