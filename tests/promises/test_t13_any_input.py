"""T13: whatever is sent to the API, it never breaks, and every answer has the shape its description promises.

2,000 requests made up from the OpenAPI document, well-formed and malformed, as a patient, a doctor and a stranger. A
share of them carry ids that exist and times that are free, so that they get behind the door.
"""

from __future__ import annotations

import random
import zlib
from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest
import schemathesis
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi import checks

from polyclinic.api.pages import document
from polyclinic.facilities import identity
from polyclinic.scheduling import actions
from polyclinic.web.bridge import ApiHandler
from tests.api.calling import bearer, kept_connection
from tests.house import House
from tests.matrix import bench

CASES = 2000
ROLES = ("patient", "doctor", "anonymous")
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]


class Door:
    """The API as a WSGI application, with the caller's token put on."""

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}
        self.statuses: Counter[int] = Counter()
        self._handler = ApiHandler()

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        environ.pop("HTTP_AUTHORIZATION", None)
        environ.update({f"HTTP_{name.upper()}": value for name, value in self.headers.items()})

        def starting(status: str, headers: Any, failure: Any = None) -> Any:
            self.statuses[int(status[:3])] += 1
            return start(status, headers)

        return self._handler(environ, starting)


def real(house: House) -> dict[str, list[str]]:
    """Values that mean something here, by the name of the field or parameter they go into."""
    patient = house.person(house.patient)
    made = actions.book(actor=patient, patient_id=house.patient.pk, schedule_id=house.schedule.pk, starts=house.slot(0))
    kept = actions.hold(actor=patient, schedule_id=house.schedule.pk, starts=house.slot(2))
    return {
        **{name: [text] for name, text in bench.parts(house).items()},
        "appointmentId": [str(made.pk)],
        "holdId": [str(kept.pk)],
        "doctorId": [str(house.doctor.pk)],
        "patientId": [str(house.patient.pk)],
        "scheduleId": [str(house.schedule.pk)],
        "hospitalId": [str(house.facility.pk)],
        "serviceId": [str(house.service.pk)],
        "starts": [house.slot(4).isoformat(), house.slot(5).isoformat()],
        "ends": [house.slot(9).isoformat()],
        "date": [str(house.workday())],
        "from": [house.slot(0).isoformat(), str(house.workday())],
        "email": ["meera@example.org"],
        "password": ["correct horse battery"],
        "fields": ["id", "id,starts"],
        "version": ["1"],
    }  # fmt: skip


def informed(case: Any, values: dict[str, list[str]], chance: random.Random, share: float) -> None:
    """Put real values in place of a share of those made up."""
    for place in (case.path_parameters, case.query, case.body):
        if isinstance(place, dict):
            for name in sorted(set(place) & set(values)):
                if chance.random() < share:
                    picked = chance.choice(values[name])
                    place[name] = int(picked) if name == "version" and place is case.body else picked


def modes(operation: Any) -> st.SearchStrategy[Any]:
    """Well-formed cases and malformed ones, where there is anything to malform."""
    fine = operation.as_strategy(GenerationMode.POSITIVE)
    takes_anything = list(operation.iter_parameters()) or operation.body
    return fine | operation.as_strategy(GenerationMode.NEGATIVE) if takes_anything else fine


def drive(door: Door, operation: Any, values: dict[str, list[str]], cases: int, *, fine: bool = False) -> None:
    """`cases` requests to one operation; whatever they did is taken back. `fine`: only what should be understood."""
    start = zlib.crc32(operation.label.encode()) ^ random.randrange(10**6)
    print(f"{operation.label}: seed {start}")
    chance = random.Random(start)

    @seed(start)
    @settings(
        max_examples=cases,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(GenerationMode.POSITIVE) if fine else modes(operation))
    def one(case: Any) -> None:
        informed(case, values, chance, 1.0 if fine else 0.7)
        with transaction.atomic(), kept_connection():
            response = case.call()
            transaction.set_rollback(True)
        identity.forget()
        case.validate_response(response, checks=CHECKS)

    one()


@pytest.mark.wide
@pytest.mark.parametrize("role", ROLES)
def test_no_input_breaks_the_api(house: House, role: str) -> None:
    door, values = Door(), real(house)
    schema = schemathesis.openapi.from_dict(document())
    schema.app = door
    operations = [found.ok() for found in schema.get_all_operations()]
    share = CASES // len(ROLES) + 1
    # More than the share of each: an operation without parameters has fewer different cases.
    each = max(6, share // len(operations) + 1)
    door.headers = {"patient": bearer(house.patient), "doctor": bearer(house.doctor), "anonymous": {}}[role]
    for operation in operations:
        drive(door, operation, values, each)
        drive(door, operation, values, 3, fine=True)
    print(dict(door.statuses))
    # Not all at the door: enough must have been understood for the answers' shapes to have been looked at.
    assert sum(door.statuses.values()) >= share
    assert sum(door.statuses[status] for status in (200, 201, 204)) > (20 if role == "anonymous" else 80)
    assert not {status for status in door.statuses if status >= 500}


def test_the_checks_see_a_wrong_answer(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: an answer that is not as described, and a failure of ours, are both noticed."""
    from django.http import HttpResponse

    from polyclinic.api import answers

    door, values = Door(), real(house)
    schema = schemathesis.openapi.from_dict(document())
    schema.app = door
    monkeypatch.setattr(answers, "reply", lambda *_all: HttpResponse(b'{"data": 7}', content_type="application/json"))
    with pytest.raises(FailureGroup):
        drive(door, schema["/api/services"]["GET"], values, 5)
