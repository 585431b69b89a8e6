"""What the matrix needs of sharing and privacy: one of each thing, about `patient`, and what is sent about it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from polyclinic.consent import actions as sharing
from polyclinic.consent.models import EmergencyAccess
from polyclinic.core import clock
from polyclinic.privacy import actions
from polyclinic.privacy.models import LegalHold, Restriction
from polyclinic.records import links
from tests.house import House

BORN = {"born_day": "17", "born_month": "5", "born_year": "1980"}


def parts(house: House) -> dict[str, str]:
    """A consent to another hospital, an invitation, a break-glass that is over, and a request; each changes no cell."""
    patient = house.person(house.patient)
    consent = sharing.grant(
        actor=patient, patient_id=house.patient.pk, facility_id=house.elsewhere.pk, purpose="treatment",
        categories=["all"],
    )  # fmt: skip
    asked, _code = sharing.propose(
        actor=patient, patient_id=house.patient.pk, email="aunt@example.org", kind="carer", rights="view"
    )
    over = EmergencyAccess.objects.create(
        patient=house.patient, account=house.other_doctor.account, facility=house.facility, reason="Unconscious",
        state="closed", opened_at=clock.now() - timedelta(hours=2), ends_at=clock.now() - timedelta(hours=1),
    )  # fmt: skip
    request = actions.request(
        actor=patient, patient_id=house.patient.pk, facility_id=house.facility.pk, kind="restriction", words="No bills"
    )
    held = LegalHold.objects.create(
        patient=house.other_patient, facility=house.facility, reason="A lawsuit", placed_by="test"
    )
    # Of a patient who is a stranger here, and agreed to by this hospital.
    restricted = Restriction.objects.create(
        patient=house.stranger_patient, facility=house.facility, agreed_by=house.person(house.manager).label
    )
    link = links.make(actor=patient, patient_id=house.patient.pk, minutes=60)
    return {
        "link_id": str(link.pk),
        "link_code": links.code_of(link.pk),
        "restriction_id": str(restricted.pk),
        "restrictionId": str(restricted.pk),
        "legal_hold_id": str(held.pk),
        "consent_id": str(consent.pk),
        "consentId": str(consent.pk),
        "delegation_id": str(asked.pk),
        "delegationId": str(asked.pk),
        "access_id": str(over.pk),
        "request_id": str(request.pk),
        "requestId": str(request.pk),
        "patientId": str(house.patient.pk),
        "form": "json",
    }


def forms(house: House) -> dict[str, dict[str, str]]:
    """What a form on a page sends."""
    share = {"grantee": f"facility:{house.facility.pk}", "purpose": "treatment", "categories": "all"}
    return {
        "POST /my/sharing": share,
        "POST /my/sharing/links": {"minutes": "15"},
        "POST /my/people/invite": {"email": "uncle@example.org", "kind": "carer", "rights": "book"},
        "POST /my/people/accept": {"code": "ABCDE-FGHJK"},
        "POST /my/people/<str:delegation_id>/renew": {"until": "2099-01-01"},
        "POST /my/privacy": {"kind": "access", "facility": str(house.facility.pk)},
        "POST /records": {"mrn": house.patient.mrn, **BORN},
        "POST /records/break-glass": {"mrn": house.patient.mrn, "reason": "Found unconscious", **BORN},
        "POST /records/carers": {
            "mrn": house.patient.mrn, "email": "bento@example.org", "kind": "carer", "rights": "view", **BORN
        },
        "POST /privacy/openings/<str:access_id>": {"outcome": "justified"},
        "POST /privacy/requests/<str:request_id>": {"step": "take"},
        # Too few to be released: what a whole answer leaves is in tests/privacy.
        "POST /privacy/research": {
            "facility": str(house.facility.pk), "from": "2026-01-01", "to": "2026-02-01", "k": "5", "purpose": "Waits",
            "approval": "Board 17",
        },
        "POST /privacy/retention/<str:patient_id>/erase": {
            "sure": str(house.patient.pk), "facility": str(house.facility.pk)
        },
        "POST /privacy/retention/holds": {
            "facility": str(house.facility.pk), "mrn": house.patient.mrn, "reason": "A lawsuit"
        },
    }  # fmt: skip


def bodies(house: House) -> dict[str, Callable[[], dict[str, Any]]]:
    """What a program sends."""
    who = {"mrn": house.patient.mrn, "born": "1980-05-17"}
    return {
        "POST /api/consents": lambda: {
            "facilityId": house.facility.pk, "purpose": "treatment", "categories": ["all"]
        },
        "POST /api/delegations": lambda: {"email": "uncle@example.org", "kind": "carer", "rights": "book"},
        "POST /api/delegations/accept": lambda: {"code": "ABCDE-FGHJK"},
        "POST /api/records/look-up": lambda: who,
        "POST /api/break-glass": lambda: {**who, "reason": "Found unconscious"},
        "POST /api/privacy-requests": lambda: {"kind": "access", "facilityId": house.facility.pk},
        "PUT /api/privacy-requests/<requestId>/status": lambda: {"step": "take"},
    }  # fmt: skip
