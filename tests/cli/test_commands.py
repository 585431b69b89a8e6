"""The command line as its user meets it: a process, its words and its exit code."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests import schema
from tests.server import ROOT, Server

pytestmark = pytest.mark.service


class Shell:
    """Runs `polyclinic` over one data folder, from a folder that is not the source tree."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.data = folder, folder / "data"

    def __call__(self, *arguments: str, stdin: str = "", **env: str) -> tuple[int, str, str]:
        given = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "POLYCLINIC_"))}
        given |= {"POLYCLINIC_DATA": str(self.data), "DATABASE_URL": "", "PYTHONPATH": str(ROOT), **env}
        done = subprocess.run(
            [sys.executable, "-m", "polyclinic", *arguments], cwd=self.folder, env=given, input=stdin,
            capture_output=True, text=True, timeout=400, check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode, done.stdout, done.stderr


def installed(folder: Path) -> Shell:
    """An installation of its own with nothing in it yet."""
    shell = Shell(folder)
    shell.data.mkdir(mode=0o700)
    shutil.copyfile(schema.kept(), shell.data / "polyclinic.sqlite3")
    return shell


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A migrated installation, shared by the tests that leave it as it was."""
    made = Shell(tmp_path_factory.mktemp("cli"))
    code, said, _wrong = made("migrate")
    assert (code, said.splitlines()[-1]) == (0, "The database is up to date.")
    return made


def test_migrating_twice_is_nothing_new(shell: Shell) -> None:
    assert shell("migrate") == (0, "The database is up to date.\n", "")


def test_help_names_every_command_and_an_example(shell: Shell) -> None:
    code, said, _wrong = shell("--help")
    assert code == 0
    for command in ("serve", "migrate", "demo", "createuser", "doctor", "audit", "bench", "docs"):
        assert command in said
        assert "Examples:" in shell(command, "--help")[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nonsense"], "invalid choice"),
        ([], "required"),
        (["serve", "--port", "70000"], "0 to 65535"),
        (["serve", "--workers", "0"], "whole number from 1"),
        (["audit", "forge"], "invalid choice"),
    ],
)
def test_a_wrong_command_line_is_exit_code_2(shell: Shell, arguments: list[str], words: str) -> None:
    code, _said, wrong = shell(*arguments)
    assert code == 2
    assert words in wrong


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("POLYCLINIC_MODE", "test"),
        ("DATABASE_URL", "nonsense"),
        ("DATABASE_URL", "mysql://a@b/c"),
        ("DATABASE_URL", "postgres://a@b:port/c"),
        ("EMAIL_URL", "gopher://x"),
        ("BROKER_URL", "kafka://x"),
        ("BROKER_EXCHANGE", "a b"),
        ("LOG_FORMAT", "xml"),
        ("PUBLIC_URL", "clinic"),
        ("WORKER_THREADS", "0"),
        ("LOG_LEVEL", "loud"),
        ("DEFAULT_LANGUAGE", "xx"),
        ("RATE_LIMITS", "maybe"),
        ("SECRET_KEY_FILE", "/nowhere/key"),
        ("POLYCLINIC_DATA", "/proc/nowhere"),
    ],
)
def test_a_setting_that_cannot_be_read_is_one_clear_line(shell: Shell, name: str, value: str) -> None:
    code, said, wrong = shell("migrate", **{name: value})
    assert (code, said) == (1, "")
    assert name in wrong
    assert len(wrong.splitlines()) == 1


def test_a_database_that_does_not_answer_is_said_at_once(shell: Shell) -> None:
    code, _said, wrong = shell("migrate", DATABASE_URL="postgres://nobody@127.0.0.1:1/none")
    assert code == 1
    assert "the database cannot be used" in wrong
    assert "DATABASE_URL" in wrong


def test_an_account_is_made_once_and_told_what_is_wrong(shell: Shell) -> None:
    words = "a long enough password\n"
    make = ("createuser", "ana@example.org", "Ana Silva", "--password-stdin")
    assert shell(*make, stdin=words) == (0, "ana@example.org can sign in.\n", "")
    assert "already an account" in shell(*make, stdin=words)[2]
    code, _said, wrong = shell("createuser", "b@example.org", "B", "--password-stdin", stdin="short\n")
    assert (code, wrong[:22]) == (1, "polyclinic: password: ")
    code, _said, wrong = shell("createuser", "b@example.org", "B", "--role", "admin")
    assert (code, "--facility" in wrong) == (1, True)
    wish = ("--role", "admin", "--facility", "nowhere", "--password-stdin")
    assert "facility:" in shell("createuser", "b@example.org", "B", *wish, stdin=words)[2]
    # A role that could not be given leaves no account behind.
    assert shell("createuser", "b@example.org", "B", "--password-stdin", stdin=words)[0] == 0


def test_lost_factors_are_taken_off_with_a_reason(shell: Shell) -> None:
    shell("createuser", "lost@example.org", "Lost", "--password-stdin", stdin="a long enough password\n")
    reset = ("resetfactors", "lost@example.org")
    assert shell(*reset)[0] == 2
    code, said, _wrong = shell(*reset, "--reason", "telephone stolen")
    assert (code, "by password alone" in said) == (0, True)
    assert "no account" in shell("resetfactors", "nobody@example.org", "--reason", "x")[2]


def test_doctor_finds_a_healthy_house_healthy(shell: Shell) -> None:
    kept = {"BACKUP_FOLDER": str(shell.folder / "backups")}
    code, said, _wrong = shell("doctor", **kept)
    assert (code, "!!  Backups: there is none yet" in said) == (1, True)
    assert shell("backup", "key")[0] == 0
    assert shell("backup", **kept)[0] == 0
    code, said, _wrong = shell("doctor", **kept)
    assert code == 0, said
    assert all(line.startswith("ok  ") for line in said.splitlines())


def test_doctor_names_the_remedy_for_each_fault(tmp_path: Path) -> None:
    broken = Shell(tmp_path)
    broken.data.mkdir()
    loose = broken.data / "secret.key"
    loose.write_text("readable by everybody", encoding="ascii")
    loose.chmod(0o644)
    code, said, _wrong = broken("doctor")
    assert code == 1
    assert "→ run `polyclinic migrate`" in said
    assert f"→ chmod 600 {loose}" in said
    code, said, _wrong = broken("doctor", DATABASE_URL="postgres://nobody@127.0.0.1:1/none")
    assert code == 1
    assert "→ check DATABASE_URL" in said


def test_the_first_start_makes_a_key_for_its_owner_only(shell: Shell) -> None:
    assert stat.S_IMODE((shell.data / "secret.key").stat().st_mode) == 0o600


def test_audit_verify_sees_what_was_altered(tmp_path: Path) -> None:
    shell = installed(tmp_path)
    assert shell("audit", "verify") == (0, "0 entries checked, all hold.\n", "")
    for name in ("a", "b", "c"):
        words = "a long enough password\n"
        assert shell("createuser", f"{name}@example.org", name, "--password-stdin", stdin=words)[0] == 0
    assert shell("audit", "verify") == (0, "3 entries checked, all hold.\n", "")
    with sqlite3.connect(shell.data / "polyclinic.sqlite3") as database:
        for (trigger,) in database.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'core_auditentry'"
        ).fetchall():
            database.execute(f"DROP TRIGGER {trigger}")
        database.execute("UPDATE core_auditentry SET actor = 'someone else' WHERE seq = 2")
    database.close()
    code, said, _wrong = shell("audit", "verify")
    assert code == 1
    assert "chain 0, entry 2: was altered after it was written" in said
    assert "the trigger core_auditentry_no_delete is missing or switched off" in said
    assert "3 entries checked, 3 do not hold." in said


def test_audit_finds_a_cut_tail_by_the_signed_files_and_a_restored_backup_by_its_reason(tmp_path: Path) -> None:
    shell = installed(tmp_path)
    words = "a long enough password\n"
    for name in ("a", "b"):
        assert shell("createuser", f"{name}@example.org", name, "--password-stdin", stdin=words)[0] == 0
    assert shell("audit", "sign") == (0, "A checkpoint is written.\n", "")
    database = shell.data / "polyclinic.sqlite3"
    backup = tmp_path / "backup.sqlite3"
    with sqlite3.connect(database) as source, sqlite3.connect(backup) as copy:
        source.backup(copy)
    assert shell("createuser", "c@example.org", "c", "--password-stdin", stdin=words)[0] == 0
    assert shell("audit", "sign")[0] == 0
    for rest in ("-wal", "-shm"):
        database.with_name(database.name + rest).unlink(missing_ok=True)
    backup.replace(database)
    code, said, _wrong = shell("audit", "verify")
    assert code == 1
    assert "chain 0, entry 3: gone, though checkpoint 2 signed it" in said
    assert "polyclinic audit restart REASON" in said
    assert shell("audit", "restart")[0] == 1
    assert shell("audit", "restart", "the disk failed")[0] == 0
    assert shell("audit", "verify") == (0, "3 entries checked, all hold.\n", "")


def test_tables_are_taken_out_of_hands_on_postgresql_only(shell: Shell) -> None:
    code, _said, wrong = shell("audit", "protect", "--role", "x")
    assert (code, "only PostgreSQL has roles" in wrong) == (1, True)


def test_the_demo_never_mixes_with_somebodys_data() -> None:
    with Server() as other:
        shell = Shell(other.data)
        code, _said, wrong = shell("demo", POLYCLINIC_DATA=str(other.data))
    assert code == 1
    assert "already holds data" in wrong


def test_several_processes_on_sqlite_are_refused(shell: Shell) -> None:
    code, _said, wrong = shell("serve", "--workers", "2")
    assert (code, "PostgreSQL" in wrong) == (1, True)


def test_the_generated_tables_are_checked_from_the_source_tree(shell: Shell) -> None:
    assert shell("docs", "--check")[0] == 0


def test_an_unsafe_production_server_does_not_start(shell: Shell) -> None:
    code, _said, wrong = shell("serve", "--port", "0", PUBLIC_URL="http://clinic.example.org", ALLOWED_HOSTS="*")
    assert code == 1
    assert "PUBLIC_URL is http://clinic.example.org" in wrong
    assert "INSECURE_HTTP=yes" in wrong
    assert "ALLOWED_HOSTS takes any host name" in wrong
    assert "not started" in wrong
    code, said, _wrong = shell("doctor", PUBLIC_URL="http://clinic.example.org")
    assert code == 1
    assert "PUBLIC_URL is http://clinic.example.org" in said


def test_keys_are_told_of_renewed_and_shredded(shell: Shell) -> None:
    assert shell("keys", "status")[0] == 0
    code, said, _wrong = shell("keys", "rotate")
    assert code == 0
    assert "Master key k2 made" in said
    assert "Master key k2" in shell("keys", "status")[1]
    assert shell("keys", "rewrap")[0] == 0
    code, _said, wrong = shell("keys", "shred", "MRN0000001", "--reason", "request 17", "--yes")
    assert code == 1
    assert "there is no patient MRN0000001" in wrong
    (shell.data / "keys" / "master.json").rename(shell.data / "away")
    code, _said, wrong = shell("keys", "status")
    (shell.data / "away").rename(shell.data / "keys" / "master.json")
    assert code == 1
    assert "does not open this vault" in wrong or "is not in" in wrong
