"""Reads through the real server: on record before the answer leaves, whatever happens to the process then."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import Counter
from contextlib import closing
from http.client import HTTPException

import pytest

from tests.server import Server, require_postgres

pytestmark = pytest.mark.service
ENV = {"STAFF_SECOND_FACTOR": "no"}


def entries(server: Server, action: str) -> Counter[str]:
    """How many entries there are of this action, by request id."""
    with closing(sqlite3.connect(server.data / "polyclinic.sqlite3")) as database:
        rows = database.execute("SELECT request_id FROM core_auditentry WHERE action = ?", [action]).fetchall()
    return Counter(row[0] for row in rows)


def test_kill_9_loses_no_acknowledged_read_and_doubles_none() -> None:
    acknowledged: set[str] = set()
    with Server(env=ENV) as server:
        cookies = server.cookies("patient")

        def read(worker: int, life: int) -> None:
            number = 0
            while True:
                name, number = f"read-{life}-{worker}-{number:05}", number + 1
                try:
                    status, _headers, _body = server.request(
                        "GET", "/my", cookies=cookies, headers={"X-Request-ID": name}
                    )
                except (OSError, HTTPException):
                    return
                if status != 200:
                    return
                acknowledged.add(name)

        for life in range(3):
            threads = [threading.Thread(target=read, args=(worker, life)) for worker in range(4)]
            for thread in threads:
                thread.start()
            # On a busy machine the first answers come late; the kill comes in the middle of many.
            until, before = time.monotonic() + 90, len(acknowledged)
            while len(acknowledged) < before + 25 and time.monotonic() < until:
                time.sleep(0.01)
            server.kill()
            for thread in threads:
                thread.join()
            server.start()
        assert server.stop() == 0
        found = entries(server, "patient.read")
        assert len(acknowledged) > 50
        assert acknowledged - found.keys() == set(), "acknowledged and not on record"
        assert [name for name, times in found.items() if times > 1] == []
        said = server.python("-m", "polyclinic", "audit", "verify")
        assert said.endswith("all hold.\n"), said
        assert list((server.data / "reads").iterdir()) == []
        assert list((server.data / "checkpoints").glob("audit-*.jsonl")), "signed at the end"


def test_what_cannot_be_recorded_is_not_shown() -> None:
    with Server(env=ENV) as server:
        cookies = server.cookies("patient")
        assert server.request("GET", "/my", cookies=cookies)[0] == 200
        server.stop()
        # A file where the folder should be: nothing can be written to the journal.
        folder = server.data / "reads"
        folder.rmdir()
        server.start()
        for path in folder.glob("*"):
            path.unlink()
        folder.rmdir()
        folder.write_text("in the way", encoding="ascii")
        status, _headers, body = server.request("GET", "/my", cookies=cookies, headers={"Accept": "application/json"})
        assert status == 503, server.log()
        assert b"not_recorded" in body
        assert server.request("GET", "/doctors", cookies=cookies)[0] == 200, "what shows nobody is served"


@pytest.mark.postgres
def test_on_postgresql_the_applications_role_can_add_and_read_and_nothing_else() -> None:
    import psycopg

    require_postgres()
    with Server(postgres=True, env=ENV, serve=False) as server:
        address, role = server.env["DATABASE_URL"], f"app_{server.port}"
        keeper = f"keeper_{server.port}"
        with psycopg.connect(address, autocommit=True) as boss:
            boss.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'only for this test'".encode())
            try:
                boss.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}".encode())
                boss.execute(f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {role}".encode())
                protect = ("-m", "polyclinic", "audit", "protect", "--role", role, "--owner", keeper)
                assert "can neither change nor delete" in server.python(*protect)
                _as_the_application(boss, role)
                # The whole application works under that role, reads and writes with their audit.
                boss.execute(f"SET ROLE {role}".encode())
                count = boss.execute("SELECT count(*) FROM core_auditentry").fetchone()
                assert count is not None
            finally:
                boss.execute(b"RESET ROLE")
                boss.execute(f"DROP OWNED BY {role}".encode())
                boss.execute(f"DROP ROLE {role}".encode())
                boss.execute(f"REASSIGN OWNED BY {keeper} TO CURRENT_USER".encode())
                boss.execute(f"DROP OWNED BY {keeper}".encode())
                boss.execute(f"DROP ROLE {keeper}".encode())


def _as_the_application(boss: object, role: str) -> None:
    """Every way to alter, tried with the application's own rights."""
    import psycopg

    assert isinstance(boss, psycopg.Connection)
    boss.execute(f"SET ROLE {role}".encode())
    try:
        for table in ("core_auditentry", "core_auditgroup", "core_auditgroupmember", "core_auditcheckpoint"):
            for attempt in (
                f"UPDATE {table} SET id = id", f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE",
                f"DROP TABLE {table} CASCADE", f"ALTER TABLE {table} DISABLE TRIGGER USER",
                f"DROP TRIGGER {table}_no_change ON {table}", f"ALTER TABLE {table} ADD COLUMN x int",
                f"CREATE OR REPLACE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RETURN NULL; END $$",
            ):  # fmt: skip
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    boss.execute(attempt.encode())
        boss.execute(b"INSERT INTO core_auditgroup (name) VALUES ('a list')")
        boss.execute(
            b"INSERT INTO core_auditgroupmember (group_id, patient_id) "
            b"SELECT id, gen_random_uuid() FROM core_auditgroup"
        )
    finally:
        boss.execute(b"RESET ROLE")


@pytest.mark.postgres
def test_reads_on_postgresql_come_in_and_hold() -> None:
    require_postgres()
    with Server(postgres=True, env=ENV) as server:
        cookies = server.cookies("patient")
        for _ in range(20):
            assert server.request("GET", "/my", cookies=cookies)[0] == 200
        server.kill()
        server.start()
        assert server.stop() == 0
        said = server.python("-m", "polyclinic", "audit", "verify").splitlines()
        assert said[-1] == "20 entries checked, all hold."
        assert sum(line.startswith("note: this database role could alter") for line in said) == 4
