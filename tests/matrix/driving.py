"""Fills every address of the house with real ids and calls it as every role."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from django.db import transaction

from polyclinic.facilities import identity
from polyclinic.people.models import Account, Doctor, Patient
from polyclinic.scheduling import actions, schedules
from polyclinic.web import access
from tests.api.calling import Answer, bearer, call, cookies
from tests.house import House, missing
from tests.server import CSRF

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# Asked as well. They have no rows of their own: HEAD is GET where it is served at all, the others are nobody's.
OTHER_METHODS = ("HEAD", "OPTIONS", "TRACE")
_PART = re.compile(r"<(?:\w+:)?(\w+)>")
_CSRF = re.compile(rb'(csrfmiddlewaretoken" value=|content=)"[A-Za-z0-9]{32,64}"')


def every_address() -> list[str]:
    """Each address once. /api/v1 is the same API again, and told apart by its prefix alone."""
    return list(dict.fromkeys(route for route, _entry in access.addresses()))


class World:
    """The small hospital with an appointment, a hold and leave of `patient` and `doctor`, and everyone signed in."""

    def __init__(self, house: House) -> None:
        self.house = house
        patient, doctor = house.person(house.patient), house.person(house.doctor)
        self.appointment = actions.book(
            actor=patient, patient_id=house.patient.pk, schedule_id=house.schedule.pk, starts=house.slot(0)
        )
        self.hold = actions.hold(actor=patient, schedule_id=house.schedule.pk, starts=house.slot(3))
        leave = house.local(house.workday(20), 9), house.local(house.workday(20), 12)
        self.leave = schedules.add_exception(
            actor=doctor, schedule_id=house.schedule.pk, kind="leave", starts=leave[0], ends=leave[1], version=1
        )
        who: dict[str, Account | Patient | Doctor] = {
            "patient": house.patient,
            "other_patient": house.other_patient,
            "doctor": house.doctor,
            "other_doctor": house.other_doctor,
            "receptionist": house.receptionist,
            "foreign_receptionist": house.stranger_receptionist,
            "manager": house.manager,
        }
        self._by_token = {"anonymous": {}, **{role: bearer(one) for role, one in who.items()}}
        visitor = {"Cookie": f"polyclinic_csrf={CSRF}", "X-CSRFToken": CSRF}
        self._by_cookie = {"anonymous": visitor, **{role: cookies(one) for role, one in who.items()}}
        self.parts: dict[str, str] = {
            "slug": house.facility.slug,
            "doctor_id": str(house.doctor.pk),
            "doctorId": str(house.doctor.pk),
            "patient_id": str(house.patient.pk),
            "hospitalId": str(house.facility.pk),
            "appointment_id": str(self.appointment.pk),
            "appointmentId": str(self.appointment.pk),
            "hold_id": str(self.hold.pk),
            "holdId": str(self.hold.pk),
            "schedule_id": str(house.schedule.pk),
            "scheduleId": str(house.schedule.pk),
            "exception_id": str(self.leave.pk),
            "exceptionId": str(self.leave.pk),
            "action": "confirm",
            "account": "someone",
            "token": "not-a-token",
        }
        self.bodies: Mapping[str, Callable[[], dict[str, Any]]] = {
            "POST /api/auth/login": lambda: {"email": "meera@example.org", "password": "correct horse battery"},
            "POST /api/appointments": self._booking,
            "POST /api/appointments/book": self._booking,
            "PUT /api/appointments/<appointmentId>": lambda: {"starts": house.slot(5)},
            "PATCH /api/appointments/<appointmentId>": lambda: {"starts": house.slot(5)},
            "PUT /api/appointments/<appointmentId>/status": lambda: {"status": "confirmed"},
            "POST /api/holds": lambda: {"scheduleId": house.schedule.pk, "starts": house.slot(6)},
            "PUT /api/doctors/<doctorId>/schedules/<scheduleId>": lambda: {"weekly": [], "version": 2,
                "acknowledged": [self.appointment.pk]},
            "POST /api/doctors/<doctorId>/schedules/<scheduleId>/exceptions": lambda: {"kind": "leave", "version": 2,
                "starts": house.local(house.workday(30), 9), "ends": house.local(house.workday(30), 10)},
        }  # fmt: skip
        # What a form on a page sends; an empty one where nothing is named.
        self.forms = {
            "POST /book/hold": {"slot": f"{house.schedule.pk}@{house.slot(6).isoformat()}", "wish": ""},
            "POST /book/check/<str:hold_id>": {"key": "a-key-of-this-form", "reason": "Cough"},
            "POST /my/appointments/<str:appointment_id>/reschedule": {
                "slot": f"{house.schedule.pk}@{house.slot(5).isoformat()}"
            },
        }
        self.queries = {
            "/api/doctors/<doctorId>/appointments": f"?date={house.workday()}",
            "/api/slots": "?specialty=general-practice",
            "/book/where": f"?service={house.service.pk}",
            "/book/time": f"?service={house.service.pk}",
            "/book/slots": f"?doctor={house.doctor.pk}",
        }

    def _booking(self) -> dict[str, Any]:
        house = self.house
        return {"patientId": house.patient.pk, "scheduleId": house.schedule.pk, "starts": house.slot(7)}

    def ids_in(self, route: str) -> list[str]:
        """The parts of the address that name a thing."""
        return [name for name in _PART.findall(route) if name not in ("account", "token")]

    def absent(self, part: str) -> str:
        """What this part may be and nothing is."""
        return "nowhere" if part in ("slug", "action") else str(missing())

    def ask(self, method: str, route: str, role: str, *, without: str | None = None) -> Answer:
        """Call it and take back whatever it did. `without` names the part to be an id that nothing has."""
        parts = self.parts if without is None else {**self.parts, without: self.absent(without)}
        path = _PART.sub(lambda found: parts[found.group(1)], route)
        plain = route.replace("/api/v1/", "/api/", 1)
        made = self.bodies.get(f"{method} {plain}")
        api = route.startswith("/api/")
        headers = dict((self._by_token if api else self._by_cookie)[role])
        if method == "DELETE" and "exceptions" in route:
            headers["If-Match"] = '"2"'
        body: Any = made() if made else None
        if not api and method == "POST":
            body = urlencode(self.forms.get(f"{method} {route}", {})).encode()
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        with transaction.atomic():
            answer = call(method, path + self.queries.get(plain, ""), body=body, headers=headers)
            transaction.set_rollback(True)
        if not route.startswith("/api/") or method != "GET":
            identity.forget()
        return answer


def words(answer: Answer) -> bytes:
    """The body without what differs in every answer: the CSRF token is masked anew each time."""
    return _CSRF.sub(b"", answer.body)
