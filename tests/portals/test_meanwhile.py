"""One form in two windows: whoever saves second is told (409), overwrites nothing, and finds what they typed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client

from polyclinic.consent import actions as sharing
from polyclinic.consent.models import EmergencyAccess
from polyclinic.core import clock
from polyclinic.core.models import AuditEntry
from polyclinic.facilities import invitations, roles
from polyclinic.facilities.models import CustomRole, Membership
from polyclinic.factors.models import Passkey
from polyclinic.privacy import actions as privacy
from polyclinic.privacy.models import LegalHold, Restriction
from polyclinic.scheduling.models import Appointment
from polyclinic.web import stepup
from tests.house import House
from tests.portals.conftest import form, send

Browser = Callable[[Any], Client]
MEANWHILE = "changed meanwhile"


@dataclass(frozen=True)
class Window:
    """Where a form stands: who opens it, the page, and the part of its address that names the form."""

    who: Any
    page: str
    action: str
    # What the first window sends where it is another form of the same thing; None: the same one.
    other: tuple[str, str] | None = None


@dataclass(frozen=True)
class Case:
    """Two windows: what is sent from each, what must still be readable after the second, and what it says."""

    make: Callable[[House], Window]
    first: dict[str, Any] = field(default_factory=dict)
    second: dict[str, Any] = field(default_factory=dict)
    kept: str = ""
    says: str = MEANWHILE


def own_role(house: House) -> CustomRole:
    admin = house.person(house.staff["admin"])
    return roles.define(actor=admin, facility_id=house.facility.pk, name="Desk lead", permissions=["staff.list"])


def role_form(house: House) -> Window:
    return Window(house.staff["admin"], f"/admin/roles/{own_role(house).pk}", "")


def role_retired(house: House) -> Window:
    address = f"/admin/roles/{own_role(house).pk}"
    return Window(house.staff["admin"], address, f"{address}/retire", (address, ""))


def deed(name: str) -> Callable[[House], Window]:
    """One of the things done to an account, after it was closed in the other window."""

    def make(house: House) -> Window:
        address = f"/admin/people/{house.receptionist.pk}/do"
        return Window(house.staff["admin"], f"{address}/{name}", "", (f"{address}/deactivate", ""))

    return make


def role_given(house: House) -> Window:
    return Window(house.staff["admin"], f"/admin/people/{house.receptionist.pk}/give", "")


def role_ended(house: House) -> Window:
    held = Membership.objects.get(account=house.receptionist)
    return Window(house.staff["admin"], f"/admin/people/{house.receptionist.pk}/end/{held.pk}", "")


def invitation(verb: str) -> Callable[[House], Window]:
    def make(house: House) -> Window:
        made = invitations.invite(
            actor=house.person(house.staff["admin"]), facility_id=house.facility.pk, email="new@example.org",
            name="New Nurse", role="nurse",
        )  # fmt: skip
        page, address = "/admin/invitations", f"/admin/invitations/{made.pk}"
        return Window(house.staff["admin"], page, f"{address}/{verb}", (page, f"{address}/resend"))

    return make


def consent(house: House) -> Window:
    made = sharing.grant(
        actor=house.person(house.patient), patient_id=house.patient.pk, facility_id=house.elsewhere.pk,
        purpose="treatment", categories=["all"],
    )  # fmt: skip
    return Window(house.patient, "/my/sharing", f"/my/sharing/{made.pk}/withdraw")


def delegation(verb: str) -> Callable[[House], Window]:
    def make(house: House) -> Window:
        assert house.other_patient.account is not None
        made, code = sharing.propose(
            actor=house.person(house.patient), patient_id=house.patient.pk, email=house.other_patient.account.email,
            kind="carer", rights="view", ends_at=clock.now() + timedelta(days=30),
        )  # fmt: skip
        sharing.accept(actor=house.person(house.other_patient), code=code)
        address = f"/my/people/{made.pk}"
        return Window(house.patient, "/my/people", f"{address}/{verb}", ("/my/people", f"{address}/renew"))

    return make


def restriction(where: str) -> Callable[[House], Window]:
    """The patient's own page, or that of the privacy officer."""

    def make(house: House) -> Window:
        row = Restriction.objects.create(patient=house.patient, facility=house.facility, agreed_by="test")
        mine = where == "my"
        who: Any = house.patient if mine else house.staff["privacy_officer"]
        page = "/my/privacy" if mine else "/privacy"
        return Window(who, page, f"{page}/restrictions/{row.pk}/lift")

    return make


