"""The ward's pages as nurses and doctors without JavaScript use them: forms, links and what they say."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from polyclinic.inpatient.models import BedStay
from polyclinic.nursing.models import Dose, MedicineOrder
from tests.house import House, missing
from tests.nursing.bedside import CALM, Bedside
from tests.portals.conftest import forms, send
from tests.portals.test_beds import Browser, text
from tests.portals.test_consulting import browser_of as fresh_browser_of  # noqa: F401 - a fixture


@pytest.fixture
def bedside(house: House) -> Bedside:
    return Bedside(house)


@pytest.fixture
def nurse(bedside: Bedside, browser_of: Browser) -> Client:
    return browser_of(bedside.house.staff["nurse"])


@pytest.fixture
def head(bedside: Bedside, fresh_browser_of: Browser) -> Client:  # noqa: F811
    return fresh_browser_of(bedside.house.staff["main_doctor"])


def test_signs_and_a_note_from_the_round(bedside: Bedside, nurse: Client) -> None:
    page = nurse.get("/nursing")
    assert "PILLAI, Meera" in text(page)
    assert "not measured" in text(page)
    base = f"/nursing/stays/{bedside.stay.pk}"
    page = nurse.get(base)
    wrong = send(nurse, page, f"{base}/vitals", **{**CALM, "pulse": "190"}, oxygen="air", consciousness="A")
    assert wrong.status_code == 422
    assert "Measured again" in text(wrong)
    assert 'value="190"' in wrong.content.decode()
    answer = send(nurse, wrong, f"{base}/vitals", confirmed="pulse", oxygen="air", consciousness="A")
    assert answer.status_code == 303
    row = nurse.get(f"/nursing/row/{bedside.stay.pk}?ward={bedside.wing.ward.pk}&by=need")
    assert "NEWS2 3" in text(row)
    assert "Low to medium risk" in text(row)
    page = nurse.get(base)
    assert send(nurse, page, f"{base}/note", text="Drinks well").status_code == 303
    stale = send(nurse, page, f"{base}/note", text="My own words")
    assert stale.status_code == 409
    assert "My own words" in stale.content.decode()
    assert "Drinks well" in text(stale)
    assert send(nurse, stale, f"{base}/note", text="Both").status_code == 303
    assert "Drinks well" in text(nurse.get(f"{base}?wordings=1"))
    assert nurse.get(f"{base}?part=1").status_code == 200
    gone = send(nurse, nurse.get(base), "/withdraw", reason="Another patient's")
    assert gone.status_code == 303
    assert "Entered in error" in text(nurse.get(base))


def test_a_medicine_from_the_order_to_the_dose(bedside: Bedside, nurse: Client, head: Client) -> None:
    base = f"/nursing/stays/{bedside.stay.pk}"
    found = head.get(f"{base}/order?q=amoxi")
    chosen = re.search(r'href="([^"]+medicine=[^"]+)"', found.content.decode())
    assert chosen
    page = head.get(chosen[1].replace("&amp;", "&"))
    wrong = send(head, page, f"{base}/order", dose="two")
    assert wrong.status_code == 422
    assert "Write the dose as a number" in text(wrong)
    given = {"dose": "1", "frequency": "once", "route": "oral"}
    warned = send(head, wrong, f"{base}/order", **given)
    assert warned.status_code == 409
    assert "Nobody has asked this patient about allergies" in text(warned)
    assert send(head, warned, f"{base}/order", **given).status_code == 303
    order = MedicineOrder.objects.get()
    sheet = nurse.get(f"{base}/medicines")
    assert "Due" in text(sheet)
    assert "Order a medicine" not in text(sheet)
    give = re.search(r'href="(/nursing/orders/[^"]+)"', sheet.content.decode())
    assert give
    page = nurse.get(give[1].replace("&amp;", "&"))
    for wrong_one in ({"wristband": "MRN99", "born": "1980-05-17"}, {"wristband": bedside.patient.mrn}):
        refused = send(nurse, page, "/dose", outcome="given", **wrong_one)
        assert refused.status_code in (409, 422)
    assert not Dose.objects.exists()
    assert send(nurse, page, "/dose", outcome="given", **bedside.two).status_code == 303
    again = send(nurse, page, "/dose", outcome="given", **bedside.two)
    assert again.status_code == 409
    assert "already" in text(again)
    assert Dose.objects.count() == 1
    assert "Given" in text(nurse.get(f"{base}/medicines?part=1"))
    wrong = Dose.objects.get()
    page = nurse.get(f"{base}/medicines")
    assert send(nurse, page, f"/nursing/doses/{wrong.pk}/withdraw", reason="Other patient").status_code == 303
    page = nurse.get(f"{base}/medicines")
    assert "<s>Given" in page.content.decode()
    assert "Wrongly written down: Other patient" in text(page)
    assert "Due" in text(page)
    page = nurse.get(give[1].replace("&amp;", "&"))
    assert send(nurse, page, "/dose", outcome="given", **bedside.two).status_code == 303
    page = head.get(f"{base}/medicines")
    assert send(head, page, f"/nursing/orders/{order.pk}/stop", reason="Rash").status_code == 303
    assert "Rash" in text(nurse.get(f"{base}/medicines"))
    assert nurse.get(f"{base}/order").status_code == 403


def test_warnings_are_shown_and_answered_where_the_medicine_is_ordered(bedside: Bedside, head: Client) -> None:
    bedside.order("warfarin-5-mg-tablet")
    base = f"/nursing/stays/{bedside.stay.pk}/order"
    page = head.get(f"{base}?medicine={bedside.medicine('ibuprofen-400-mg-tablet')}")
    warned = send(head, page, base, dose="1", frequency="daily", route="oral")
    assert warned.status_code == 409
    asked = re.findall(r'name="(reason-[^"]+)"', warned.content.decode())
    assert asked
    answer = send(head, warned, base, frequency="daily", route="oral", **dict.fromkeys(asked, "With a stomach guard"))
    assert answer.status_code == 303
    assert MedicineOrder.objects.count() == 2


def test_a_handover_from_one_nurse_to_the_next(bedside: Bedside, nurse: Client, browser_of: Browser) -> None:
    base = f"/nursing/stays/{bedside.stay.pk}/handover"
    page = nurse.get(base)
    assert "Pneumonia" in page.content.decode()
    parts = dict.fromkeys(("situation", "background", "assessment"), "As before")
    assert send(nurse, page, base, **parts, recommendation="").status_code == 422
    assert send(nurse, page, base, **parts, recommendation="Listen to the chest").status_code == 303
    assert "I have read it" not in text(nurse.get("/nursing/handover"))
    late = browser_of(bedside.late_account)
    page = late.get("/nursing/handover")
    assert "Listen to the chest" in text(page)
    assert send(late, page, "/read").status_code == 303
    assert "Read by Late Shift" in text(nurse.get("/nursing/handover?part=1"))


def test_a_summary_reaches_the_patient_when_it_is_signed(
    bedside: Bedside, nurse: Client, head: Client, browser_of: Browser
) -> None:
    base = f"/nursing/stays/{bedside.stay.pk}/summary"
    patient = browser_of(bedside.patient)
    page = head.get(base)
    lacking = send(head, page, base, do="sign", diagnoses="Pneumonia", course="Better")
    assert lacking.status_code == 422
    assert "None yet" in text(patient.get("/my/summaries"))
    parts = {"diagnoses": "Pneumonia", "course": "Better", "follow_up": "X-ray in six weeks"}
    assert send(head, page, base, do="save", **parts).status_code == 303
    stale = send(head, page, base, do="sign", **parts)
    assert stale.status_code == 409
    assert send(head, stale, base, do="sign", **parts).status_code == 303
    assert "X-ray in six weeks" in text(patient.get("/my/summaries"))
    assert "Discharge summary" in text(patient.get("/my/papers"))
    assert patient.get(f"/papers/discharge/{bedside.stay.pk}.pdf")["Content-Type"] == "application/pdf"
    assert "Amend it" in text(head.get(base))
    page = head.get(f"{base}?amend=1")
    lacking = send(head, page, base, do="amend", **parts | {"follow_up": "X-ray in two weeks"})
    assert lacking.status_code == 422
    changed = {**parts, "follow_up": "X-ray in two weeks", "why": "Six weeks is too long"}
    assert send(head, lacking, base, do="amend", **changed).status_code == 303
    said = text(patient.get("/my/summaries"))
    assert all(one in said for one in ("Amended", "X-ray in two weeks", "X-ray in six weeks", "Six weeks is too long"))
    assert not [one for one in forms(nurse.get(base)) if one["action"] == base]
    assert not [one for one in forms(nurse.get(f"{base}?amend=1")) if one["action"] == base]
    assert patient.get(base).status_code == 403


def test_pages_of_strangers_are_like_missing_ones(bedside: Bedside, browser_of: Browser) -> None:
    stranger = browser_of(bedside.house.other_doctor)
    for part in ("", "/medicines", "/handover", "/summary"):
        assert stranger.get(f"/nursing/stays/{bedside.stay.pk}{part}").status_code == 404
        assert stranger.get(f"/nursing/stays/{missing()}{part}").status_code == 404
    assert BedStay.objects.get().state == "admitted"
