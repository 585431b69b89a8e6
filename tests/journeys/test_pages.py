"""Every page: works without JavaScript, fits a small phone, and gives assistive technology nothing to trip over."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.house import PASSWORD
from tests.journeys.conftest import Desk, book, workday
from tests.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.service]
VISITOR = ("/", "/doctors", "/hospitals", "/hospitals/riverside", "/services", "/emergency", "/book")
VISITOR += ("/sign-in", "/sign-up", "/sign-up/sent", "/password/reset", "/password/reset/sent", "/nowhere")

ACCOUNT = (
    "/account",
    "/account/password",
    "/account/email",
    "/account/sessions",
    "/account/notices",
    "/account/reminders",
)


def pages(clinic: Server, made: str) -> dict[str, list[str]]:
    """Every page by who looks at it."""
    people = clinic.people
    day = workday(clinic)
    asking = f"service={people['service']}"
    mine, theirs = f"/my/appointments/{made}", f"/doctor/appointments/{made}"
    return {
        "": [*VISITOR, f"/doctors/{people['doctor']}", f"/book/where?{asking}", f"/book/time?{asking}"],
        "patient": [
            *ACCOUNT,
            "/my",
            "/my/appointments",
            mine,
            f"{mine}/booked",
            f"{mine}/cancel",
            f"{mine}/reschedule",
            "/my/sharing",
            "/my/people",
            "/my/privacy",
            f"/my/privacy/{people['request']}",
            "/my/record/access",
        ],
        "doctor": [
            f"/doctor?day={day}",
            "/doctor/patients",
            f"/doctor/patients/{people['patient']}",
            f"/doctor/schedule/{people['schedule']}",
            f"{theirs}/decline",
            "/records",
            "/records/break-glass",
            f"/records/{people['patient']}",
        ],
        "privacy_officer@example.org": [
            "/privacy",
            f"/privacy/requests/{people['request']}",
            f"/privacy/openings/{people['opening']}",
            "/privacy/retention",
            "/privacy/research",
        ],
        "auditor@example.org": ["/audit", "/audit?via=test", f"/audit/{people['entry']}"],
        "front@example.org": ["/records", "/records/carers"],
        "admin@example.org": ["/admin", "/admin/people"],
    }


ROLES = ["", "patient", "doctor", "privacy_officer@example.org", "auditor@example.org", "front@example.org"]
ROLES += ["admin@example.org"]


@pytest.fixture(scope="module")
def made(clinic: Server) -> str:
    """An appointment to look at."""
    script = f"""
import django; django.setup()
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo
from polyclinic.facilities import identity
from polyclinic.people.models import Patient
from polyclinic.scheduling import actions
patient = Patient.objects.get(pk="{clinic.people["patient"]}")
starts = datetime.fromisoformat("{workday(clinic)}T09:00:00").replace(tzinfo=ZoneInfo("Europe/Berlin"))
actor = identity.person_of_account(patient.account_id)
made = actions.book(
    actor=actor, patient_id=patient.pk, schedule_id=UUID("{clinic.people["schedule"]}"), starts=starts
)
given = {{"actor": actor, "patient_id": patient.pk}}
from datetime import timedelta
from polyclinic.consent import actions as sharing
from polyclinic.consent.models import EmergencyAccess
from polyclinic.core import clock
from polyclinic.core.models import AuditEntry
from polyclinic.facilities.models import Facility
from polyclinic.people.models import Account
from polyclinic.privacy import actions as privacy
place = Facility.objects.get(pk="{clinic.people["facility"]}")
officer = identity.person_of_account(Account.objects.get(email="privacy_officer@example.org").pk)
sharing.grant(**given, facility_id=place.pk, purpose="treatment", categories=["all"])
carer = Account.objects.get(email="bento@example.org")
_asked, code = sharing.propose(
    **given, email=carer.email, kind="carer", rights="book", ends_at=clock.now() + timedelta(days=9)
)
sharing.accept(actor=identity.person_of_account(carer.pk), code=code)
agreed = privacy.request(**given, facility_id=place.pk, kind="restriction", words="Nobody else")
privacy.answer(actor=officer, request_id=agreed.pk, text="Agreed")
erase = privacy.request(**given, facility_id=place.pk, kind="erasure", words="I moved away")
opened = EmergencyAccess.objects.create(
    patient=patient, account=Account.objects.get(email="dr.grace@example.org"), facility=place, reason="Unconscious",
    state="closed", opened_at=clock.now() - timedelta(hours=2), ends_at=clock.now() - timedelta(hours=1),
)
entry = AuditEntry.objects.filter(facility_id=place.pk).latest("pk")
print(made.pk, erase.pk, opened.pk, entry.pk)
"""
    key, *others = clinic.python("-c", script).split()
    clinic.people.update(zip(("request", "opening", "entry"), others, strict=True))
    return key


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("who", ROLES)
def test_axe_finds_nothing(clinic: Server, desk: Desk, made: str, who: str, scheme: str) -> None:
    page = desk(who, color_scheme=scheme)
    for path in pages(clinic, made)[who]:
        answer = page.goto(path)
        # A page that refuses would have nothing to trip over either.
        assert answer is not None
        assert answer.status == (404 if path == "/nowhere" else 200), path
        found = Axe().run(page).response["violations"]
        assert [(path, one["id"], [node["html"][:160] for node in one["nodes"]]) for one in found] == []


@pytest.mark.parametrize("who", ROLES)
def test_no_page_scrolls_sideways_at_320_pixels(clinic: Server, desk: Desk, made: str, who: str) -> None:
    page = desk(who, viewport={"width": 320, "height": 640})
    for path in pages(clinic, made)[who]:
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, path


def test_booking_without_javascript(clinic: Server, desk: Desk) -> None:
    """A visitor chooses, signs in, finds the choice kept, books, and signs out."""
    page = desk(java_script_enabled=False)
    day = workday(clinic, 3)
    page.goto("/")
    page.get_by_role("link", name="Book an appointment").click()
    page.get_by_role("link", name="Consultation").click()
    page.get_by_role("link", name="Dr Grace Okafor").click()
    page.goto(f"{page.url}&from={day}")
    page.locator(f"section[aria-labelledby='slot-{day}'] .slot").nth(1).click()
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Email address").fill("bento@example.org")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Sign in").click()
    expect(page.locator("main")).to_contain_text("Your time is still chosen")
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Book this time").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your time is booked")
    page.get_by_role("link", name="See the appointment").click()
    expect(page.locator("main")).to_contain_text("Waiting for confirmation")


def test_keyboard_alone_books(clinic: Server, desk: Desk) -> None:
    page = desk("patient")
    day = workday(clinic, 5)
    page.goto(f"/book/time?service={clinic.people['service']}&doctor={clinic.people['doctor']}&from={day}")
    page.locator(f"section[aria-labelledby='slot-{day}'] .slot input").first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    page.wait_for_url("**/book/check/**")
    page.get_by_label("A note for the doctor").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/booked")


def test_booked_page_is_reached_by_clicking_too(clinic: Server, desk: Desk) -> None:
    page = desk("patient")
    assert book(page, clinic, workday(clinic, 7))
