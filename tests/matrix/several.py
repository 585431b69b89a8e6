"""What the matrix needs of series: one that `patient` has with `doctor`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from polyclinic.scheduling import series
from tests.house import House


def parts(house: House) -> dict[str, str]:
    made = series.book(actor=house.person(house.patient), patient_id=house.patient.pk, **_rule(house, 8, 10))
    return {"series_id": str(made.pk), "seriesId": str(made.pk)}


def _rule(house: House, nth: int, ahead: int) -> dict[str, Any]:
    return {
        "schedule_id": house.schedule.pk, "starts": house.slot(nth, ahead), "every": 1, "unit": "week", "count": 2,
    }  # fmt: skip


def bodies(house: House) -> dict[str, Callable[[], dict[str, Any]]]:
    def wish() -> dict[str, Any]:
        rule = _rule(house, 7, 10)
        return {"scheduleId": rule.pop("schedule_id"), **rule}

    return {
        "POST /api/appointment-series": wish,
        "POST /api/appointment-series/plan": wish,
        "POST /api/appointment-series/<seriesId>/cancel": dict,
        "PUT /api/doctors/<doctorId>/schedules/<scheduleId>/overbooking": lambda: {"overbookLimit": 2, "version": 2},
    }


def forms(house: House) -> dict[str, dict[str, Any]]:
    return {
        "POST /bookings/<str:patient_id>/series": {
            "schedule": str(house.schedule.pk), "starts": house.slot(7, 10).isoformat(), "every": "1", "unit": "week",
            "count": "2",
        },
        "POST /series/<str:series_id>": {"first": "1"},
        "POST /doctor/schedule/<str:schedule_id>/extra": {"overbookLimit": "2", "version": "2"},
    }  # fmt: skip
