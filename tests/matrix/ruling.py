"""What the matrix needs of what is set for a house: a rule and the terms of a service that were set once, a device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from polyclinic.facilities import catalogue, offers
from polyclinic.scheduling import house as houses
from tests.house import House


def parts(house: House) -> dict[str, str]:
    """Parts of addresses, and first versions to undo."""
    given: dict[str, Any] = {"actor": house.person(house.manager), "facility_id": house.facility.pk}
    houses.change(**given, key="hold_minutes", value="6", seen=0)
    service = catalogue.add_service(**given, name="Scan", specialty="general-practice")
    houses.change(**given, key=offers.key_of(service.pk), value='{"minutes": 30}', seen=0)
    kind = catalogue.add_equipment(**given, name="Scanner", count=1)
    return {
        "setting_key": "hold_minutes", "settingKey": "hold_minutes", "service_id": str(service.pk),
        "serviceId": str(service.pk), "equipment_id": str(kind.pk), "equipmentId": str(kind.pk),
    }  # fmt: skip


def bodies() -> dict[str, Callable[[], dict[str, Any]]]:
    hospital = "/api/hospitals/<hospitalId>"
    setting = f"{hospital}/settings/<settingKey>"
    return {
        f"PUT {setting}": lambda: {"value": "7", "seen": 1},
        # Of a setting that is no letter: there is nothing to preview.
        f"POST {setting}/preview": lambda: {"value": None},
        f"POST {setting}/undo": lambda: {"number": 0, "seen": 1},
        f"POST {hospital}/services": lambda: {"name": "Another scan", "specialty": "general-practice"},
        f"PUT {hospital}/services/<serviceId>": lambda: {"minutes": 40, "seen": 1},
        f"POST {hospital}/services/<serviceId>/undo": lambda: {"number": 0, "seen": 1},
        f"POST {hospital}/equipment": lambda: {"name": "Bicycle"},
        f"PUT {hospital}/equipment/<equipmentId>": lambda: {"count": 2, "version": 1},
    }


def forms() -> dict[str, dict[str, Any]]:
    return {
        "POST /admin/house/<str:setting_key>": {"value": "7", "seen": "1"},
        "POST /admin/house/<str:setting_key>/undo": {"number": "0", "seen": "1"},
        "POST /admin/services/add": {"name": "Another scan", "specialty": "general-practice"},
        "POST /admin/services/<str:service_id>": {"minutes": "40", "seen": "1"},
        "POST /admin/services/<str:service_id>/undo": {"number": "0", "seen": "1"},
        "POST /admin/equipment": {"device": "Bicycle", "count": "1"},
        "POST /admin/equipment/<str:equipment_id>": {"count": "2", "version": "1"},
    }
