"""The key vault in a PostgreSQL database of its own does what the file does."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from polyclinic.core.crypto import ring as rings
from polyclinic.core.crypto import rotation, sealing
from polyclinic.core.crypto.problems import KeyErased
from polyclinic.core.crypto.ring import ring
from polyclinic.core.crypto.vault import vault
from tests import schema
from tests.crypto.conftest import fresh
from tests.server import require_postgres

pytestmark = [pytest.mark.service, pytest.mark.postgres]
PLACE = "table.column.row"


@pytest.fixture
def address(keys: Path, settings: Any) -> Iterator[str]:
    require_postgres()
    name = f"polyclinic_vault_{secrets.token_hex(6)}"
    schema.administer(f'CREATE DATABASE "{name}"')
    settings.KEY_VAULT_URL = schema.address_of(name)
    fresh()
    yield settings.KEY_VAULT_URL
    fresh()
    schema.administer(f'DROP DATABASE "{name}" WITH (FORCE)')


def cut_lines(address: str) -> None:
    with psycopg.connect(address, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid()"
        )


def quiet(_line: str) -> None:
    pass


def test_seal_rotate_shred_and_survive_a_cut_line(address: str, keys: Path) -> None:
    texts = {owner: sealing.seal(owner, PLACE, owner) for owner in (f"patient:{n}" for n in range(20))}
    assert not (keys / "vault.sqlite3").exists()
    assert rotation.rotate_master(quiet) == 20
    fresh()
    assert all(sealing.open_(PLACE, text) == owner for owner, text in texts.items())
    cut_lines(address)
    ring.forget()
    assert sealing.open_(PLACE, texts["patient:3"]) == "patient:3"
    cut_lines(address)
    ring.shred("patient:3")
    for _process in range(2):
        with pytest.raises(KeyErased):
            sealing.open_(PLACE, texts["patient:3"])
        with pytest.raises(KeyErased):
            ring.current("patient:3")
        fresh()
    assert vault().counts() == {"current": 19, "shredded": 1}


def test_rivals_in_two_processes_make_one_key(address: str) -> None:
    from polyclinic.core.crypto.vault import PostgresStore, Vault

    found, barrier = [], threading.Barrier(6)
    root, cipher = ring._current_root()

    def make() -> None:
        rival = Vault(PostgresStore(address))
        barrier.wait()
        key = rings._wrapped("patient:1", root, cipher, secrets.token_bytes(32))
        rival.add([key])
        found.append([row.id for row in rival.of_owner("patient:1")])
        rival.close()

    threads = [threading.Thread(target=make) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert len({tuple(ids) for ids in found}) == 1
