"""Notes and drafts: two editors never overwrite each other, and what was typed is not lost."""

from __future__ import annotations

from datetime import timedelta

import pytest

from polyclinic.core import clock
from polyclinic.core.errors import Forbidden, Invalid, NotFound, StaleEdit
from polyclinic.core.models import AuditEntry
from polyclinic.records import drafts, notes, selectors
from polyclinic.records.models import Draft, Note, NoteVersion
from tests.records.conftest import Ward


def save(ward: Ward, who: object, text: str, version: int) -> Note:
    return notes.save(
        actor=who, visit_id=ward.visit.pk, kind="complaint", fields={"complaint": text}, version=version  # type: ignore[arg-type]
    )  # fmt: skip


def keep(ward: Ward, who: object, text: str, version: int, base: int = 0) -> int:
    return drafts.keep(
        actor=who, visit_id=ward.visit.pk, kind="complaint", fields={"complaint": text}, base=base, version=version  # type: ignore[arg-type]
    ).version  # fmt: skip


def test_of_two_editors_the_second_is_shown_the_first(ward: Ward) -> None:
    save(ward, ward.nurse, "Cough", 0)
    for late in (0, 7):
        with pytest.raises(StaleEdit) as refused:
            save(ward, ward.checker, "Fever", late)
        assert refused.value.extra["version"] == 1
    assert selectors.note(ward.checker, ward.visit.pk, "complaint").fields == {"complaint": "Cough"}
    save(ward, ward.checker, "Cough and fever", 1)
    row = selectors.note(ward.nurse, ward.visit.pk, "complaint")
    assert (row.fields["complaint"], row.version, row.author) == ("Cough and fever", 2, "Some checker_doctor")
    kept = selectors.note_versions(ward.nurse, ward.visit.pk, "complaint")
    assert [(one.version, one.fields["complaint"]) for one in kept] == [(2, "Cough and fever"), (1, "Cough")]
    assert AuditEntry.objects.filter(action="note.save").count() == NoteVersion.objects.count() == 2


def test_a_draft_is_kept_for_its_writer_alone_and_ends_with_the_saving(ward: Ward) -> None:
    assert keep(ward, ward.nurse, "Cou", 0) == 1
    assert keep(ward, ward.nurse, "Cough", 1) == 2
    (mine,) = selectors.drafts(ward.nurse, ward.visit.pk)
    assert (mine.fields, mine.version, mine.stale) == ({"complaint": "Cough"}, 2, False)
    assert selectors.drafts(ward.checker, ward.visit.pk) == []
    save(ward, ward.nurse, "Cough", 0)
    assert Draft.objects.count() == 0
    # The first keeping and the end are on record, and no key pressed between.
    entries = AuditEntry.objects.filter(action__startswith="draft.").order_by("pk")
    assert list(entries.values_list("action", flat=True)) == ["draft.begin", "draft.end"]


def test_a_second_window_does_not_overwrite_the_first(ward: Ward) -> None:
    keep(ward, ward.nurse, "Long text", 0)
    with pytest.raises(StaleEdit) as refused:
        keep(ward, ward.nurse, "", 0)
    assert refused.value.extra["version"] == 1
    assert selectors.drafts(ward.nurse, ward.visit.pk)[0].fields == {"complaint": "Long text"}
    drafts.discard(actor=ward.nurse, visit_id=ward.visit.pk, kind="complaint")
    with pytest.raises(StaleEdit):
        keep(ward, ward.nurse, "Ghost of the other window", 1)


def test_a_draft_knows_when_somebody_saved_meanwhile_and_is_not_lost(ward: Ward) -> None:
    keep(ward, ward.nurse, "Mine", 0)
    save(ward, ward.checker, "Theirs", 0)
    (mine,) = selectors.drafts(ward.nurse, ward.visit.pk)
    assert (mine.stale, mine.fields) == (True, {"complaint": "Mine"})
    keep(ward, ward.nurse, "Mine, longer", 1)
    with pytest.raises(StaleEdit):
        save(ward, ward.nurse, "Mine, longer", 0)
    assert selectors.drafts(ward.nurse, ward.visit.pk)[0].fields == {"complaint": "Mine, longer"}


@pytest.mark.parametrize(
    ("kind", "fields", "field"),
    [
        ("complaint", {"complaint": ""}, "complaint"),
        ("complaint", {"complaint": "x" * 4001}, "complaint"),
        ("complaint", {"since": "x" * 121}, "since"),
        ("complaint", {"course": "sideways"}, "course"),
        ("complaint", {"complaint": "a\0b"}, "complaint"),
        ("complaint", {"other": "x"}, "other"),
        ("poem", {"complaint": "x"}, "kind"),
    ],
)
def test_a_note_is_checked_field_by_field(ward: Ward, kind: str, fields: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        notes.save(actor=ward.nurse, visit_id=ward.visit.pk, kind=kind, fields=fields, version=0)
    assert refused.value.field == field


def test_who_may_write_notes(ward: Ward) -> None:
    house = ward.house
    for who in (house.receptionist, house.staff["pharmacist"], house.patient):
        for attempt in (save, keep):
            with pytest.raises(Forbidden):
                attempt(ward, house.person(who), "x", 0)
    for attempt in (save, keep):
        with pytest.raises(NotFound):
            attempt(ward, house.person(house.stranger_receptionist), "x", 0)
    save(ward, ward.nurse, "x", 0)
    with pytest.raises(NotFound):
        selectors.notes(house.person(house.patient), ward.visit.pk)


def test_old_drafts_are_swept(ward: Ward) -> None:
    keep(ward, ward.nurse, "x", 0)
    assert drafts.sweep() == 0
    with clock.fixed(clock.now() + drafts.KEPT + timedelta(minutes=1)):
        assert drafts.sweep() == 1
