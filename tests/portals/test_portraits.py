"""A photo of the patient at the desk: taken, seen at the desk and at the pharmacy, replaced, taken away."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from polyclinic.core.access import rules
from polyclinic.core.actors import Anonymous, Person, SystemActor
from polyclinic.core.audit import chain
from polyclinic.core.errors import Forbidden, NotFound, Unauthenticated
from polyclinic.core.models import AuditEntry
from polyclinic.files import actions as own
from polyclinic.files import portraits
from polyclinic.files.models import Portrait
from polyclinic.people.erasing import shred_patient
from polyclinic.visits import actions
from tests.crypto.conftest import keys
from tests.files import hostile
from tests.house import House
from tests.pharmacy.shop import Shop
from tests.portals.conftest import form

__all__ = ["keys"]
pytestmark = pytest.mark.django_db
PICTURE = hostile.picture("PNG", (300, 200))


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, settings: Any) -> None:
    settings.DATA = tmp_path


@pytest.fixture
def visit(house: House, keys: Path) -> Any:
    """The desk knows the patient from now on."""
    return actions.register(
        actor=house.person(house.receptionist), facility_id=house.facility.pk, patient_id=house.patient.pk
    )


def on_disk() -> list[str]:
    return [path.name for path in (Path(configured.DATA) / "files").rglob("*") if path.is_file()]


def give(desk: Client, house: House, data: bytes, name: str = "photo.jpg") -> Any:
    address = f"/reception/photo/{house.patient.pk}"
    sent = form(desk.get(address), address)["fields"]
    return desk.post(address, {**sent, "file": SimpleUploadedFile(name, data, "image/jpeg")})


def take(house: House, who: Any = None, data: bytes = PICTURE, patient: Any = None) -> Any:
    return portraits.take(
        actor=house.person(who or house.receptionist), facility_id=house.facility.pk,
        patient_id=(patient or house.patient).pk, data=data,
    )  # fmt: skip


def test_the_desk_takes_replaces_and_removes_a_photo(
    house: House, visit: Any, browser_of: Any, django_capture_on_commit_callbacks: Any
) -> None:
    desk = browser_of(house.receptionist)
    address = f"/reception/visits/{visit.pk}"
    page = desk.get(address).content.decode()
    assert "/files/" not in page
    assert f"/reception/photo/{house.patient.pk}" in page
    assert give(desk, house, PICTURE).status_code == 303
    (first,) = on_disk()
    shown = f'class="photo" src="/files/portraits/{Portrait.objects.get().pk}"'
    for where in (address, f"/reception/open/{house.patient.pk}", f"/reception/photo/{house.patient.pk}"):
        assert shown in desk.get(where).content.decode(), where
    answer = desk.get(f"/files/portraits/{Portrait.objects.get().pk}")
    assert answer["Content-Type"] == "image/jpeg"
    assert answer["Cache-Control"] == "no-store, private"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert answer.content[100:200] not in (next((Path(configured.DATA) / "files").rglob(first))).read_bytes()
    with django_capture_on_commit_callbacks(execute=True):
        assert give(desk, house, hostile.picture()).status_code == 303
    assert len(on_disk()) == 1
    assert on_disk() != [first]
    gone = desk.get(f"/reception/photo/{house.patient.pk}")
    with django_capture_on_commit_callbacks(execute=True):
        desk.post(f"/reception/photo/{house.patient.pk}/remove", form(gone, "/remove")["fields"])
    assert on_disk() == []
    assert "/files/" not in desk.get(address).content.decode()
    done = AuditEntry.objects.filter(patient_id=house.patient.pk, action__startswith="portrait.").order_by("pk")
    assert [one.action for one in done if one.action != "portrait.read"] == [
        "portrait.keep", "portrait.remove", "portrait.keep", "portrait.remove",
    ]  # fmt: skip
    assert not list(chain.verify())


@pytest.mark.parametrize("data", [hostile.SVG, hostile.HTML, hostile.EICAR, hostile.png_claiming(60_000, 60_000), b""])
def test_what_is_no_picture_is_refused_and_leaves_nothing(
    house: House, visit: Any, browser_of: Any, data: bytes
) -> None:
    answer = give(browser_of(house.receptionist), house, data)
    assert answer.status_code in (413, 415, 422)
    assert 'id="file-error"' in answer.content.decode()
    assert (on_disk(), Portrait.objects.count()) == ([], 0)


def test_where_it_was_taken_is_not_kept(house: House, visit: Any) -> None:
    import io

    from PIL import Image

    exif = Image.Exif()
    exif[0x010F] = "a telephone"
    take(house, data=hostile.picture("JPEG", (300, 200), exif=exif.tobytes()))
    content = b"".join(portraits.content(house.person(house.receptionist), Portrait.objects.get().pk).parts)
    assert b"a telephone" not in content
    assert Image.open(io.BytesIO(content)).size == (200, 200)


def test_who_may_take_and_who_may_see_it(house: House, visit: Any) -> None:
    made = take(house, house.staff["nurse"])
    for nobody in (house.doctor, house.patient, house.manager, house.staff["pharmacist"], house.stranger_receptionist):
        with pytest.raises((Forbidden, NotFound)):
            take(house, nobody)
    # Nobody whom this desk does not know, nor through another's eyes.
    with pytest.raises(NotFound):
        take(house, patient=house.stranger_patient)
    for who in (house.receptionist, house.staff["pharmacist"], house.staff["nurse"], house.patient):
        assert portraits.of(house.person(who), house.patient.pk, house.facility.pk) == made
        assert portraits.content(house.person(who), made).drawn
    for stranger in (house.stranger_receptionist, house.other_patient, house.manager, house.stranger_doctor):
        with pytest.raises(NotFound):
            portraits.content(house.person(stranger), made)
        with pytest.raises(NotFound):
            portraits.of(house.person(stranger), house.patient.pk, house.facility.pk)
    with pytest.raises(Unauthenticated):
        portraits.content(Anonymous(), made)
    read = AuditEntry.objects.filter(action="portrait.read", patient_id=house.patient.pk)
    assert read.count() >= 3


def test_control_without_the_rule_anybody_sees_it(house: House, visit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made = take(house)
    monkeypatch.setattr(portraits, "_require_sight", lambda *_given: None)
    assert portraits.content(house.person(house.stranger_receptionist), made).drawn


def test_an_erased_patients_photo_is_unreadable(house: House, visit: Any) -> None:
    made = take(house)
    actions.cancel(actor=house.person(house.receptionist), visit_id=visit.pk, reason="Opened twice")
    shred_patient(actor=SystemActor("operator"), patient_id=house.patient.pk)
    with pytest.raises(NotFound):
        portraits.content(house.person(house.receptionist), made)
    assert Portrait.objects.get().secret == ""


def test_a_failed_transaction_leaves_no_content(house: House, visit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_given: object, **_named: object) -> None:
        raise RuntimeError("the database went away")

    monkeypatch.setattr("polyclinic.files.portraits.ledger.create", fails)
    with pytest.raises(RuntimeError):
        take(house)
    assert on_disk() == []


def test_the_desks_photo_goes_before_the_patients_own(house: House, visit: Any, browser_of: Any) -> None:
    me = house.person(house.patient)
    assert isinstance(me, Person)
    chosen = own.set_photo(actor=me, data=PICTURE)
    desk, address = browser_of(house.receptionist), f"/reception/visits/{visit.pk}"
    # Their own is for those who may see it: the desk has seen them without a booking, so it has the visit alone.
    assert f"/files/{chosen}" not in desk.get(address).content.decode()
    made = take(house)
    assert f"/files/portraits/{made}" in desk.get(address).content.decode()
    assert "portrait.edit" in rules.at_facility()


def test_the_pharmacist_sees_who_stands_there(house: House, keys: Path, browser_of: Any) -> None:
    shop = Shop(house)
    prescription = shop.prescribe()
    address = f"/pharmacy/prescriptions/{prescription.pk}"
    counter = browser_of(house.staff["pharmacist"])
    assert "/files/" not in counter.get(address).content.decode()
    made = take(house, house.receptionist)
    assert f'class="photo" src="/files/portraits/{made}"' in counter.get(address).content.decode()
    assert counter.get(f"/files/portraits/{made}").status_code == 200
    assert counter.get(f"/reception/photo/{house.patient.pk}").status_code == 403
