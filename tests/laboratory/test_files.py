"""Files of results: looked through and sealed, seen with the result they stand with, withdrawn and never lost."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from polyclinic.core.actors import Person, SystemActor
from polyclinic.core.errors import Conflict, Forbidden, Invalid, NotFound, StaleEdit
from polyclinic.core.models import AuditEntry, OutboxEvent
from polyclinic.files import results
from polyclinic.files.models import ResultFile
from polyclinic.files.problems import FileRefused
from polyclinic.files.storage import storage
from polyclinic.laboratory import actions, entering
from polyclinic.people import erasing
from polyclinic.web import uploads
from tests.files.hostile import hostile_documents, pdf, picture
from tests.laboratory.bench import Bench
from tests.portals.conftest import browser_of, form

__all__ = ["browser_of"]
PRINTED = b"Sodium 140\nPotassium 4.1\n"


def attach(bench: Bench, order: Any, data: bytes = PRINTED, code: str = "k", actor: Person | None = None) -> UUID:
    return results.attach(actor=actor or bench.tech, test_id=bench.test(order, code).pk, data=data)


def opened(viewer: Any, file: UUID) -> bytes:
    return b"".join(results.content(viewer, file).parts)


def seen_by(viewer: Any, order: Any) -> int:
    return sum(map(len, results.of_order(viewer, order.pk).values()))


def test_it_is_seen_with_the_result_it_stands_with(bench: Bench) -> None:
    order = bench.ready("k")
    bench.enter(order, k="4.1")
    file = attach(bench, order)
    patient = bench.house.person(bench.house.patient)
    # The laboratory alone, until somebody has verified what it is about.
    assert opened(bench.tech, file) == PRINTED
    assert seen_by(bench.checker, order) == 0
    with pytest.raises(NotFound):
        results.content(bench.checker, file)
    bench.verify(order, "k")
    assert opened(bench.checker, file) == PRINTED
    with pytest.raises(NotFound):
        results.content(patient, file)
    assert results.of_released(patient, order.pk) == {}
    entering.release(actor=bench.tech, test_id=bench.test(order, "k").pk)
    assert opened(patient, file) == PRINTED
    ((row,),) = results.of_released(patient, order.pk).values()
    assert (row.media_type, row.size, row.made_by) == ("text/plain", len(PRINTED), "Some lab_technician")
    entry = AuditEntry.objects.filter(action="result_file.keep").get()
    assert (entry.patient_id, entry.facility_id) == (bench.house.patient.pk, bench.house.facility.pk)


def test_what_comes_with_a_correction_waits_with_it(bench: Bench) -> None:
    order = bench.ready("k")
    bench.enter(order, k="4.1")
    bench.verify(order, "k")
    test = bench.test(order, "k")
    entering.release(actor=bench.tech, test_id=test.pk)
    entering.amend(actor=bench.tech, test_id=test.pk, value="5.1", reason="Wrong tube")
    file = attach(bench, order, b"Repeated: 5.1")
    for viewer in (bench.checker, bench.house.person(bench.house.patient)):
        with pytest.raises(NotFound):
            results.content(viewer, file)
    entering.verify(actor=bench.second, test_id=test.pk)
    assert opened(bench.checker, file) == b"Repeated: 5.1"


def test_strangers_and_the_desk_open_nothing(bench: Bench) -> None:
    order = bench.ready("k")
    bench.enter(order, k="4.1")
    bench.verify(order, "k")
    file = attach(bench, order)
    house = bench.house
    for who in (house.stranger_doctor, house.other_doctor, house.receptionist, house.manager, house.other_patient):
        person = house.person(who)
        with pytest.raises(NotFound):
            results.content(person, file)
        with pytest.raises(NotFound):
            results.of_order(person, order.pk)
        with pytest.raises(NotFound):
            results.withdraw(actor=person, file_id=file, reason="Mine")
        with pytest.raises(NotFound):
            attach(bench, order, actor=person)
    for person in (bench.checker, bench.main):
        with pytest.raises(Forbidden):
            attach(bench, order, actor=person)


def test_sent_twice_it_is_one_and_there_is_an_end(bench: Bench) -> None:
    order = bench.ready("k")
    first = attach(bench, order)
    assert attach(bench, order) == first
    assert len(list(storage().read(first))) == 1
    for number in range(results.MOST - 1):
        attach(bench, order, b"Page %d" % number)
    with pytest.raises(Invalid) as told:
        attach(bench, order, b"One too many")
    assert (told.value.code, ResultFile.objects.count()) == ("too_many", results.MOST)
    # The same one again is no new one.
    assert attach(bench, order) == first


def test_a_cancelled_test_takes_no_file_and_leaves_none_on_the_disk(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = bench.ready("k", "na")
    actions.cancel(actor=bench.checker, test_id=bench.test(order, "k").pk, reason="Not needed")
    written: list[UUID] = []
    store = storage()

    class Watched:
        def write(self, name: UUID, parts: Any) -> None:
            written.append(name)
            store.write(name, parts)

        delete = staticmethod(store.delete)

    monkeypatch.setattr(results, "storage", Watched)
    with pytest.raises(Conflict):
        attach(bench, order)
    (name,) = written
    with pytest.raises(FileNotFoundError):
        list(store.read(name))


def test_hostile_documents_are_refused_or_drawn_anew(bench: Bench) -> None:
    order = bench.ready("k")
    refused = 0
    for name, data in hostile_documents():
        try:
            file = attach(bench, order, data)
        except FileRefused:
            refused += 1
        else:
            kept = opened(bench.tech, file)
            assert not any(mark in kept for mark in (b"/JavaScript", b"/Launch", b"<script", b"EICAR")), name
            results.withdraw(actor=bench.tech, file_id=file, reason="Trial")
    assert refused > 5
    assert opened(bench.tech, attach(bench, order, pdf())).startswith(b"%PDF-")
    assert opened(bench.tech, attach(bench, order, picture("PNG"))).startswith(b"\xff\xd8\xff")
    for script in (pdf(script="app.alert(1)"), pdf(attach=True), pdf(password="x")):
        with pytest.raises(Invalid):
            attach(bench, order, script)


def test_too_large_is_said_with_the_limit(bench: Bench, settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES = 1 << 20
    with pytest.raises(Invalid) as told:
        attach(bench, bench.ready("k"), b"x" * ((1 << 20) + 1))
    assert "1 MB" in str(told.value.sentence)


def test_withdrawn_it_is_the_laboratorys_alone(bench: Bench) -> None:
    order = bench.ready("k")
    bench.enter(order, k="4.1")
    file = attach(bench, order)
    bench.verify(order, "k")
    with pytest.raises(Invalid):
        results.withdraw(actor=bench.tech, file_id=file, reason=" ")
    with pytest.raises(StaleEdit):
        results.withdraw(actor=bench.tech, file_id=file, reason="Another patient's", version=7)
    results.withdraw(actor=bench.tech, file_id=file, reason="Another patient's", version=1)
    assert seen_by(bench.checker, order) == 0
    with pytest.raises(NotFound):
        results.content(bench.checker, file)
    assert opened(bench.tech, file) == PRINTED
    # Why is kept, sealed like all that may speak of health.
    assert AuditEntry.objects.get(action="result_file.withdraw").reason.startswith("v1:")


def test_nothing_of_it_is_in_events_or_readable_on_disk_and_it_goes_with_the_key(bench: Bench) -> None:
    order = bench.ready("k")
    file = attach(bench, order)
    told = OutboxEvent.objects.get(type="lab.file_kept")
    assert "text" not in told.payload
    assert f'"orderId":"{order.pk}"' in told.payload
    assert b"Potassium" not in b"".join(storage().read(file))
    erasing.shred_patient(actor=SystemActor("operator"), patient_id=bench.house.patient.pk)
    with pytest.raises(NotFound):
        results.content(bench.tech, file)


def test_the_page_takes_it_gives_it_out_inert_and_withdraws_it(bench: Bench, browser_of: Any) -> None:
    order = bench.ready("k")
    test, client = bench.test(order, "k"), browser_of(bench.house.staff["lab_technician"])
    address, page = f"/lab/tests/{test.pk}/files", client.get(f"/lab/orders/{order.pk}")
    fields = form(page, address)["fields"]
    none = client.post(address, fields)
    assert none.status_code == 422
    assert "Choose a file first." in none.content.decode()
    bad = client.post(address, {**fields, "file": SimpleUploadedFile("x.pdf", b"<html><script>1</script>")})
    assert bad.status_code == 422
    assert f'id="file-{test.pk}"' in bad.content.decode()
    sent = client.post(address, {**fields, "file": SimpleUploadedFile("Smith HIV.pdf", pdf())})
    assert sent.status_code == 303
    text = client.get(f"/lab/orders/{order.pk}").content.decode()
    file = ResultFile.objects.get()
    assert f'href="/lab/files/{file.pk}"' in text
    assert "Smith" not in text
    given = client.get(f"/lab/files/{file.pk}")
    assert given.headers["Content-Type"] == "application/pdf"
    assert given.headers["Content-Disposition"] == f'attachment; filename="{file.pk.hex[-8:]}.pdf"'
    assert "sandbox" in given.headers["Content-Security-Policy"]
    assert given.headers["X-Content-Type-Options"] == "nosniff"
    ask = client.get(f"/lab/files/{file.pk}/withdraw")
    withdraw = form(ask, "")["fields"]
    assert client.post(f"/lab/files/{file.pk}/withdraw", {**withdraw, "reason": ""}).status_code == 422
    assert client.post(f"/lab/files/{file.pk}/withdraw", {**withdraw, "reason": "Wrong one"}).status_code == 303
    assert "Withdrawn" in client.get(f"/lab/orders/{order.pk}").content.decode()


def test_only_the_address_that_takes_files_takes_much(settings: Any) -> None:
    much = settings.MAX_UPLOAD_BYTES
    test = "01a1fdc7-e016-7003-809f-c89729a20051"
    for path in (f"/lab/tests/{test}/files", f"/api/lab/results/{test}/files", f"/api/v1/lab/results/{test}/files"):
        assert uploads.body_limit({"method": "POST", "path": path}) > much
    for path in (
        f"/lab/tests/{test}/verify",
        f"/api/lab/results/{test}/verify",
        f"/api/lab/tests/{test}/files",
        "/lab/tests/../x/files",
        f"/lab/tests/{test}/files/x",
        "/lab",
    ):
        assert uploads.body_limit({"method": "POST", "path": path}) < much
