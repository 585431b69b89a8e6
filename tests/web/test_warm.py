"""The API is loaded after the first page and not before it; nobody who asks finds it missing."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from django.urls import get_resolver, resolve

from polyclinic.web import access, warm

ROOT = Path(__file__).resolve().parents[2]
PAGE = """
import sys
from polyclinic.web.app import application
from polyclinic.web.bridge import environ_of
from django.urls import resolve
resolve("/")
resolve("/doctor")
print("ninja" in sys.modules, "psycopg" in sys.modules)
resolve("/api/appointments")
print("ninja" in sys.modules)
"""


def test_a_page_loads_neither_the_api_nor_another_database_and_the_api_loads_itself(tmp_path: Path) -> None:
    on_sqlite = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    env = {**on_sqlite, "POLYCLINIC_DATA": str(tmp_path), "DJANGO_SETTINGS_MODULE": "polyclinic.settings"}
    done = subprocess.run([sys.executable, "-c", PAGE], env=env, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False", "True"]


@pytest.mark.parametrize("path", ["/api/appointments", "/api/v1/appointments", "/api-docs", "/api/openapi.json"])
def test_addresses_of_the_api_are_where_they_were(path: str) -> None:
    found = resolve(path)
    assert f"/{found.route}" == path
    assert path in {route for route, _entry in access.addresses(get_resolver())}


def test_it_waits_for_the_first_page(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = threading.Event()
    monkeypatch.setattr(access, "addresses", lambda: loaded.set() or [])
    warming = warm.Warming(patience=60)
    warming.start()
    assert not loaded.wait(0.05)
    warming.answered.set()
    warming.join(10)
    assert loaded.is_set()


def test_without_a_page_it_begins_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = threading.Event()
    monkeypatch.setattr(access, "addresses", lambda: loaded.set() or [])
    warming = warm.Warming(patience=0.0)
    warming.start()
    warming.join(10)
    assert loaded.is_set()


def test_what_cannot_be_loaded_is_logged_and_stops_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        raise ImportError("gone")

    monkeypatch.setattr(access, "addresses", broken)
    warming = warm.Warming(patience=0.0)
    warming.start()
    warming.join(10)
    assert "could not be loaded" in caplog.text
