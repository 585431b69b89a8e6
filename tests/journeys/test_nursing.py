"""A medicine from the doctor's order to the patient's arm, and the patient from one nurse to the next and home.

The nurse sees the order appear without a reload; of two windows only one gives the dose.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import Desk
from tests.journeys.windows import MOST, live, mark, picture, unbroken
from tests.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.service]
BED = """
import django
django.setup(set_prefix=False)
from uuid import UUID
from polyclinic.core.actors import SystemActor
from polyclinic.facilities.models import Membership
from polyclinic.inpatient import actions, wards
from polyclinic.medicines import seed
from polyclinic.visits import known
demo, place, patient = SystemActor("demo"), UUID("{facility}"), UUID("{patient}")
seed.load()
known.remember(patient, place)
ward = wards.add_ward(actor=demo, facility_id=place, name="Ward A", kind="general")
bed = wards.add_bed(actor=demo, ward_id=ward.pk, name="A1")
stay = actions.request(actor=demo, facility_id=place, patient_id=patient, reason="Pneumonia")
actions.admit(actor=demo, stay_id=stay.pk, bed_id=bed.pk)
print(stay.pk)
from polyclinic.people.models import Patient
row = Patient.objects.get(pk=patient)
print(row.mrn, row.born.isoformat())
"""


def test_a_medicine_a_handover_and_the_way_home(clinic: Server, desk: Desk) -> None:
    told = clinic.python("-c", BED.format(**{name: clinic.people[name] for name in ("facility", "patient")}))
    stay, mrn, born = told.split()[-3:]
    nurse, second, doctor = (desk(f"{name}@example.org") for name in ("nurse", "nurse", "main_doctor"))
    base = f"/nursing/stays/{stay}"
    nurse.goto(f"{base}/medicines")
    mark(live(nurse))

    doctor.goto(f"{base}/order?q=amoxicillin")
    doctor.get_by_role("link", name=re.compile("^Choose")).first.click()
    doctor.get_by_label(re.compile("^Dose")).fill("1")
    doctor.get_by_label("How often").select_option("once")
    doctor.get_by_role("button", name="Order it").click()
    # The checks say that nobody has asked about allergies; the doctor has read it and goes on.
    expect(doctor.get_by_text("Nobody has asked this patient about allergies")).to_be_visible()
    doctor.get_by_role("button", name="Order it").click()
    expect(doctor).to_have_url(re.compile("/medicines$"))

    give = nurse.get_by_role("link", name=re.compile("^Give"))
    expect(give).to_be_visible(timeout=MOST)
    assert unbroken(nurse)
    picture(nurse, "nursing-sheet")
    give.click()
    second.goto(nurse.url)
    nurse.get_by_label("Number on the wristband").fill("MRN9999999")
    nurse.get_by_label("Date of birth").fill(born)
    nurse.get_by_role("button", name="Write it down").click()
    expect(nurse.get_by_text("This is not the patient of this bed").first).to_be_visible()
    nurse.get_by_label("Number on the wristband").fill(mrn)
    nurse.get_by_role("button", name="Write it down").click()
    expect(nurse.locator("#sheet").locator("xpath=../..")).to_contain_text("Given", timeout=MOST)

    second.get_by_label("Number on the wristband").fill(mrn)
    second.get_by_label("Date of birth").fill(born)
    second.get_by_role("button", name="Write it down").click()
    expect(second.get_by_text("Somebody has written this dose down already").first).to_be_visible()

    nurse.goto(f"{base}/handover")
    expect(nurse.get_by_label("Situation")).to_have_value(re.compile("Pneumonia"))
    nurse.get_by_role("button", name="Sign the handover").click()
    expect(nurse.get_by_text("Not read yet")).to_be_visible()

    doctor.goto(f"{base}/summary")
    doctor.get_by_label("Diagnoses").fill("Pneumonia")
    doctor.get_by_label("Course").fill("Better with antibiotics")
    doctor.get_by_label("What happens next").fill("Chest X-ray in six weeks")
    doctor.get_by_role("button", name="Sign", exact=True).click()
    expect(doctor.get_by_text(re.compile("^Signed by"))).to_be_visible()
    patient = desk("patient")
    patient.goto("/my/summaries")
    expect(patient.get_by_text("Chest X-ray in six weeks")).to_be_visible()
    picture(patient, "nursing-mine")
