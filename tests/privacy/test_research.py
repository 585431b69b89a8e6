"""Research exports: every class has at least k people, dates move together, and nothing of anybody leaves."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from polyclinic.commands import arguments
from polyclinic.consent import actions as consenting
from polyclinic.core import clock
from polyclinic.core.errors import Conflict, Invalid, NotFound
from polyclinic.core.models import AuditEntry, AuditGroupMember
from polyclinic.people.models import Patient
from polyclinic.privacy import actions, anonymising, research
from polyclinic.privacy.anonymising import Levels, Quasi
from polyclinic.privacy.cohort import country_of
from polyclinic.privacy.models import ResearchExport
from polyclinic.privacy.research import Wanted
from polyclinic.scheduling.models import Appointment
from tests.house import House, patient

KEY = b"k" * 32
FIRST, LAST = date(2026, 1, 1), date(2026, 6, 30)
REASON = "zqxreason only I know"

people = st.dictionaries(
    st.uuids(),
    st.builds(
        Quasi,
        st.integers(0, 110),
        st.sampled_from(["female", "male", "other"]),
        st.frozensets(st.sampled_from(["DE", "GB"]), min_size=1),
        st.frozensets(st.sampled_from(["cardiology", "neurology", "paediatrics", "sleep"]), min_size=1),
    ),
    max_size=80,
)


@given(people, st.integers(2, 12))
def test_every_kept_class_has_at_least_k_people(population: dict[UUID, Quasi], k: int) -> None:
    found = anonymising.fit(population, k)
    classes: defaultdict[Any, set[object]] = defaultdict(set)
    for who in found.kept:
        assert isinstance(who, UUID)
        classes[anonymising.coarse(population[who], found.levels)].add(who)
    assert all(len(one) >= k for one in classes.values())
    assert found.left_out == len(population) - len(found.kept)
    # Nobody is left out of a class that would have been large enough.
    lost: defaultdict[Any, int] = defaultdict(int)
    for who in population.keys() - found.kept:
        lost[anonymising.coarse(population[who], found.levels)] += 1
    assert all(size < k for size in lost.values())
    # At worst everyone is in one class.
    assert len(population) < k or found.kept


@given(st.integers(0, 130), st.integers(0, 130))
def test_whoever_is_ninety_or_older_is_in_one_band(one: int, other: int) -> None:
    for level in range(4):
        bands = anonymising.band(one, level), anonymising.band(other, level)
        if min(one, other) >= 90:
            assert bands[0] == bands[1]
        assert not re.search(r"\b(9[1-9]|1\d\d)\b", " ".join(bands))
    assert anonymising.band(89, 0) == "85–89"
    assert anonymising.band(90, 0) == anonymising.band(110, 0) == "90+"


@given(st.binary(min_size=32, max_size=32), st.uuids())
def test_shifts_are_in_range_and_the_same_each_time(key: bytes, who: UUID) -> None:
    for weekdays in (False, True):
        moved = anonymising.shift_of(key, who, weekdays=weekdays)
        assert -365 <= moved <= 364
        assert moved == anonymising.shift_of(key, who, weekdays=weekdays)
        assert not weekdays or moved % 7 == 0


def test_another_key_shifts_and_names_otherwise() -> None:
    who = [UUID(int=n) for n in range(400)]
    assert len({anonymising.shift_of(KEY, one) for one in who}) > 250
    assert sum(anonymising.shift_of(KEY, one) == anonymising.shift_of(b"x" * 32, one) for one in who) < 10
    assert len({anonymising.pseudonym(KEY, one) for one in who}) == 400
    assert all(anonymising.pseudonym(KEY, one) != anonymising.pseudonym(b"x" * 32, one) for one in who)


def test_the_country_of_a_zone() -> None:
    assert [country_of(zone) for zone in ("Europe/Berlin", "Asia/Kolkata", "UTC")] == ["DE", "IN", ""]


def visit(
    house: House, who: Patient, day: date, hour: int = 9, *, doctor: Any = None, state: str = "completed"
) -> None:
    starts = house.local(day, hour)
    Appointment.objects.create(
        patient=who, doctor=doctor or house.doctor, facility=house.facility, schedule=house.schedule, state=state,
        starts=starts, ends=starts + timedelta(minutes=20), reason=REASON, booked_by="test",
        booked_at=starts - timedelta(days=3),
    )  # fmt: skip


@pytest.fixture
def cohort(house: House) -> list[Patient]:
    """Fourteen patients: seven women about 40, six men about 70, and one man of 97."""
    found = [patient(100 + n, f"Zqxfam{n}", f"Zqxgiven{n}", date(1982 + n % 2, 3, 1 + n)) for n in range(7)]
    found += [patient(200 + n, f"Zqxman{n}", f"Zqxhe{n}", date(1953, 3, 1 + n), "male") for n in range(6)]
    found += [patient(300, "Zqxold", "Zqxage", date(1928, 5, 6), "male")]
    for n, who in enumerate(found):
        who.phone = "+49 170 555 0199"
        who.save()
        visit(house, who, date(2026, 2, 2) + timedelta(days=n))
        visit(house, who, date(2026, 3, 2) + timedelta(days=n), 14, state="no_show" if n % 2 else "completed")
    return found


def officer(house: House) -> Any:
    return house.person(house.staff["privacy_officer"])


def wanted(house: House, **changes: Any) -> Wanted:
    given = {"first": FIRST, "last": LAST, "purpose": "Waiting times", "approval": "Ethics board 17/2026", **changes}
    return Wanted(facility_ids=given.pop("facility_ids", (house.facility.pk,)), **given)


def opened(content: bytes) -> tuple[list[dict[str, str]], dict[str, Any], str]:
    with zipfile.ZipFile(io.BytesIO(content)) as box:
        assert sorted(box.namelist()) == ["report.html", "report.json", "visits.csv"]
        table, report, page = (box.read(name).decode() for name in ("visits.csv", "report.json", "report.html"))
    return list(csv.DictReader(io.StringIO(table, newline=""))), json.loads(report), page


def test_what_is_released_is_k_anonymous(house: House, cohort: list[Patient]) -> None:
    made = research.export(actor=officer(house), wanted=wanted(house))
    rows, report, page = opened(made.content)
    classes: defaultdict[tuple[str, ...], set[str]] = defaultdict(set)
    for row in rows:
        classes[row["age"], row["sex"], row["country"], row["specialties"]].add(row["patient"])
    assert min(map(len, classes.values())) == report["kReached"] >= 5
    assert report["classes"] == {str(size): many for size, many in Counter(map(len, classes.values())).items()}
    assert report["patients"] == len(set.union(*classes.values()))
    assert report["patients"] + report["suppressed"] == 14
    assert len(rows) == report["rows"] == 2 * report["patients"]
    assert report["lReached"] == 2
    assert "Ethics board 17/2026" in page
    # The man of 97 is with the others or left out, never alone.
    assert all("97" not in row["age"] for row in rows)


def test_nothing_of_anybody_leaves(house: House, cohort: list[Patient]) -> None:
    made = research.export(actor=officer(house), wanted=wanted(house))
    with zipfile.ZipFile(io.BytesIO(made.content)) as box:
        text = b"".join(box.read(name) for name in box.namelist()).decode().lower()
    for who in cohort:
        for secret in (who.mrn, str(who.pk), who.pk.hex, who.family_name, who.given_name, str(who.born)):
            assert secret.lower() not in text
    for secret in (REASON, "555 0199", "rao", str(house.doctor.pk), house.facility.name, "@example", "zqx"):
        assert secret.lower() not in text
    assert "completed" in text  # the search looks at the table


def test_dates_of_one_patient_move_together(house: House, cohort: list[Patient]) -> None:
    rows, _report, _page = opened(research.export(actor=officer(house), wanted=wanted(house, key=KEY)).content)
    for who in cohort:
        name, shift = anonymising.pseudonym(KEY, who.pk), anonymising.shift_of(KEY, who.pk)
        true = sorted(Appointment.objects.filter(patient=who).values_list("starts", flat=True))
        told = [date.fromisoformat(row["date"]) for row in rows if row["patient"] == name]
        if told:
            assert told == [one.date() + timedelta(days=shift) for one in true]
    weekly, report, _page = opened(
        research.export(actor=officer(house), wanted=wanted(house, key=KEY, weekdays=True)).content
    )
    assert report["keyed"]
    assert {row["patient"] for row in weekly} == {row["patient"] for row in rows}
    for row in weekly:
        assert any(
            datetime.fromisoformat(row["date"]).weekday() == true.weekday()
            for who in cohort if anonymising.pseudonym(KEY, who.pk) == row["patient"]
            for true in Appointment.objects.filter(patient=who).values_list("starts", flat=True)
        )  # fmt: skip
    years, report, _page = opened(research.export(actor=officer(house), wanted=wanted(house, years_only=True)).content)
    assert {row["date"] for row in years} == {"2026"}
    assert not any("164.514 (b)(2)" in note for note in report["notes"])


def test_without_a_key_two_exports_do_not_fit_together(house: House, cohort: list[Patient]) -> None:
    first, second = (opened(research.export(actor=officer(house), wanted=wanted(house)).content)[0] for _ in range(2))
    assert {row["patient"] for row in first}.isdisjoint(row["patient"] for row in second)


def test_the_count_is_of_people_and_not_of_visits(house: House) -> None:
    """Negative control of k: one person with many visits is one person."""
    one = patient(100, "Alone", "Ann")
    for n in range(10):
        visit(house, one, date(2026, 2, 1) + timedelta(days=n))
    with pytest.raises(Conflict) as refused:
        research.export(actor=officer(house), wanted=wanted(house))
    assert refused.value.code == "too_few"
    assert not ResearchExport.objects.exists()


def test_a_class_too_small_is_never_released(
    house: House, cohort: list[Patient], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control of the second count: a search that keeps everyone at the finest levels is found out."""
    monkeypatch.setattr(anonymising, "fit", lambda found, k: anonymising.Fit(Levels(), frozenset(found), 0))
    with pytest.raises(RuntimeError, match="too small"):
        research.export(actor=officer(house), wanted=wanted(house))
    assert not ResearchExport.objects.exists()


