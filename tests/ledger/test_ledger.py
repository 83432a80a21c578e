"""The ledger in a file: opened, migrated, refused, and shared by processes."""

import shutil
import sqlite3
from pathlib import Path

import pytest

from pipeline.errors import LedgerError
from pipeline.ledger import (
    Owed,
    database,
    open_ledger,
)
from tests.support.ledgers import ME, NOW, with_items


def test_a_ledger_of_a_newer_version_is_refused_with_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite"
    open_ledger(file).close()
    with sqlite3.connect(file) as db:
        db.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(LedgerError, match=r"newer Wirewatch made it \(revision 9999.*upgrade Wirewatch"):
        open_ledger(file)


def test_a_ledger_of_an_older_version_is_brought_up_to_date_with_all_that_it_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "ledger.sqlite"
    old = open_ledger(file)
    with_items(old, "http://e.org/1")
    old.close()
    # The next version of Wirewatch, as far as the ledger is concerned: one more revision.
    newer = tmp_path / "migrations"
    shutil.copytree(database.MIGRATIONS, newer)
    (newer / "versions" / "v9999_next.py").write_text(
        "import sqlalchemy as sa\nfrom alembic import op\n"
        f"revision, down_revision, branch_labels, depends_on = '9999', '{database.REVISIONS[-1]}', None, None\n"
        "def upgrade():\n    op.add_column('feeds', sa.Column('mood', sa.Text))\n"
    )
    monkeypatch.setattr(database, "MIGRATIONS", newer)
    monkeypatch.setattr(database, "REVISIONS", (*database.REVISIONS, "9999"))
    ledger = open_ledger(file)
    assert len(ledger.feeds()) == 1
    assert len(ledger.claim_items(Owed.FETCH, NOW, 10, ME, 60)) == 1
    ledger.close()
    with sqlite3.connect(file) as db:
        assert db.execute("SELECT mood FROM feeds").fetchall() == [(None,)]


def test_a_file_that_is_no_ledger_is_refused_and_left_alone(tmp_path: Path) -> None:
    garbage = tmp_path / "garbage.sqlite"
    garbage.write_bytes(b"this is not a database, whatever its name says" * 100)
    with pytest.raises(LedgerError, match=r"garbage\.sqlite"):
        open_ledger(garbage)
    assert garbage.read_bytes().startswith(b"this is not a database")
    foreign = tmp_path / "foreign.sqlite"
    with sqlite3.connect(foreign) as db:
        db.execute("CREATE TABLE recipes (name TEXT)")
    with pytest.raises(LedgerError, match="not a Wirewatch ledger"):
        open_ledger(foreign)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(LedgerError, match="cannot make its folder"):
        open_ledger(tmp_path / "file" / "data" / "ledger.sqlite")
