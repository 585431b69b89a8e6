"""The inventory of what is stored and where it goes, held against models, settings and source."""

from __future__ import annotations

import argparse
import ast
from pathlib import Path

import pytest
from django.db import models
from django.test.utils import isolate_apps

from polyclinic.commands import arguments
from polyclinic.compliance import inventory
from polyclinic.compliance.inventory import Level
from polyclinic.settings import declared

PACKAGE = Path(inventory.__file__).resolve().parents[1]
# What opens a line, or is built to: names as they are called, and packages that are for nothing else.
CALLS = {
    "socket.create_connection", "socket.socket", "socket.create_server", "http.client.HTTPConnection",
    "http.client.HTTPSConnection", "asyncio.open_connection", "asyncio.start_server", "psycopg.connect",
    "outgoing.request", "EmailMessage", "EmailMultiAlternatives", "send_mail", "urlopen", "dj_database_url.parse",
}  # fmt: skip
PACKAGES = {"requests", "httpx", "aiohttp", "urllib3", "smtplib", "ftplib", "paramiko", "imaplib", "telnetlib", "redis",
            "aio_pika", "pika"}  # fmt: skip
# A setting read by one of these is an address of some machine.
ADDRESSES = {
    declared.database, declared.mail, declared.texting, declared.origin, declared.key_service, declared.scanner,
    declared.sink, declared.broker,
}  # fmt: skip


def opens(source: str) -> set[str]:
    """What in a module opens a line to somewhere."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute | ast.Name):
            written = ast.unparse(node)
            found |= {call for call in CALLS if written == call}
        elif isinstance(node, ast.Import):
            found |= {name.name for name in node.names if name.name.partition(".")[0] in PACKAGES}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in PACKAGES:
            found.add(str(node.module))
    return found


def test_every_table_of_the_database_has_its_row() -> None:
    assert inventory.stored().keys() == inventory.tables().keys()


def test_columns_named_as_clear_are_there_and_are_clear() -> None:
    for table, model in inventory.tables().items():
        named = set(inventory.stored()[table].clear)
        columns = {field.column for field in model._meta.concrete_fields}
        assert named <= columns, table
        assert not named & set(inventory.sealed(model)), table


def test_words_in_clear_are_all_named() -> None:
    """A new column that can hold words about somebody is sealed, or stands on the list for all to see."""
    for table, model in inventory.tables().items():
        row = inventory.stored()[table]
        if row.level != Level.HOUSE:
            unsaid = inventory.wordy(model) - set(row.clear) - SAFE.get(table, set())
            assert unsaid == set(), f"{table}: seal {unsaid}, or name them in tables/data.txt"


# Sealed in another way than by the field, or of no one's choice: digests, keys, and what the caller sealed before.
SAFE = {
    "core_auditentry": {"reason"},
    "core_idempotencyrecord": {"answer", "key"},
    "billing_payment": {"key"},
    "billing_refund": {"key"},
    "factors_recoverycode": {"digest"},
    "factors_passkey": {"transports"},
    "notify_delivery": {"error"},
    # Numbers of columns by names of fields.
    "imports_import": {"columns"},
}


def test_what_is_about_a_patient_is_no_affair_of_the_house() -> None:
    for table, model in inventory.tables().items():
        if inventory.of_a_patient(model):
            assert inventory.stored()[table].level in {Level.HEALTH, Level.PERSON}, table


@isolate_apps("polyclinic.visits")
def test_a_column_and_a_patient_that_nobody_named_are_noticed() -> None:
    """Negative control: on a model as somebody might add it."""

    class Remark(models.Model):
        visit = models.ForeignKey(inventory.tables()["visits_visit"], on_delete=models.PROTECT, related_name="+")
        words = models.TextField()
        state = models.CharField(max_length=16)

        class Meta:
            app_label = "visits"

    assert inventory.wordy(Remark) == {"words"}
    assert inventory.of_a_patient(Remark)
    assert not inventory.of_a_patient(inventory.tables()["pharmacy_supplier"])
    assert "body" in inventory.sealed(inventory.tables()["records_note"])


def test_every_module_that_opens_a_line_is_on_the_map() -> None:
    found = {
        str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py") if opens(path.read_text(encoding="utf-8"))
    }
    assert found == {line.module for line in inventory.lines()}


@pytest.mark.parametrize(
    "source", ["import socket\nsocket.create_connection(('x', 1))", "import requests", "from httpx import get",
               "outgoing.request('GET', url)", "EmailMessage(to=[x]).send()", "http.client.HTTPSConnection('x')"],
)  # fmt: skip
def test_a_line_that_somebody_adds_is_noticed(source: str) -> None:
    """Negative control."""
    assert opens(source)
    assert not opens("import json\njson.loads('1')")


def test_every_setting_that_names_a_machine_is_on_the_map() -> None:
    known = {setting.name for setting in declared.SETTINGS}
    named = {name for line in inventory.lines() for name in line.settings}
    assert named <= known
    assert {setting.name for setting in declared.SETTINGS if setting.parse in ADDRESSES} <= named


def test_the_page_draws_every_line_and_says_every_level() -> None:
    text = (PACKAGE.parent / "docs" / "data-map.md").read_text(encoding="utf-8")
    for level in Level:
        assert f"| **{level}** |" in text
    for line in inventory.lines():
        if line.module not in {"core/outgoing.py", "live/tail.py", "settings/base.py"}:
            assert any(name in text for name in line.settings), line.module


def test_every_command_is_said_who_may_start_it() -> None:
    text = (PACKAGE.parent / "docs" / "data-map.md").read_text(encoding="utf-8")
    part = text.partition("## What runs")[2].partition("\n## ")[0]
    choices = next(one for one in arguments.parser()._actions if isinstance(one, argparse._SubParsersAction)).choices
    assert len(choices) > 10
    assert [name for name in choices if f"`{name}`" not in part] == []