def test_specialties_of_one_person_are_known_together(house: House, cohort: list[Patient]) -> None:
    """Two common specialties under one pseudonym are rare together: the person is not told by them."""
    house.other_doctor.specialty = "neurology"
    house.other_doctor.save()
    visit(house, cohort[0], date(2026, 4, 1), doctor=house.other_doctor)
    rows, report, _page = opened(research.export(actor=officer(house), wanted=wanted(house, key=KEY)).content)
    odd = [row for row in rows if row["patient"] == anonymising.pseudonym(KEY, cohort[0].pk)]
    assert all("neurology" not in row["specialty"] + row["specialties"] for row in odd)
    assert report["kReached"] >= 5


def test_who_took_their_word_back_is_left_out(house: House, cohort: list[Patient]) -> None:
    def of(who: Patient) -> bool:
        rows, _report, _page = opened(research.export(actor=officer(house), wanted=wanted(house, key=KEY)).content)
        return anonymising.pseudonym(KEY, who.pk) in {row["patient"] for row in rows}

    willing, unwilling, restricted = cohort[:3]
    for who in (willing, unwilling):
        word = consenting.grant(
            actor=house.person(who), patient_id=who.pk, facility_id=house.facility.pk, purpose="research",
            categories=["appointments"],
        )  # fmt: skip
    consenting.withdraw(actor=house.person(unwilling), consent_id=word.pk)
    assert [of(who) for who in (willing, unwilling, restricted)] == [True, False, True]
    asked = actions.request(
        actor=house.person(restricted), patient_id=restricted.pk, facility_id=house.facility.pk, kind="restriction",
        words="Not for research",
    )  # fmt: skip
    actions.answer(actor=officer(house), request_id=asked.pk, text="Agreed")
    assert not of(restricted)
    with override_settings(RESEARCH_CONSENT="opt-in"), pytest.raises(Conflict):
        of(willing)  # one alone shares: too few


