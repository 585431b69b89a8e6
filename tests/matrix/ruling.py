"""What the matrix needs of what is set for a house: a rule that was set once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from polyclinic.scheduling import house as houses
from tests.house import House


def parts(house: House) -> dict[str, str]:
    """Parts of addresses, and a first version to undo."""
    houses.change(
        actor=house.person(house.manager), facility_id=house.facility.pk, key="hold_minutes", value="6", seen=0
    )
    return {"setting_key": "hold_minutes", "settingKey": "hold_minutes"}


def bodies() -> dict[str, Callable[[], dict[str, Any]]]:
    setting = "/api/hospitals/<hospitalId>/settings/<settingKey>"
    return {
        f"PUT {setting}": lambda: {"value": "7", "seen": 1},
        # Of a setting that is no letter: there is nothing to preview.
        f"POST {setting}/preview": lambda: {"value": None},
        f"POST {setting}/undo": lambda: {"number": 0, "seen": 1},
    }


def forms() -> dict[str, dict[str, Any]]:
    return {
        "POST /admin/house/<str:setting_key>": {"value": "7", "seen": "1"},
        "POST /admin/house/<str:setting_key>/undo": {"number": "0", "seen": "1"},
    }