def asked(house: House) -> Any:
    seen_long_ago(house)
    return privacy.request(
        actor=house.person(house.patient), patient_id=house.patient.pk, facility_id=house.facility.pk, kind="access"
    )


def request_cancelled(house: House) -> Window:
    address = f"/my/privacy/{asked(house).pk}"
    return Window(house.patient, address, f"{address}/cancel")


def request_answered(house: House) -> Window:
    address = f"/privacy/requests/{asked(house).pk}"
    return Window(house.staff["privacy_officer"], address, address)


def opening(house: House) -> Window:
    began = clock.now() - timedelta(hours=2)
    row = EmergencyAccess.objects.create(
        patient=house.patient, account=house.other_doctor.account, facility=house.facility, reason="Unconscious",
        opened_at=began, ends_at=began + timedelta(hours=1), state="open", confirmed=2,
    )  # fmt: skip
    return Window(house.staff["privacy_officer"], f"/privacy/openings/{row.pk}", f"/privacy/openings/{row.pk}")


def seen_long_ago(house: House) -> None:
    starts = clock.now() - timedelta(days=365 * 12)
    Appointment.objects.create(
        patient=house.patient, doctor=house.doctor, facility=house.facility, schedule=house.schedule,
        state="completed", starts=starts, ends=starts + timedelta(minutes=20), reason="", booked_by="test",
        booked_at=starts,
    )  # fmt: skip


def hold_lifted(house: House) -> Window:
    row = LegalHold.objects.create(patient=house.patient, facility=house.facility, reason="A lawsuit", placed_by="x")
    return Window(house.staff["privacy_officer"], "/privacy/retention", f"/privacy/retention/holds/{row.pk}/lift")


def hold_placed(house: House) -> Window:
    seen_long_ago(house)
    return Window(house.staff["privacy_officer"], "/privacy/retention", "/privacy/retention/holds")


def erased(house: House) -> Window:
    seen_long_ago(house)
    address = f"/privacy/retention/{house.patient.pk}/erase"
    return Window(house.staff["privacy_officer"], "/privacy/retention", address)


def factor(verb: str) -> Callable[[House], Window]:
    def make(house: House) -> Window:
        made = Passkey.objects.create(account=house.doctor.account, name="Key", credential_id="AAAA", public_key="AA")
        address = f"/account/security/passkey/{made.pk}"
        return Window(house.doctor, address, address + verb, (address, address))

    return make


def language(house: House) -> Window:
    return Window(house.patient, "/account", "/account/language")


