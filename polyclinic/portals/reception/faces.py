"""The photo that stands in a patient's banner: the desk's own, else the one that the patient chose."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest

from polyclinic.core.errors import NotFound
from polyclinic.files import portraits, selectors
from polyclinic.portals.common import viewer_of


def photo_of(request: HttpRequest, patient_id: UUID, facility_id: UUID) -> str | None:
    """What follows /files/ in the picture's address, or None when there is none that this person may see."""
    viewer = viewer_of(request)
    try:
        if (found := portraits.of(viewer, patient_id, facility_id)) is not None:
            return f"portraits/{found}"
        chosen = selectors.photo_of_patient(viewer, patient_id)
    except NotFound:
        return None
    return str(chosen) if chosen else None
