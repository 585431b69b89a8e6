"""Sick notes and referrals: who may write them, what is refused, drafts, withdrawing, sealing and erasing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from polyclinic.core import clock
from polyclinic.core.crypto import ring
from polyclinic.core.errors import Conflict, Forbidden, IllegalTransition, Invalid, NotFound, StaleEdit
from polyclinic.core.models import AuditEntry, OutboxEvent
from polyclinic.papers import drafts, letters, printing, selectors, verifying
from polyclinic.papers.models import LetterDraft, Paper, Referral, SickNote
from polyclinic.people.models import Patient
from polyclinic.visits import actions as visits
from polyclinic.visits.models import Visit
from tests.papers.bench import Desk, paper_of

pytestmark = pytest.mark.django_db


def test_a_letter_is_signed_audited_and_told(desk: Desk) -> None:
    desk.see()
    row = desk.sick_note(remark="Back on Monday")
    assert row.state == "issued"
    assert row.author == desk.main.name
    entry = AuditEntry.objects.get(action="sick_note.issue")
    assert (entry.patient_id, entry.facility_id) == (desk.house.patient.pk, desk.house.facility.pk)
    told = OutboxEvent.objects.get(type="sick_note.issued")
    assert "Monday" not in str(told.payload)
    seen = selectors.sick_note(desk.patient, row.pk)
    assert seen.body.remark == "Back on Monday"


def test_what_a_letter_says_is_sealed(desk: Desk) -> None:
    desk.see()
    desk.sick_note(remark="Zebra crossing")
    desk.referral(question="Zebra murmur?")
    drafts.keep(actor=desk.main, visit_id=desk.visit, kind="referral", fields={"question": "Zebra?"}, version=0)
    desk.print("sick-note", SickNote.objects.get().pk)
    with connection.cursor() as cursor:
        for table in ("papers_sicknote", "papers_referral", "papers_letterdraft", "papers_paper"):
            cursor.execute(f"SELECT * FROM {table}")
            rows = cursor.fetchall()
            assert rows
            assert "Zebra" not in str(rows)
    # A digest in clear could be guessed back from the few things that a short paper can say.
    digest = Paper.objects.get().digest
    with connection.cursor() as cursor:
        cursor.execute("SELECT digest FROM papers_paper")
        assert digest not in str(cursor.fetchall())


@pytest.mark.parametrize("who", ["checker", "tech", "desk", "patient", "other", "manager"])
def test_only_who_may_diagnose_writes(desk: Desk, who: str) -> None:
    desk.see()
    for write in (desk.sick_note, desk.referral):
        with pytest.raises((Forbidden, NotFound)):
            write(getattr(desk, who))
    assert not SickNote.objects.exists()
    # Its control: the visit's own doctor may.
    assert desk.sick_note(desk.doctor).doctor_id == desk.house.doctor.pk


def test_nothing_is_written_before_anybody_has_looked(desk: Desk) -> None:
    with pytest.raises(Conflict) as refused:
        desk.sick_note()
    assert refused.value.code == "not_seen_yet"
    visits.cancel(actor=desk.desk, visit_id=desk.visit, reason="Mistake")
    with pytest.raises(Conflict) as refused:
        desk.referral()
    assert refused.value.code == "visit_cancelled"


def _day(desk: Desk, ahead: int) -> str:
    return (Visit.objects.get(pk=desk.visit).day + timedelta(days=ahead)).isoformat()


@pytest.mark.parametrize(
    ("first", "last", "field"), [(0, -1, "last"), (-8, 3, "first"), (0, 184, "last"), (184, 185, "first")]
)
def test_days_that_cannot_be_are_refused(desk: Desk, first: int, last: int, field: str) -> None:
    desk.see()
    with pytest.raises(Invalid) as refused:
        desk.sick_note(first=_day(desk, first), last=_day(desk, last))
    assert refused.value.field == field
    assert not SickNote.objects.exists()


@pytest.mark.parametrize(("first", "last"), [(0, 0), (-7, 3), (0, 183), (183, 183)])
def test_days_at_the_limits_are_taken(desk: Desk, first: int, last: int) -> None:
    desk.see()
    assert desk.sick_note(first=_day(desk, first), last=_day(desk, last)).pk


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"unfit": "play"}, "unfit"), ({"first": "tomorrow"}, "first"), ({"last": "9999-12-31"}, "last"),
        ({"unfit": "partly"}, "adjustments"), ({"remark": "x" * 301}, "remark"), ({"remark": "a\x00b"}, "remark"),
        ({"diagnosis": "J20"}, "diagnosis"), ({"first": ""}, "first"), ({"again": "y" * 200}, "again"),
    ],
)  # fmt: skip
def test_a_bad_field_is_named(desk: Desk, more: dict[str, str], field: str) -> None:
    desk.see()
    with pytest.raises(Invalid) as refused:
        desk.sick_note(**more)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("more", "field"), [({"to": ""}, "to"), ({"question": " "}, "question"), ({"urgency": "x"}, "urgency")]
)
def test_a_referral_says_to_whom_and_why(desk: Desk, more: dict[str, str], field: str) -> None:
    desk.see()
    with pytest.raises(Invalid) as refused:
        desk.referral(**more)
    assert refused.value.field == field


def test_withdrawing_takes_a_reason_and_happens_once(desk: Desk) -> None:
    desk.see()
    row = desk.referral()
    printed = desk.print("referral", row.pk)
    with pytest.raises(Invalid):
        letters.revoke_referral(actor=desk.main, referral_id=row.pk, reason="  ")
    with pytest.raises(StaleEdit):
        letters.revoke_referral(actor=desk.main, referral_id=row.pk, reason="Wrong", version=7)
    with pytest.raises(NotFound):
        letters.revoke_referral(actor=desk.other, referral_id=row.pk, reason="Wrong")
    with pytest.raises(Forbidden):
        letters.revoke_referral(actor=desk.patient, referral_id=row.pk, reason="Wrong")
    letters.revoke_referral(actor=desk.main, referral_id=row.pk, reason="Wrong", version=1)
    with pytest.raises(IllegalTransition):
        letters.revoke_referral(actor=desk.main, referral_id=row.pk, reason="Wrong")
    assert Referral.objects.get().state == "revoked"
    assert paper_of(printed).state == "revoked"


def test_a_draft_is_ones_own_and_ends_with_the_signature(desk: Desk) -> None:
    desk.see()

    def keep(actor: Any, text: str, version: int) -> int:
        return drafts.keep(actor=actor, visit_id=desk.visit, kind="sick-note", fields={"remark": text}, version=version)

    assert keep(desk.main, "Some", 0) == 1
    assert keep(desk.main, "Some words", 1) == 2
    # Another window of theirs that has not seen the last.
    with pytest.raises(StaleEdit):
        keep(desk.main, "Other words", 1)
    mine = selectors.draft(desk.main, desk.visit, "sick-note")
    assert mine is not None
    assert mine.fields == {"remark": "Some words"}
    assert selectors.draft(desk.doctor, desk.visit, "sick-note") is None
    keep(desk.doctor, "Mine", 0)
    desk.sick_note()
    assert selectors.draft(desk.main, desk.visit, "sick-note") is None
    assert LetterDraft.objects.count() == 1
    drafts.discard(actor=desk.doctor, visit_id=desk.visit, kind="sick-note")
    assert not LetterDraft.objects.exists()
    with pytest.raises(NotFound):
        keep(desk.other, "Foreign", 0)
    assert set(AuditEntry.objects.filter(action__startswith="letterdraft").values_list("action", flat=True)) == {
        "letterdraft.begin", "letterdraft.end"
    }  # fmt: skip


def test_old_drafts_go(desk: Desk) -> None:
    desk.see()
    drafts.keep(actor=desk.main, visit_id=desk.visit, kind="referral", fields={"to": "Ear"}, version=0)
    assert drafts.sweep() == 0
    LetterDraft.objects.update(saved_at=clock.now() - drafts.KEPT - timedelta(seconds=1))
    assert drafts.sweep() == 1


def test_nothing_is_left_of_a_letter_that_could_not_be_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from polyclinic.core.outbox import log

    desk.see()
    monkeypatch.setattr(log, "append", lambda _event: 1 / 0)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        desk.sick_note()
    assert not SickNote.objects.exists()
    assert not AuditEntry.objects.filter(action="sick_note.issue").exists()


def test_a_shredded_record_leaves_no_letter_and_no_initials(desk: Desk) -> None:
    desk.see()
    row = desk.sick_note(remark="Back on Monday")
    code = paper_of(desk.print("sick-note", row.pk)).code
    assert verifying.check(desk.other, code).initials == "M. P."
    from polyclinic.people.erasing import ERASED

    ring.ring.shred(ring.patient(desk.house.patient.pk))
    Patient.objects.filter(pk=desk.house.patient.pk).update(family_name=ERASED, given_name="–")
    with pytest.raises(NotFound):
        selectors.sick_note(desk.main, row.pk)
    with pytest.raises(NotFound):
        selectors.sick_notes(desk.main, desk.house.patient.pk)
    verdict = verifying.check(desk.other, code)
    assert (verdict.initials, verdict.status) == ("", "changed")


def test_a_code_is_read_as_people_write_it(desk: Desk) -> None:
    desk.see()
    code = paper_of(desk.print("sick-note", desk.sick_note().pk)).code
    spaced = " ".join(code[n : n + 4].lower() for n in range(0, 32, 4))
    for text in (spaced, code.replace("0", "O").replace("1", "l"), code.replace("0", "o").replace("1", "I")):
        assert verifying.check(desk.other, text).status == "valid"
    for text in ("", "x", code[:-1], code + "0", printing.new_code(), "É" * 32):
        with pytest.raises(NotFound):
            verifying.check(desk.other, text)


def test_the_check_is_no_reading_of_the_record(desk: Desk) -> None:
    desk.see()
    code = paper_of(desk.print("sick-note", desk.sick_note().pk)).code
    before = AuditEntry.objects.count()
    verifying.check(desk.other, code)
    assert AuditEntry.objects.count() == before