DAY = (clock.now() + timedelta(days=90)).date().isoformat()
LATER = (clock.now() + timedelta(days=120)).date().isoformat()
CASES = {
    "own role": Case(role_form, {"name": "Desk chief", "permissions": ["staff.list"]},
                     {"name": "Desk captain", "permissions": ["staff.list"]}, "Desk captain"),
    "own role taken out of use": Case(role_retired, {"name": "Desk chief", "permissions": ["staff.list"]}),
    "account closed": Case(deed("deactivate"), {"reason": "Left"}, {"reason": "Lost the badge"}, "Lost the badge"),
    "password reset": Case(deed("reset-password"), {"reason": "Left"}),
    "signed out": Case(deed("sign-out"), {"reason": "Left"}),
    "role given": Case(role_given, {"role": "nurse"}, {"role": "pharmacist"}, ':pharmacist" selected'),
    "role ended": Case(role_ended, {"reason": "Moved on"}, {"reason": "Was on leave"}, "Was on leave"),
    "invitation sent again": Case(invitation("resend")),
    "invitation taken back": Case(invitation("revoke")),
    "consent": Case(consent),
    "carer ended": Case(delegation("end"), {"until": DAY}),
    "carer prolonged": Case(delegation("renew"), {"until": DAY}, {"until": LATER}, LATER),
    "restriction, by the patient": Case(restriction("my")),
    "restriction, by the officer": Case(restriction("officer")),
    "request taken back": Case(request_cancelled),
    "request answered": Case(request_answered, {"step": "answer", "answer": "Here it is"},
                             {"step": "refuse", "answer": "You have it already"}, "You have it already"),
    "break-glass judged": Case(opening, {"outcome": "justified", "note": "Seen"},
                               {"outcome": "unjustified", "note": "No need for it"}, "No need for it"),
    "hold lifted": Case(hold_lifted),
    "hold placed": Case(hold_placed, {"mrn": "MRN0000001", "reason": "A lawsuit"},
                        {"mrn": "MRN0000001", "reason": "Another lawsuit"}, "Another lawsuit", "under a hold already"),
    "record erased": Case(erased, {"sure": ""}, {"sure": ""}, says="This record is not due"),
    "factor named": Case(factor(""), {"name": "Blue key"}, {"name": "Old key"}, "Old key"),
    "factor removed": Case(factor("/remove"), {"name": "Blue key"}),
    "language": Case(language, {"language": ""}, {"language": "en"}, 'value="en" selected'),
}  # fmt: skip


def filled(house: House, given: dict[str, Any]) -> dict[str, Any]:
    """What a case sends, with the ids of this house."""
    found = dict(given)
    if "role" in found:
        found["role"] = f"{house.facility.pk}:{found['role']}"
    if "sure" in found:
        found |= {"sure": str(house.patient.pk)}
    if "mrn" in found:
        found |= {"facility": str(house.facility.pk)}
    return found


def changes() -> int:
    """What is in the audit beside readings."""
    return AuditEntry.objects.exclude(action__endswith=".read").exclude(action__endswith=".list").count()


@pytest.mark.parametrize("name", sorted(CASES))
def test_the_second_window_is_told_and_keeps_what_was_typed(house: House, browser_of: Browser, name: str) -> None:
    case = CASES[name]
    window = case.make(house)
    client = browser_of(window.who)
    stepup.mark(client.cookies["polyclinic_session"].value, 2)
    page, action = window.other or (window.page, window.action)
    one, two = client.get(page), client.get(window.page)
    assert (one.status_code, two.status_code) == (200, 200)
    # Without it nothing could tell the second window from the first; where there is none, another rule refuses.
    assert ("version" in form(two, window.action)["fields"]) is (case.says == MEANWHILE)
    saved = send(client, one, action, **filled(house, case.first))
    assert saved.status_code == 303, saved.content.decode()
    written = changes()
    late = send(client, two, window.action, **filled(house, case.second))
    said = unescape(late.content.decode())
    assert late.status_code == 409, (late.status_code, said)
    assert case.says in said
    assert case.kept in said
    # Nothing was done: no change is in the audit that was not there before.
    assert changes() == written


def test_a_form_sent_again_after_the_warning_holds(house: House, browser_of: Browser) -> None:
    """The page that warns carries the present version: who still wants it sends it again."""
    window = role_form(house)
    client = browser_of(window.who)
    stepup.mark(client.cookies["polyclinic_session"].value, 2)
    one, two = client.get(window.page), client.get(window.page)
    send(client, one, "", name="Desk chief", permissions="staff.list")
    late = send(client, two, "", name="Desk captain", permissions="staff.invite")
    assert late.status_code == 409
    assert "Saved now: Desk chief" in unescape(late.content.decode())
    assert send(client, late, "", name="Desk captain", permissions="staff.list").status_code == 303
    assert CustomRole.objects.get().name == "Desk captain"
