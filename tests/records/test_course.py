"""A record through time: for those who treat, in the patient's copy, and until its years are over."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from polyclinic.core import clock
from polyclinic.core.actors import SystemActor
from polyclinic.core.audit import reads
from polyclinic.core.errors import NotFound
from polyclinic.laboratory import actions as laboratory
from polyclinic.laboratory import entering
from polyclinic.laboratory.models import OrderedTest, Specimen
from polyclinic.people import erasing
from polyclinic.people.models import Patient, PatientPlace
from polyclinic.privacy import actions as privacy
from polyclinic.privacy import copies, erasure, retention
from polyclinic.records import actions, course, notes
from polyclinic.scheduling.models import Appointment
from polyclinic.visits import actions as visits
from polyclinic.visits.models import Visit
from tests.house import House, missing
from tests.portals.conftest import browser_of
from tests.records.conftest import Ward

__all__ = ["browser_of"]
DEMO: Any = SystemActor("demo")


def write(ward: Ward) -> None:
    given: dict[str, Any] = {"actor": ward.doctor, "visit_id": ward.visit.pk}
    actions.record_vitals(**given, values={"pulse": "88", "temperature": "38.1"})
    actions.note_condition(**given, text="Pneumonia", code="J18.9")
    actions.note_allergy(**given, substance="Latex", reaction="Rash", severity="mild")
    notes.save(**given, kind="plan", fields={"plan": "Antibiotics"}, version=0)
    notes.save(**given, kind="complaint", fields={"complaint": "Cough", "course": "worse"}, version=0)


def found(ward: Ward) -> None:
    """Two results, of which one is released."""
    order = laboratory.order(actor=DEMO, visit_id=ward.visit.pk, codes=["k", "na"])
    specimen = Specimen.objects.get(order=order)
    laboratory.collect(actor=DEMO, specimen_id=specimen.pk)
    laboratory.receive(actor=DEMO, specimen_id=specimen.pk)
    tests = {row.test: row.pk for row in OrderedTest.objects.filter(order=order)}
    entering.enter(actor=DEMO, order_id=order.pk, values={tests["k"]: "5.6", tests["na"]: "131"})
    for key in tests.values():
        entering.verify(actor=DEMO, test_id=key)
    entering.release(actor=DEMO, test_id=tests["k"])


def test_the_course_tells_each_visit_with_what_was_written_in_it(ward: Ward) -> None:
    write(ward)
    with reads.gathering() as looked:
        (visit,) = course.course(ward.checker, ward.house.patient.pk)
    assert [row.values for row in visit.vitals] == [{"pulse": "88", "temperature": "38.1"}]
    assert [row.code for row in visit.conditions] == ["J18.9"]
    # In the order of the forms, whatever was written first.
    assert [row.kind for row in visit.notes] == ["complaint", "plan"]
    assert [(one.action, one.patients) for one in looked.seen.values()] == [("chart.list", {ward.house.patient.pk})]


def test_the_course_asks_few_questions_whatever_the_number_of_visits(
    ward: Ward, django_assert_max_num_queries: Any
) -> None:
    write(ward)
    visits.leave(actor=DEMO, visit_id=ward.visit.pk, reason="Left")
    house = ward.house
    again = visits.register(actor=DEMO, facility_id=house.facility.pk, patient_id=house.patient.pk)
    actions.record_vitals(actor=DEMO, visit_id=again.pk, values={"pulse": "70"})
    with reads.gathering(), django_assert_max_num_queries(8):
        assert [len(row.vitals) for row in course.course(ward.checker, house.patient.pk)] == [1, 1]
    assert len(course.course(ward.checker, house.patient.pk, since=clock.now() + timedelta(minutes=1))) == 0


def test_the_patient_reads_signs_and_diagnoses_and_no_notes_there(ward: Ward) -> None:
    write(ward)
    (visit,) = course.course(ward.house.person(ward.house.patient), ward.house.patient.pk)
    assert len(visit.vitals) == len(visit.conditions) == 1
    assert visit.notes == ()


def test_strangers_see_no_course(ward: Ward) -> None:
    house = ward.house
    for who in (house.stranger_doctor, house.other_doctor, house.other_patient, house.receptionist, house.manager):
        for patient_id in (house.patient.pk, missing()):
            with pytest.raises(NotFound):
                course.course(house.person(who), patient_id)
    for who in (ward.checker, ward.doctor, house.person(house.staff["privacy_officer"])):
        with pytest.raises(NotFound):
            course.whole(who, house.patient.pk)


def answered(house: House) -> Any:
    asked = privacy.request(
        actor=house.person(house.patient), patient_id=house.patient.pk, facility_id=house.facility.pk, kind="access",
        words="",
    )  # fmt: skip
    privacy.answer(actor=house.person(house.staff["privacy_officer"]), request_id=asked.pk)
    return asked


def test_the_patients_copy_holds_record_and_results(ward: Ward, browser_of: Any) -> None:
    write(ward)
    found(ward)
    house = ward.house
    asked = answered(house)
    whole = copies.copy_for(house.person(house.patient), asked.pk)
    (visit,) = whole.record.visits
    assert [note.fields for note in visit.notes][1] == {"plan": "Antibiotics"}
    assert [one.substance for one in whole.record.allergies.allergies] == ["Latex"]
    (order,) = whole.laboratory
    told = {test.test: test.now.report.value if test.now else None for test in order.tests}
    # Asked for is told; the result of sodium somebody explains first.
    assert told == {"k": "5.6", "na": None}
    patient = browser_of(house.patient)
    page = patient.get("/step-up?next=/my/privacy")
    from tests.house import PASSWORD
    from tests.portals.conftest import send

    send(patient, page, "/step-up", password=PASSWORD)
    text = patient.get(f"/my/privacy/{asked.pk}/copy/html").content.decode()
    for words in ("Pneumonia", "J18.9", "Latex", "Antibiotics", "Worse", "Pulse 88 /min", "5.6", "Not released yet"):
        assert words in text, words
    assert "131" not in text


def test_a_record_of_whom_the_key_is_gone_is_empty_and_no_error(ward: Ward) -> None:
    write(ward)
    erasing.shred_patient(actor=SystemActor("operator"), patient_id=ward.house.patient.pk)
    (visit,) = course.course(ward.checker, ward.house.patient.pk)
    assert (visit.vitals, visit.conditions, visit.notes) == ((), (), ())


def long_ago(visit: Visit, years: float) -> None:
    Visit.objects.filter(pk=visit.pk).update(opened_at=clock.now() - timedelta(days=365.25 * years))


def due(house: House) -> list[str]:
    return [row.mrn for row in retention.due(house.person(house.staff["privacy_officer"]))]


def test_who_came_without_an_appointment_is_kept_as_long_as_others(ward: Ward) -> None:
    house = ward.house
    assert due(house) == []
    long_ago(ward.visit, 9.9)
    assert due(house) == []
    long_ago(ward.visit, 10.1)
    assert due(house) == [house.patient.mrn]
    officer = house.person(house.staff["privacy_officer"])
    retention.approve(actor=officer, patient_id=house.patient.pk, facility_id=house.facility.pk)
    assert Patient.objects.get(pk=house.patient.pk).family_name == erasing.ERASED


def test_a_visit_prolongs_the_time_of_an_old_appointment(ward: Ward) -> None:
    from tests.privacy.test_retention import seen

    house = ward.house
    seen(house, house.patient, 12)
    assert due(house) == []
    long_ago(ward.visit, 11)
    assert due(house) == [house.patient.mrn]


def test_a_patient_who_came_yesterday_is_not_erased_at_their_word(ward: Ward) -> None:
    house = ward.house
    asked = privacy.request(
        actor=house.person(house.patient), patient_id=house.patient.pk, facility_id=house.facility.pk, kind="erasure",
        words="Please",
    )  # fmt: skip
    standing = erasure.standing(house.person(house.staff["privacy_officer"]), asked.pk)
    assert standing.kept_until is not None
    assert standing.kept_until.year == clock.now().year + 10


def test_who_came_without_an_appointment_is_known_where_they_came(ward: Ward, browser_of: Any) -> None:
    house = ward.house
    PatientPlace.objects.filter(patient=house.patient).delete()
    assert not Appointment.objects.filter(patient=house.patient).exists()
    assert len(course.course(ward.checker, house.patient.pk)) == 1
    assert browser_of(house.staff["nurse"]).get(f"/records/{house.patient.pk}/course").status_code == 200
    with pytest.raises(NotFound):
        course.course(house.person(house.doctor), house.patient.pk)
    visits.transfer(actor=DEMO, visit_id=ward.visit.pk, doctor_id=house.doctor.pk)
    assert len(course.course(house.person(house.doctor), house.patient.pk)) == 1
    for who in (house.other_doctor, house.stranger_doctor):
        with pytest.raises(NotFound):
            course.course(house.person(who), house.patient.pk)


def test_the_course_page_draws_and_says_what_was_written(ward: Ward, browser_of: Any) -> None:
    write(ward)
    found(ward)
    client, address = browser_of(ward.house.staff["main_doctor"]), f"/records/{ward.house.patient.pk}/course"
    text = client.get(address).content.decode()
    for words in ("Pneumonia", "J18.9", "Antibiotics", "88 /min", 'class="trend"', "5.6", "Potassium", "H · High"):
        assert words in text, words
    assert client.get(f"{address}?span=30d").status_code == 200
    assert client.get(f"{address}?span=ever").status_code == 422
    assert browser_of(ward.house.receptionist).get(address).status_code == 404
