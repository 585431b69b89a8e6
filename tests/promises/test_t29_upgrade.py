"""T29: an upgrade that fails puts everything back; and moving to PostgreSQL, broken off and gone on with."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.backup.places import Place, at, database
from tests.promises.test_t10_backup import REASON, Bookings, killed
from tests.server import Server, require_postgres

pytestmark = pytest.mark.service

# A migration of the next version: it alters tables and takes rows away, and then may fail.
_NEXT = """
from django.db import migrations, models
from django.db.migrations import loader
class Next(migrations.Migration):
    dependencies = [("scheduling", {after!r}), ("people", {people!r})]
    operations = [
        migrations.AddField("Patient", "fresh", models.CharField(max_length=8, default="new", db_default="new")),
        migrations.RunSQL("DELETE FROM scheduling_appointment"),
        {end}
    ]
load = loader.MigrationLoader.load_disk
def with_next(self):
    load(self)
    self.disk_migrations["people", "9999_next"] = Next("9999_next", "people")
loader.MigrationLoader.load_disk = with_next
"""
_FAIL = 'migrations.RunPython(lambda apps, editor: apps.get_model("people", "Nobody")),'
_LEAVES = """
import json
from django.db.migrations.loader import MigrationLoader
from django.db import connection
print(json.dumps(dict(MigrationLoader(connection).graph.leaf_nodes())))
"""


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    if request.param == "postgres":
        require_postgres()
    with Server(postgres=request.param == "postgres") as server:
        hand = Bookings(server, "patient", 3)
        for _time in range(3):
            hand.once()
        assert server.stop() == 0
        with at(server.env) as found:
            yield found


def next_version(place: Place, end: str = "") -> str:
    leaves = place.ask(_LEAVES)
    return _NEXT.format(after=leaves["scheduling"], people=leaves["people"], end=end)


def test_a_failing_migration_puts_every_row_back(place: Place) -> None:
    before = place.sums()
    assert before["scheduling_appointment"][0] == 3
    code, said = place("upgrade", before=next_version(place, _FAIL))
    assert (code, "no row is missing" in said) == (1, True), said
    assert "LookupError" in said
    assert place.sums() == before
    assert not (place.data / "upgrade").exists()
    code, said = place("upgrade")
    assert (code, said) == (0, "The database is up to date: nothing to do.\n")


def test_killed_while_it_migrates_the_next_one_puts_it_back(place: Place) -> None:
    before = place.sums()
    kill = 'migrations.RunPython(lambda apps, editor: __import__("os").kill(__import__("os").getpid(), 9)),'
    assert place("upgrade", before=next_version(place, kill))[0] == -9
    code, said = place("serve", "--port", "0")
    assert (code, "an upgrade was broken off here" in said) == (1, True)
    code, said = place("upgrade", "--back")
    assert code == 0, said
    assert place.sums() == before


def test_a_good_one_says_what_it_did_and_is_not_begun_beside_a_server(place: Place) -> None:
    before = place.sums()
    # Looked at in the same process, which then puts back what was there, for the tests after this one.
    with_it = next_version(place).replace('migrations.RunSQL("DELETE FROM scheduling_appointment"),', "")
    undone = (
        "from polyclinic.commands import upgrade as up\nkeep = up._forget\n"
        "def back():\n    up._forget = keep\n    up._put_back()\nup._forget = back"
    )
    code, said = place("upgrade", before=f"{with_it}\n{undone}")
    assert code == 0, said
    assert "Done: people.9999_next. The audit holds." in said
    assert place.sums() == before
    busy = "from polyclinic.backup import place\nassert place.Serving().hold(alone=False)"
    code, said = place("upgrade", before=busy)
    assert (code, "stop it first" in said) == (1, True)


@pytest.mark.postgres
def test_moving_to_postgresql_goes_on_where_it_was_killed() -> None:
    require_postgres()
    with Server() as server, database("polyclinic_moved_" + server.env["SECRET_KEY"][:6].lower().encode().hex()) as to:
        hand = Bookings(server, "patient", 3)
        for _time in range(3):
            hand.once()
        with at(server.env) as here:
            code, said = here("db", "move", "--to", to)
            assert (code, "stop it first" in said) == (1, True)
            assert server.stop() == 0
            before = here.sums()
            code, said = here("db", "move", "--to", "mysql://x")
            assert (code, "postgres://" in said) == (1, True)
            # Batches of one row, so that it stops in the middle of a table.
            small = "from polyclinic.backup import moving\nmoving.BATCH = 1\n"
            kill = killed("polyclinic.backup.moving", "polyclinic.backup.moving._put", 60)
            assert here("db", "move", "--to", to, before=small + kill)[0] == -9
            code, said = here("db", "move", "--to", to)
            assert code == 0, said
            assert "Going on where it was broken off." in said
            assert "the same on both sides" in said
            assert here.sums() == before  # the old one is as it was
            code, said = here("db", "move", "--to", to)
            assert (code, "name an empty one" in said) == (1, True)
        # People go on there: keys go on from where they were, triggers stand, texts open.
        server.env["DATABASE_URL"] = to
        server.start()
        again = Bookings(server, "patient", 4)
        again.once()
        status, _headers, body = server.request("GET", "/api/appointments?limit=50", cookies=again.cookies)
        assert status == 200
        assert {row["reason"] for row in json.loads(body)["data"]} == {REASON}
        assert len(json.loads(body)["data"]) == 4
        assert server.stop() == 0
        code, said = 0, server.python("-m", "polyclinic", "audit", "verify")
        assert "all hold" in said
