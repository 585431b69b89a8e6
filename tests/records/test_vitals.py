"""Vital signs: what can be true, what is asked twice, and what a set leaves behind."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import orjson
import pytest
from django.db import connection

from polyclinic.core import clock
from polyclinic.core.errors import Conflict, Forbidden, Invalid, NotFound, StaleEdit
from polyclinic.core.models import AuditEntry, OutboxEvent
from polyclinic.people.models import Patient
from polyclinic.records import actions, selectors, vitals
from polyclinic.visits import actions as visits
from tests.house import missing
from tests.records.conftest import Ward

FULL = {"respiration": "22", "spo2": "94", "systolic": "118", "diastolic": "76", "pulse": "96", "temperature": "38.4"}


def record(ward: Ward, values: dict[str, str] | None = None, **given: Any) -> Any:
    given = {"oxygen": False, "consciousness": "A", **given}
    return actions.record_vitals(
        actor=given.pop("actor", ward.nurse), visit_id=ward.visit.pk, values=FULL if values is None else values, **given
    )


def test_a_set_is_scored_and_sealed(ward: Ward) -> None:
    made = record(ward)
    (row,) = selectors.vital_sets(ward.checker, ward.visit.pk)
    assert (row.values["temperature"], row.values["pulse"], row.author) == ("38.4", "96", "Some nurse")
    # 2 for breathing, 1 each for saturation, pulse and temperature.
    assert (row.score.total, row.score.risk, row.score.edition) == (5, "medium", "RCP-2017")
    with connection.cursor() as cursor:
        cursor.execute("SELECT body FROM records_vitalset")
        (stored,) = cursor.fetchone()
    assert stored.startswith("v1:")
    entry = AuditEntry.objects.get(action="vitals.record")
    assert (entry.subject_id, entry.patient_id, entry.to_state) == (str(made.pk), ward.house.patient.pk, "recorded")
    told = OutboxEvent.objects.get(type="vitals.recorded")
    # Ids and the version: nothing that was measured.
    assert set(orjson.loads(told.payload)) == {"entryId", "visitId", "patientId", "facilityId", "revision"}


@pytest.mark.parametrize("vital", vitals.VITALS, ids=lambda vital: vital.name)
def test_each_limit_is_where_it_says(vital: vitals.Vital) -> None:
    step = Decimal(1).scaleb(-vital.decimals)
    low, high = vital.possible
    assert [vitals.read(vital.name, str(end)) for end in (low, high)] == [low, high]
    for outside in (low - step, high + step):
        with pytest.raises(Invalid) as refused:
            vitals.read(vital.name, str(outside))
        assert (refused.value.code, refused.value.field) == ("impossible", vital.name)
        assert str(low) in str(refused.value.sentence)
    assert low <= vital.usual[0] < vital.usual[1] <= high
    for name, end in ((vital.name, vital.usual[0]), (vital.name, vital.usual[1])):
        assert vitals.unusual({name: end}) == []
    if vital.usual[1] < high:
        assert vitals.unusual({vital.name: vital.usual[1] + step}) == [vital.name]


@pytest.mark.parametrize(
    ("name", "typed", "code"),
    [
        ("temperature", "372", "impossible"),  # the comma forgotten
        ("temperature", "98.4", "impossible"),  # Fahrenheit
        ("temperature", "36.75", "too_fine"),
        ("pulse", "72.5", "too_fine"),
        ("pulse", "abc", "invalid"),
        ("pulse", "1e2", "invalid"),
        ("pulse", "NaN", "invalid"),
        ("pulse", "Infinity", "invalid"),
        ("pulse", "٧٢", None),
        ("pulse", "9" * 400, "invalid"),
        ("spo2", "101", "impossible"),
        ("weight", "-4", "impossible"),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(name: str, typed: str, code: str | None) -> None:
    if code is None:
        assert vitals.read(name, typed) == 72  # digits of another script are digits
        return
    with pytest.raises(Invalid) as refused:
        vitals.read(name, typed)
    assert (refused.value.code, refused.value.field) == (code, name)


def test_values_are_written_as_clinicians_write_them() -> None:
    written = [("temperature", "37", "37.0"), ("weight", "5.0", "5"), ("weight", "0,5", "0.5"), ("pulse", "100", "100")]
    for name, typed, text in written:
        value = vitals.read(name, typed)
        assert value is not None
        assert vitals.written(name, value) == text


def test_the_unusual_is_asked_again_and_then_believed(ward: Ward) -> None:
    odd = {**FULL, "pulse": "190", "temperature": "41.5"}
    with pytest.raises(Invalid) as asked:
        record(ward, odd)
    assert (asked.value.code, asked.value.field, asked.value.extra["unusual"]) == (
        "unusual", "pulse", ["pulse", "temperature"],
    )  # fmt: skip
    with pytest.raises(Invalid):
        record(ward, odd, confirmed=["pulse"])
    record(ward, odd, confirmed=["pulse", "temperature", "weight"])
    (row,) = selectors.vital_sets(ward.nurse, ward.visit.pk)
    assert row.confirmed == ("pulse", "temperature")


def test_a_blood_pressure_is_two_values_in_order(ward: Ward) -> None:
    for values, field in (
        ({"systolic": "120"}, "diastolic"),
        ({"diastolic": "80"}, "systolic"),
        ({"systolic": "80", "diastolic": "80"}, "diastolic"),
    ):
        with pytest.raises(Invalid) as refused:
            record(ward, values)
        assert refused.value.field == field


def test_nothing_is_no_measurement_and_oxygen_must_be_said(ward: Ward) -> None:
    with pytest.raises(Invalid) as refused:
        record(ward, {}, consciousness="")
    assert refused.value.code == "required"
    with pytest.raises(Invalid) as refused:
        record(ward, {**FULL, "oxygen_flow": "2"})
    assert refused.value.field == "oxygen_flow"
    with pytest.raises(Invalid):
        record(ward, {"blood": "2"})
    with pytest.raises(Invalid):
        record(ward, consciousness="X")
    with pytest.raises(Invalid):
        record(ward, scale=3)


def test_no_score_for_the_young_and_in_pregnancy(ward: Ward) -> None:
    record(ward, pregnant=True)
    (row,) = selectors.vital_sets(ward.nurse, ward.visit.pk)
    assert (row.score.total, row.score.not_for) == (None, "pregnant")
    today = clock.now().date()
    sixteen = date(today.year - 16, today.month, today.day) if (today.month, today.day) != (2, 29) else None
    if sixteen is None:
        return
    for born, why in ((sixteen, ""), (sixteen + timedelta(days=1), "young")):
        Patient.objects.filter(pk=ward.house.patient.pk).update(born=born)
        made = record(ward)
        found = {one.id: one.score.not_for for one in selectors.vital_sets(ward.nurse, ward.visit.pk)}
        assert found[made.pk] == why


def test_a_mistake_is_withdrawn_and_stays_readable(ward: Ward) -> None:
    made = record(ward)
    with pytest.raises(Invalid):
        actions.withdraw_vitals(actor=ward.nurse, vitals_id=made.pk, reason="  ")
    with pytest.raises(StaleEdit):
        actions.withdraw_vitals(actor=ward.nurse, vitals_id=made.pk, reason="Wrong patient", version=9)
    actions.withdraw_vitals(actor=ward.nurse, vitals_id=made.pk, reason="Wrong patient", version=1)
    (row,) = selectors.vital_sets(ward.nurse, ward.visit.pk)
    assert (row.status, row.values["pulse"]) == ("withdrawn", "96")
    assert selectors.latest_scores(ward.nurse, [ward.visit.pk]) == {}
    with pytest.raises(Conflict):
        actions.withdraw_vitals(actor=ward.nurse, vitals_id=made.pk, reason="Again")


def test_signs_may_be_typed_in_later_but_not_ahead(ward: Ward) -> None:
    now = clock.now()
    made = record(ward, taken_at=now - timedelta(hours=2))
    assert made.taken_at == now - timedelta(hours=2)
    for wrong in (now + timedelta(minutes=5), now - timedelta(days=2)):
        with pytest.raises(Invalid) as refused:
            record(ward, taken_at=wrong)
        assert refused.value.field == "takenAt"


def test_who_may_write_and_who_may_read(ward: Ward) -> None:
    house = ward.house
    made = record(ward)
    for who in (house.receptionist, house.staff["lab_technician"], house.staff["pharmacist"]):
        with pytest.raises(Forbidden):
            record(ward, actor=house.person(who))
        with pytest.raises(NotFound):
            selectors.vital_sets(house.person(who), ward.visit.pk)
    stranger = house.person(house.stranger_receptionist)
    with pytest.raises(NotFound):
        record(ward, actor=stranger)
    with pytest.raises(NotFound):
        actions.withdraw_vitals(actor=stranger, vitals_id=made.pk, reason="x")
    with pytest.raises(NotFound):
        actions.record_vitals(actor=ward.nurse, visit_id=missing(), values=FULL)
    assert len(selectors.vital_sets(house.person(house.patient), ward.visit.pk)) == 1
    with pytest.raises(NotFound):
        selectors.vital_sets(house.person(house.other_patient), ward.visit.pk)


def test_after_the_visit_nothing_is_measured(ward: Ward) -> None:
    visits.leave(actor=ward.nurse, visit_id=ward.visit.pk, reason="Went home")
    with pytest.raises(Conflict) as refused:
        record(ward)
    assert refused.value.code == "visit_over"