def test_it_is_on_record_before_it_leaves(house: House, cohort: list[Patient]) -> None:
    made = research.export(actor=officer(house), wanted=wanted(house))
    entry = AuditEntry.objects.get(action="research.export")
    assert (entry.facility_id, entry.subject_id) == (house.facility.pk, str(made.id))
    read = AuditEntry.objects.get(action="appointment.list", subject_id=str(made.id))
    assert read.reason == "research"
    assert read.listed
    assert set(AuditGroupMember.objects.filter(group__name=read.listed).values_list("patient_id", flat=True)) == {
        one.pk for one in cohort
    }
    row = ResearchExport.objects.get()
    assert (row.purpose, row.approval) == ("Waiting times", "Ethics board 17/2026")
    assert [one.patients for one in research.exports(officer(house))] == [made.report.patients]
    assert research.exports(house.person(house.doctor)) == []


def command(*words: str) -> int:
    from polyclinic.commands.privacy import research as run

    return run(arguments.parser().parse_args(["research", "export", *words]))


def test_the_command_writes_a_file_of_its_owners_only(
    house: House, cohort: list[Patient], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, key = tmp_path / "visits.zip", tmp_path / "key"
    key.write_bytes(KEY + b"\n")
    given = ["--facility", house.facility.slug, "--from", "2026-01-01", "--to", "2026-06-30", "--purpose", "Waits",
             "--approval", "Board 17", "--seed-key", str(key), "--out", str(out)]  # fmt: skip
    assert command(*given) == 0
    assert out.stat().st_mode & 0o777 == 0o600
    rows, report, _page = opened(out.read_bytes())
    assert anonymising.pseudonym(KEY, cohort[0].pk) in {row["patient"] for row in rows}
    assert f"k = {report['kReached']}" in capsys.readouterr().out
    changes = {"cannot be written": (), "--k": ("--k", "4"), "nowhere": ("--facility", "nowhere"),
               "soon": ("--from", "soon")}  # fmt: skip
    for said, more in changes.items():
        with pytest.raises(SystemExit) as ended:
            command(*given, *more)
        assert ended.value.code == 1
        assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("k", {"k": 4}),
        ("to", {"last": date(2025, 1, 1)}),
        ("to", {"last": date(2046, 1, 1)}),
        ("purpose", {"purpose": "  "}),
        ("approval", {"approval": "x" * 161}),
        ("key", {"key": b"short"}),
        ("facility", {"facility_ids": ()}),
    ],
)
def test_what_cannot_be_is_refused_by_name(house: House, field: str, changes: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refused:
        research.export(actor=officer(house), wanted=wanted(house, **changes))
    assert refused.value.field == field


def test_only_the_facilitys_officer_exports(house: House, cohort: list[Patient]) -> None:
    for who in (house.doctor, house.manager, house.receptionist, house.staff["auditor"]):
        with pytest.raises(NotFound):
            research.export(actor=house.person(who), wanted=wanted(house))
    with pytest.raises(NotFound):
        research.export(
            actor=officer(house), wanted=wanted(house, facility_ids=(house.facility.pk, house.elsewhere.pk))
        )
    assert clock.now()  # nothing was written
    assert not ResearchExport.objects.exists()
