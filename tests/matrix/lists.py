"""What the matrix needs of lists: one that was checked, with a row that is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.api.calling import upload
from tests.house import House
from tests.imports.lists import PATIENTS, Desk

_COLUMNS = {"family_name": 0, "given_name": 1, "born": 2, "sex": 3, "phone": 4}


def parts(house: House) -> dict[str, str]:
    """Parts of addresses."""
    made = str(Desk(house).check(PATIENTS).pk)
    return {"import_id": made, "importId": made}


def bodies(house: House) -> dict[str, Callable[[], Any]]:
    """What is sent to the API."""
    return {
        "POST /api/imports": lambda: upload(
            PATIENTS, "text/csv", name="list.csv", more={"hospitalId": str(house.facility.pk), "kind": "patients"}
        ),
        "POST /api/exports": lambda: {
            "hospitalId": str(house.facility.pk),
            "kind": "patients",
            "reason": "Moving house",
        },
        "PUT /api/imports/<importId>/status": lambda: {"action": "apply", "skipBad": True},
    }


def forms(house: House) -> dict[str, Any]:
    """What a form on a page sends."""
    columns = {name: str(number) for name, number in _COLUMNS.items()}
    return {
        "POST /exports": {"place": str(house.facility.pk), "kind": "patients", "reason": "Moving house"},
        "POST /imports": {"place": str(house.facility.pk), "kind": "patients"},
        "POST /imports/<str:import_id>/columns": {**columns, "dates": "iso"},
        "POST /imports/<str:import_id>/apply": {"skip_bad": "yes"},
    }


def queries(house: House) -> dict[str, str]:
    """Which hospital's."""
    return {"/api/imports": f"?hospitalId={house.facility.pk}"}
