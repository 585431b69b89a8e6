"""Finding patients by what somebody remembers, and being warned before one person is written down twice."""

from __future__ import annotations

from datetime import date

import pytest

from polyclinic.core.actors import Anonymous
from polyclinic.core.errors import Conflict, Invalid, NotFound, Unauthenticated
from polyclinic.core.models import AuditEntry
from polyclinic.people import asking, registering, search, spelling
from polyclinic.people.actions import shred_patient
from polyclinic.people.models import Patient, PatientWord
from polyclinic.visits import known
from tests.house import House

pytestmark = pytest.mark.django_db
SOMEBODY = {"given_name": "Zoë", "family_name": "Müller-Łukasz", "born": date(1985, 3, 12), "sex": "female"}


def written(house: House, **more: object) -> Patient:
    given = {**SOMEBODY, "phone": "+49 151 2345678", **more}
    return registering.register(actor=house.person(house.receptionist), facility_id=house.facility.pk, **given)  # type: ignore[arg-type]


def found(house: House, text: str) -> list[str]:
    return [hit.name for hit in search.search(house.person(house.receptionist), text)]


@pytest.mark.parametrize(
    "text",
    [
        "müller", "MULLER", "muller zoe", "zoe muller", "Zoë Lukasz", "mul zo", "mulller", "muler", "mlüler",
        "miller zoe",
        "1985-03-12", "12.03.1985", "12-Mar-1985", "zoe 12/3/1985", "12031985", "+49 151 2345678", "5678", "2345678",
    ],
)  # fmt: skip
def test_found_however_it_is_remembered(house: House, text: str) -> None:
    written(house)
    assert found(house, text) == ["MÜLLER-ŁUKASZ, Zoë"]


@pytest.mark.parametrize("text", ["", " ", "zoe 1986-03-12", "9999", "schmidt", "\0", "x" * 500])
def test_not_found_by_something_else(house: House, text: str) -> None:
    written(house)
    assert found(house, text) == []


def test_found_by_record_number(house: House) -> None:
    made = written(house)
    assert found(house, made.mrn) == found(house, str(int(made.mrn[3:]))) == ["MÜLLER-ŁUKASZ, Zoë"]


def test_only_patients_of_ones_own_place(house: House) -> None:
    written(house)
    assert [hit.name for hit in search.search(house.person(house.stranger_receptionist), "muller")] == []
    with pytest.raises(NotFound):
        search.search(house.person(house.patient), "muller")
    with pytest.raises(Unauthenticated):
        search.search(Anonymous(), "muller")


def test_who_sees_less_is_shown_less(house: House) -> None:
    written(house)
    hit = search.search(house.person(house.receptionist), "muller")[0]
    assert hit.born == date(1985, 3, 12)


def test_bulk_and_corrected_patients_are_caught_up(house: House) -> None:
    known.remember(house.patient.pk, house.facility.pk)
    assert found(house, "pillai") == []
    while search.catch_up():
        pass
    assert found(house, "pillai") == ["PILLAI, Meera"]
    Patient.objects.filter(pk=house.patient.pk).update(family_name="Nair", version=2)
    assert search.catch_up() == 1
    assert (found(house, "pillai"), found(house, "nair")) == ([], ["NAIR, Meera"])


def test_an_erased_patient_is_gone_from_the_index_at_once(house: House) -> None:
    from polyclinic.core.actors import SystemActor

    made = written(house)
    shred_patient(actor=SystemActor("operator"), patient_id=made.pk)
    assert not PatientWord.objects.filter(patient_id=made.pk).exists()
    search.catch_up()
    assert not PatientWord.objects.filter(patient_id=made.pk).exists()


@pytest.mark.parametrize(
    "change",
    [
        {}, {"given_name": "Zoe"}, {"family_name": "Muler Lukasz"}, {"given_name": "Müller Łukasz",
        "family_name": "Zoë"},
        {"born": date(1985, 12, 3)}, {"born": date(1986, 3, 12)},
        {"family_name": "Schmidt", "phone": "+49 151 2345678"},
    ],
)  # fmt: skip
def test_the_same_person_again_is_warned_of(house: House, change: dict[str, object]) -> None:
    first = written(house)
    with pytest.raises(registering.MaybeKnown) as warned:
        written(house, **{"phone": "", **change})
    assert warned.value.extra["twins"][0]["id"] == str(first.pk)
    assert Patient.objects.filter(family_name__startswith="M").count() == 1
    again = written(house, **{"phone": "", **change}, new_because="Her sister")
    assert again.pk != first.pk
    assert AuditEntry.objects.get(action="patient.register", subject_id=again.pk).reason


@pytest.mark.parametrize("change", [{"born": date(1961, 7, 1)}, {"family_name": "Schmidt", "given_name": "Ute"}])
def test_another_person_is_not(house: House, change: dict[str, object]) -> None:
    written(house)
    assert written(house, **{"phone": "", **change})


def test_somebody_unknown_is_written_down_and_named_later(house: House) -> None:
    desk = house.person(house.receptionist)
    made = registering.register_unknown(
        actor=desk, facility_id=house.facility.pk, zone="Europe/Berlin", sex="male", years=40
    )
    assert made.temporary
    assert made.given_name.startswith("male ~40, ")
    registering.identify(actor=desk, facility_id=house.facility.pk, patient_id=made.pk, **SOMEBODY)  # type: ignore[arg-type]
    assert found(house, "muller") == ["MÜLLER-ŁUKASZ, Zoë"]
    with pytest.raises(Conflict):
        registering.identify(actor=desk, facility_id=house.facility.pk, patient_id=made.pk, **SOMEBODY)  # type: ignore[arg-type]


def test_nobody_registers_where_they_do_not_work(house: House) -> None:
    with pytest.raises(NotFound):
        registering.register(
            actor=house.person(house.stranger_receptionist),
            facility_id=house.facility.pk,
            **SOMEBODY,  # type: ignore[arg-type]
        )
    with pytest.raises(Invalid) as refused:
        written(house, born="yesterday")
    assert refused.value.field == "born"


def test_what_is_typed_is_read() -> None:
    assert asking.read("Rao 3/4/1990").born == (date(1990, 4, 3), date(1990, 3, 4))
    assert asking.read("mrn 0010233").number == 10233
    assert asking.read("MRN0010233 rao").words == ("rao",)
    assert asking.read("31/31/2001").born == ()


def test_slips_and_sounds() -> None:
    assert [spelling.slips("meier", word) for word in ("meier", "meyer", "mieer", "mier", "maria")] == [0, 1, 1, 1, 4]
    assert spelling.sound("meyer") == spelling.sound("maier") == spelling.sound("meier")
    assert spelling.sound("schmidt") != spelling.sound("schulz")
