"""A photo of oneself: kept sealed, seen by those who may, gone when it is taken away."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured

from polyclinic.core.actors import Anonymous, SystemActor
from polyclinic.core.audit import chain
from polyclinic.core.errors import Forbidden, NotFound, Unauthenticated
from polyclinic.core.models import AuditEntry, OutboxEvent
from polyclinic.files import actions, selectors
from polyclinic.files.models import StoredFile
from polyclinic.files.problems import FileRefused
from polyclinic.people.erasing import shred_patient
from polyclinic.scheduling import actions as scheduling
from tests.crypto.conftest import keys
from tests.files import hostile
from tests.house import House, missing

__all__ = ["keys"]
PICTURE = hostile.picture("PNG", (300, 200))


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, settings: Any) -> None:
    settings.DATA = tmp_path


def on_disk() -> list[Path]:
    return [path for path in (Path(configured.DATA) / "files").rglob("*") if path.is_file()]


def body(house: House, who: Any, file_id: Any) -> bytes:
    return b"".join(selectors.content(house.person(who), file_id).parts)


def test_a_photo_is_kept_sealed_and_given_back(house: House, keys: Path) -> None:
    me = house.person(house.patient)
    made = actions.set_photo(actor=me, data=PICTURE)
    assert selectors.photo_of(me) == made
    given = body(house, house.patient, made)
    assert given.startswith(b"\xff\xd8\xff")
    (kept,) = on_disk()
    assert kept.name == made.hex
    assert not kept.stat().st_mode & 0o077
    assert given[100:200] not in kept.read_bytes()
    row = StoredFile.objects.get()
    assert (row.state, row.patient_id, row.media_type, row.size) == ("clean", me.patient_id, "image/jpeg", len(given))
    assert AuditEntry.objects.filter(action="file.keep").count() == 1
    assert OutboxEvent.objects.filter(type="file.kept").count() == 1
    assert not list(chain.verify())


def test_another_photo_takes_its_place(house: House, keys: Path, django_capture_on_commit_callbacks: Any) -> None:
    me = house.person(house.doctor)
    first = actions.set_photo(actor=me, data=PICTURE)
    with django_capture_on_commit_callbacks(execute=True):
        second = actions.set_photo(actor=me, data=hostile.picture())
    assert selectors.photo_of(me) == second
    with pytest.raises(NotFound):
        selectors.content(me, first)
    assert [path.name for path in on_disk()] == [second.hex]


def test_a_photo_taken_away_is_gone_with_its_key(
    house: House, keys: Path, django_capture_on_commit_callbacks: Any
) -> None:
    me = house.person(house.patient)
    made = actions.set_photo(actor=me, data=PICTURE)
    with django_capture_on_commit_callbacks(execute=True):
        actions.remove_photo(actor=me)
    assert on_disk() == []
    row = StoredFile.objects.get()
    assert (row.state, row.secret, row.digest) == ("removed", "", "")
    assert selectors.photo_of(me) is None
    for again in (lambda: selectors.content(me, made), lambda: actions.remove_photo(actor=me)):
        with pytest.raises(NotFound):
            again()


def test_who_may_see_whose_photo(house: House, keys: Path) -> None:
    made = actions.set_photo(actor=house.person(house.patient), data=PICTURE)
    for stranger in (house.doctor, house.other_patient, house.stranger_doctor, house.receptionist, house.manager):
        with pytest.raises(NotFound):
            selectors.content(house.person(stranger), made)
    with pytest.raises(Unauthenticated):
        selectors.content(Anonymous(), made)
    scheduling.book(
        actor=house.person(house.patient), patient_id=house.patient.pk, schedule_id=house.schedule.pk,
        starts=house.slot(),
    )  # fmt: skip
    for treating in (house.doctor, house.receptionist):
        assert body(house, treating, made)
        assert selectors.photo_of_patient(house.person(treating), house.patient.pk) == made
    with pytest.raises(NotFound):
        selectors.content(house.person(house.stranger_doctor), made)
    # Looking was written down, for the patient to see.
    assert AuditEntry.objects.filter(action="file.read", patient_id=house.patient.pk).count() == 2
    colleague = actions.set_photo(actor=house.person(house.doctor), data=PICTURE)
    assert body(house, house.other_patient, colleague)
    with pytest.raises(NotFound):
        selectors.content(house.person(house.patient), missing())


def test_a_refused_photo_leaves_nothing(house: House, keys: Path, settings: Any) -> None:
    me = house.person(house.patient)
    before = AuditEntry.objects.count()
    settings.MAX_UPLOAD_BYTES = 100_000
    for data, why in (
        (hostile.SVG, "unknown_kind"),
        (hostile.EICAR, "infected"),
        (b"\xff\xd8\xff" * 40_000, "too_large"),
    ):
        with pytest.raises(FileRefused) as refused:
            actions.set_photo(actor=me, data=data)
        assert refused.value.code == why
    assert (on_disk(), StoredFile.objects.count(), AuditEntry.objects.count()) == ([], 0, before)


def test_a_failed_transaction_leaves_no_content(house: House, keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_given: object, **_named: object) -> None:
        raise RuntimeError("the database went away")

    monkeypatch.setattr("polyclinic.files.actions.ledger.create", fails)
    with pytest.raises(RuntimeError):
        actions.set_photo(actor=house.person(house.patient), data=PICTURE)
    assert on_disk() == []


def test_an_erased_patients_photo_is_unreadable(house: House, keys: Path) -> None:
    me = house.person(house.patient)
    made = actions.set_photo(actor=me, data=PICTURE)
    shred_patient(actor=SystemActor("operator"), patient_id=house.patient.pk)
    with pytest.raises(NotFound):
        selectors.content(me, made)
    assert StoredFile.objects.get().secret == ""  # sealed with the key that is gone


def test_looking_through_anothers_eyes_changes_nothing(house: House, keys: Path) -> None:
    import dataclasses

    me = dataclasses.replace(house.person(house.doctor), seen_by=house.staff["admin"].pk)
    with pytest.raises(Forbidden):
        actions.set_photo(actor=me, data=PICTURE)
