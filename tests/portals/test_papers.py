"""Papers on pages: printing, letters with drafts, a patient's own papers, and the public check."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from polyclinic.papers import letters, printing
from polyclinic.papers.models import LetterDraft, Paper, SickNote
from polyclinic.visits.models import Visit
from polyclinic.web import ratelimit
from tests.house import House, missing
from tests.papers.bench import Desk, paper_of
from tests.portals.conftest import form, send

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(house: House) -> Desk:
    made = Desk(house)
    made.see()
    return made


def _new(desk: Desk, kind: str = "sick-note") -> str:
    return f"/papers/{kind}/new?visit={desk.visit}"


def test_a_sick_note_is_written_signed_and_printed(desk: Desk, browser_of: Any) -> None:
    client = browser_of(desk.house.staff["main_doctor"])
    page = client.get(_new(desk))
    assert "PILLAI, Meera" in page.content.decode()
    answer = send(client, page, "/papers/sick-note/new", last="2099-01-01")
    assert answer.status_code == 422
    assert "at most" in answer.content.decode()
    answer = send(client, page, "/papers/sick-note/new", last=Visit.objects.get(pk=desk.visit).day.isoformat())
    assert answer.status_code == 303
    shown = client.get(answer.headers["Location"])
    assert "Not fit for work" in shown.content.decode()
    made = SickNote.objects.get()
    pdf = client.get(f"/papers/sick-note/{made.pk}.pdf")
    assert pdf.status_code == 200
    assert pdf.headers["Content-Type"] == "application/pdf"
    assert pdf.headers["Cache-Control"] == "private, no-store"
    assert "PILLAI" not in pdf.headers["Content-Disposition"]
    assert pdf.content.startswith(b"%PDF-")


def test_signing_twice_is_one_letter(desk: Desk, browser_of: Any) -> None:
    client = browser_of(desk.house.staff["main_doctor"])
    page = client.get(_new(desk, "referral"))
    given = {"to": "Cardiology", "question": "Murmur?"}
    first, second = (send(client, page, "/papers/referral/new", **given) for _n in range(2))
    assert first.headers["Location"] == second.headers["Location"]
    # The same key with other words is no repetition, and what was typed is there again.
    other = send(client, page, "/papers/referral/new", **{**given, "question": "Another?"})
    assert other.status_code == 422
    assert "Another?" in other.content.decode()


def test_what_is_typed_is_kept_and_there_again(desk: Desk, browser_of: Any) -> None:
    client = browser_of(desk.house.staff["main_doctor"])
    page = client.get(_new(desk, "referral"))
    typed = {**form(page, "/papers/referral/new")["fields"], "question": "Mur"}
    answer = client.post(f"/papers/referral/draft?visit={desk.visit}", typed)
    assert answer.json() == {"version": 1, "stale": False}
    again = client.get(_new(desk, "referral")).content.decode()
    assert "Mur</textarea>" in again
    assert "Discard the draft" in again
    stale = client.post(f"/papers/referral/draft?visit={desk.visit}", {**typed, "question": "Old"})
    assert stale.status_code == 412
    beside = client.get(f"/papers/referral/draft/beside?visit={desk.visit}").content.decode()
    assert "Mur" in beside
    send(client, client.get(_new(desk, "referral")), "/papers/referral/draft/discard")
    assert not LetterDraft.objects.exists()


def test_who_may_not_write_is_told_nothing(desk: Desk, browser_of: Any) -> None:
    assert browser_of(desk.house.other_doctor).get(_new(desk)).status_code == 404
    assert (
        browser_of(desk.house.staff["main_doctor"]).get(f"/papers/sick-note/new?visit={missing()}").status_code == 404
    )
    assert browser_of(desk.house.staff["main_doctor"]).get("/papers/sick-note/new").status_code == 404
    assert browser_of(desk.house.staff["nurse"]).get(_new(desk)).status_code == 403


def test_a_letter_is_withdrawn_with_a_reason(desk: Desk, browser_of: Any) -> None:
    row = desk.sick_note()
    client = browser_of(desk.house.staff["main_doctor"])
    at = f"/papers/sick-note/{row.pk}"
    page = client.get(at)
    refused = send(client, page, at, reason="")
    assert refused.status_code == 422
    assert "Say why." in refused.content.decode()
    assert send(client, page, at, reason="Wrong dates").status_code == 303
    shown = client.get(at).content.decode()
    assert "Withdrawn" in shown
    assert ".pdf" not in shown
    assert client.get(f"{at}.pdf").status_code == 409
    # A second window that still shows the button.
    assert send(client, page, at, reason="Again").status_code in (409, 412)


def test_ones_own_papers_are_listed_and_printed(desk: Desk, browser_of: Any) -> None:
    desk.sick_note()
    invoice = desk.invoice("CONS")
    client = browser_of(desk.house.patient)
    text = client.get("/my/papers").content.decode()
    for part in ("Sick note", "Visit summary", "Invoice", f"/papers/invoice/{invoice.pk}.pdf"):
        assert part in text, part
    assert client.get(f"/papers/visit-summary/{desk.visit}.pdf").status_code == 200
    assert client.get("/my/papers/list").status_code == 200
    theirs = browser_of(desk.house.other_patient)
    assert "Sick note" not in theirs.get("/my/papers").content.decode()
    assert theirs.get(f"/papers/invoice/{invoice.pk}.pdf").status_code == 404
    assert theirs.get(f"/my/papers?for={desk.house.patient.pk}").status_code == 404


def test_a_visits_papers_are_those_one_may_see(desk: Desk, browser_of: Any) -> None:
    desk.sick_note()
    at = f"/papers/visit/{desk.visit}"
    doctor = browser_of(desk.house.staff["main_doctor"]).get(at).content.decode()
    assert "New sick note" in doctor
    assert "Visit summary" in doctor
    front = browser_of(desk.house.receptionist).get(at).content.decode()
    assert "Visit summary" not in front
    assert "Sick note" not in front
    assert browser_of(desk.house.other_patient).get(at).status_code == 404


def test_a_roll_or_a4_and_nothing_else(desk: Desk, browser_of: Any) -> None:
    client = browser_of(desk.house.receptionist)
    at = f"/papers/invoice/{desk.invoice().pk}.pdf"
    assert client.get(f"{at}?size=thermal").status_code == 200
    assert client.get(f"{at}?size=poster").status_code == 422
    assert client.get(f"/papers/passport/{missing()}.pdf").status_code == 404
    assert client.get("/papers/invoice/../../etc/passwd.pdf").status_code == 404


@pytest.mark.parametrize(
    ("make", "heading"),
    [("valid", "Genuine"), ("changed", "Genuine, but out of date"), ("revoked", "Withdrawn")],
)
def test_anybody_can_check_a_paper(desk: Desk, make: str, heading: str) -> None:
    row = desk.sick_note(remark="Back on Monday")
    code = paper_of(desk.print("sick-note", row.pk)).code
    if make == "revoked":
        letters.revoke_sick_note(actor=desk.main, note_id=row.pk, reason="Wrong")
    if make == "changed":
        Paper.objects.update(version=9)
        paper = Paper.objects.get()
        paper.digest = "0" * 64
        paper.save()
    anybody = Client()
    page = anybody.get(f"/verify/{code}")
    text = page.content.decode()
    assert page.status_code == 200
    assert f"<h1>{heading}</h1>" in text
    for part in ("Sick note", "Riverside Clinic", "M. P."):
        assert part in text, part
    # Nothing else that stands on it, of whom it is, or which record.
    for part in ("Meera", "Pillai", "PILLAI", "MRN", "1980", "Monday", "work", str(row.pk), str(desk.visit)):
        assert part not in text.replace("polyclinic", ""), part
    assert page.headers["Cache-Control"] == "no-store"
    assert "noindex" in page.headers["X-Robots-Tag"]


def test_every_code_that_is_none_is_answered_alike(desk: Desk) -> None:
    anybody = Client()
    texts = set()
    for code in (printing.new_code(), "0" * 32, "short", "%00", "é" * 32, "a" * 900):
        page = anybody.get(f"/verify/{code}")
        assert page.status_code == 404
        texts.add(page.content)
    assert len(texts) == 1


def test_a_typed_code_leads_to_its_paper(desk: Desk) -> None:
    code = paper_of(desk.print("sick-note", desk.sick_note().pk)).code
    anybody = Client()
    assert anybody.get("/verify").status_code == 200
    answer = anybody.get("/verify", {"code": " ".join(code.lower())})
    assert answer.headers["Location"] == f"/verify/{code}"


def test_trying_codes_is_slowed_down(desk: Desk, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.RATE_LIMITS = True
    # A clock that stands: what a slow machine takes must not fill the bucket again.
    monkeypatch.setattr(ratelimit, "_clock", lambda: 1e6)
    ratelimit.reset()
    anybody = Client()
    answers = [anybody.get(f"/verify/{printing.new_code()}").status_code for _n in range(121)]
    assert set(answers[:120]) == {404}
    assert answers[120] == 429
    ratelimit.reset()


def test_the_api_prints_signs_and_checks(desk: Desk) -> None:
    from tests.api.calling import bearer, call

    main, patient = bearer(desk.house.staff["main_doctor"]), bearer(desk.house.patient)
    day = Visit.objects.get(pk=desk.visit).day.isoformat()
    wish = {"unfit": "work", "first": day, "last": day}
    with_key = {**main, "Idempotency-Key": "once"}
    made, again = (call("POST", f"/api/visits/{desk.visit}/sick-notes", body=wish, headers=with_key) for _n in range(2))
    assert (made.status, again.status) == (201, 201)
    assert SickNote.objects.count() == 1
    note = SickNote.objects.get()
    pdf = call("GET", f"/api/papers/sick-note/{note.pk}.pdf", headers=patient)
    assert pdf.status == 200
    assert pdf.body.startswith(b"%PDF-")
    verdict = call("GET", f"/api/papers/verify/{Paper.objects.get().code}")
    assert verdict.json["status"] == "valid"
    assert set(verdict.json) == {"kind", "facilityName", "city", "issuedAt", "timeZone", "initials", "status"}
    listed = call("GET", f"/api/patients/{desk.house.patient.pk}/papers", headers=patient)
    assert listed.json["data"][0]["printed"] == 1
    late = call(
        "POST", f"/api/sick-notes/{note.pk}/withdraw", body={"reason": "Wrong"}, headers={**main, "If-Match": '"9"'}
    )
    assert late.status == 412
    bad = call("POST", f"/api/visits/{desk.visit}/sick-notes", body={**wish, "last": "2020-01-01"}, headers=main)
    assert (bad.status, bad.json["field"]) == (422, "last")
