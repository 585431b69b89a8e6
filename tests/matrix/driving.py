"""Fills every address of the house with real ids and calls it as every role."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db import transaction

from polyclinic.core import clock
from polyclinic.core.actors import Person
from polyclinic.core.models import AuditEntry
from polyclinic.facilities import identity, sessions
from polyclinic.factors import actions as factors
from polyclinic.factors.models import Passkey
from polyclinic.factors.selectors import is_remembered
from polyclinic.files import actions as photos
from polyclinic.notify import actions as notices
from polyclinic.notify import selectors
from polyclinic.people.models import Account, Doctor, Patient
from polyclinic.scheduling import actions, schedules
from polyclinic.tokens.models import ApiKey
from polyclinic.web import access
from tests.api.calling import Answer, bearer, call, cookies
from tests.files.hostile import picture
from tests.house import House, missing
from tests.matrix import (
    bedside,
    bench,
    dispensary,
    fetching,
    figures,
    hooks,
    lists,
    merging,
    papering,
    paying,
    prescribing,
    reminding,
    ruling,
    several,
    sharing,
    staffing,
    visiting,
    ward,
)
from tests.matrix import working as at_work
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
        # What a test wants to look at while the effect of a call is still there.
        self.before_undoing: Callable[[], None] = lambda: None
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
            **house.staff,
        }
        fresh = staffing.people(house)
        self._by_token = {"anonymous": {}, **{role: bearer(one) for role, one in who.items()}}
        visitor = {"Cookie": f"polyclinic_csrf={CSRF}", "X-CSRFToken": CSRF}
        self._by_cookie = {"anonymous": visitor, **{role: cookies(one) for role, one in who.items()}}
        before = staffing.open_now()
        self._by_token |= {role: bearer(one) for role, one in fresh.items()}
        self._by_cookie |= {role: cookies(one) for role, one in fresh.items()}
        staffing.step_up(fresh, before)
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
            "notice_id": str(self._notice(patient)),
            "session_name": sessions.sessions(patient)[0].id,
            "token": "not-a-token",
            "entry_id": str(AuditEntry.objects.filter(facility_id=house.facility.pk).values_list("pk", flat=True)[0]),
            "file_id": str(photos.set_photo(actor=patient, data=picture())),
            **self._factors(patient),
            **self._keys(patient),
            **sharing.parts(house),
            **paying.parts(house),
            **staffing.parts(house),
            **bench.parts(house),
            **ward.parts(house),
            **visiting.parts(house),
            **merging.parts(house),
            **papering.parts(house),
            **dispensary.parts(house),
            **prescribing.parts(house),
            **bedside.parts(house),
            **fetching.parts(house),
            **lists.parts(house),
            **at_work.parts(house),
            **several.parts(house),
            **ruling.parts(house),
            **reminding.parts(house),
            **hooks.parts(house),
        }
        self.bodies: Mapping[str, Callable[[], Any]] = {
            **sharing.bodies(house),
            **paying.bodies(house),
            **staffing.bodies(house),
            **bench.bodies(house),
            **ward.bodies(),
            **visiting.bodies(house),
            **papering.bodies(house),
            **dispensary.bodies(house),
            **prescribing.bodies(),
            **bedside.bodies(house),
            **fetching.bodies(house),
            **lists.bodies(house),
            **at_work.bodies(house),
            **several.bodies(house),
            **ruling.bodies(),
            **reminding.bodies(),
            **hooks.bodies(house),
            "POST /api/auth/login": lambda: {"email": "meera@example.org", "password": "correct horse battery"},
            "POST /api/auth/second": lambda: {"ticket": "a-ticket", "code": "123456"},
            "POST /api/auth/second/sms": lambda: {"ticket": "a-ticket"},
            "POST /api/auth/refresh": lambda: {"refreshToken": "a-token", "device": "a-device"},
            "POST /api/auth/reset-password": lambda: {"email": "meera@example.org"},
            "POST /api/auth/register": lambda: {"email": "new@example.org", "password": "a long enough passphrase",
                "givenName": "Nia", "familyName": "New", "born": "1990-02-03"},
            "POST /api/auth/register/confirm": staffing.joining,
            "POST /api/keys": lambda: {"name": "A program", "scopes": ["appointment.view"]},
            "POST /api/hospitals/<hospitalId>/keys": lambda: {"name": "A partner", "scopes": ["appointment.view"]},
            "POST /api/auth/step-up": lambda: {"password": "not the password"},
            "POST /api/appointments": self._booking,
            "POST /api/appointments/book": self._booking,
            "PUT /api/appointments/<appointmentId>": lambda: {"starts": house.slot(5)},
            "PATCH /api/appointments/<appointmentId>": lambda: {"starts": house.slot(5)},
            "PUT /api/appointments/<appointmentId>/status": lambda: {"status": "confirmed"},
            "POST /api/holds": lambda: {"scheduleId": house.schedule.pk, "starts": house.slot(6)},
            "PUT /api/doctors/<doctorId>/schedules/<scheduleId>": lambda: {"weekly": [], "version": 2,
                "acknowledged": list(house.schedule.appointments.values_list("pk", flat=True))},
            "POST /api/doctors/<doctorId>/schedules/<scheduleId>/exceptions": lambda: {"kind": "leave", "version": 2,
                "starts": house.local(house.workday(30), 9), "ends": house.local(house.workday(30), 10)},
        }  # fmt: skip
        # What a form on a page sends; an empty one where nothing is named.
        self.forms = {
            **sharing.forms(house),
            **paying.forms(house),
            **staffing.forms(house),
            **bench.forms(house),
            **ward.forms(),
            **visiting.forms(house),
            **merging.forms(house),
            **papering.forms(house),
            **dispensary.forms(house),
            **prescribing.forms(),
            **bedside.forms(house),
            **fetching.forms(house),
            **lists.forms(house),
            **at_work.forms(house),
            **several.forms(house),
            **ruling.forms(),
            **hooks.forms(),
            "POST /book/hold": {"slot": f"{house.schedule.pk}@{house.slot(6).isoformat()}", "wish": ""},
            "POST /book/check/<str:hold_id>": {"key": "a-key-of-this-form", "reason": "Cough"},
            "POST /my/appointments/<str:appointment_id>/reschedule": {
                "slot": f"{house.schedule.pk}@{house.slot(5).isoformat()}"
            },
        }
        self.queries = {
            **papering.queries(house),
            **dispensary.queries(house),
            **bedside.queries(house),
            **fetching.queries(house),
            **figures.queries(house),
            **lists.queries(house),
            **visiting.queries(house),
            "/api/doctors/<doctorId>/appointments": f"?date={house.workday()}",
            "/api/hospitals/<hospitalId>/revenue": f"?first={house.workday()}&last={house.workday()}",
            "/api/hospitals/<hospitalId>/revenue/<table>": f"?first={house.workday()}&last={house.workday()}",
            "/my/invoices/<str:invoice_id>/back": f"?payment={self.parts['payment_id']}",
            "/api/slots": "?specialty=general-practice",
            "/book/where": f"?service={house.service.pk}",
            "/book/time": f"?service={house.service.pk}",
            "/book/slots": f"?doctor={house.doctor.pk}",
        }

    def _notice(self, patient: Person) -> UUID:
        notices.tell(patient.account_id, "password_changed", mail=False)
        return selectors.notices(patient)[0].id

    def _keys(self, patient: Person) -> dict[str, str]:
        """A key and a session of the patient's."""
        key = ApiKey.objects.create(
            account_id=patient.account_id, made_by_id=patient.account_id, name="A program", prefix="pc_1", digest="-",
            expires_at=clock.now() + timedelta(days=1),
        )  # fmt: skip
        return {"keyId": str(key.pk), "key_id": str(key.pk), "sessionId": sessions.sessions(patient)[0].id}

    def _factors(self, patient: Person) -> dict[str, str]:
        """Second factors and a device of the patient's. The passkey is refused, so that signing in needs no second."""
        key = Passkey.objects.create(
            account_id=patient.account_id,
            name="Laptop",
            credential_id="AAAA",
            public_key="AAAA",
            refused_at=clock.now(),
        )
        token = factors.remember(actor=patient, user_agent="")
        return {
            "app_id": str(factors.begin_totp(actor=patient)),
            "number_id": str(factors.begin_number(actor=patient, number="+491512345678")),
            "device_id": str(is_remembered(patient.account_id, token)),
            "kind": "passkey",
            "factor_id": str(key.pk),
        }

    def _booking(self) -> dict[str, Any]:
        house = self.house
        return {"patientId": house.patient.pk, "scheduleId": house.schedule.pk, "starts": house.slot(7)}

    def ids_in(self, route: str) -> list[str]:
        """The parts of the address that name a thing. Names of settings are every house's, and no secret."""
        known = ("account", "token", "provider", "table", "setting_key", "settingKey")
        return [name for name in _PART.findall(route) if name not in known]

    def absent(self, part: str) -> str:
        """What this part may be and nothing is."""
        return "nowhere" if part in ("slug", "action", "deed") else str(missing())

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
            body = urlencode(self.forms.get(f"{method} {route}", {}), doseq=True).encode()
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        with transaction.atomic():
            answer = call(method, path + self.queries.get(plain, ""), body=body, headers=headers)
            self.before_undoing()
            transaction.set_rollback(True)
        if not route.startswith("/api/") or method != "GET":
            identity.forget()
        return answer


def words(answer: Answer) -> bytes:
    """The body without what differs in every answer: the CSRF token is masked anew each time."""
    return _CSRF.sub(b"", answer.body)
