"""What people are told about sharing, acting for others and break-glass: rows of the notices' own table."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _

from polyclinic.notify.kinds import KINDS, Kind

ROWS: Final = {
    "record_shared": Kind(
        _("A patient shares a record with you"),
        _("A patient lets you see parts of their record. Look it up by its two identifiers."),
        "/records",
    ),
    "delegation_proposed": Kind(
        _("Somebody asks you to act for them"),
        _("Somebody asks you to see and book appointments for them. They will give you a code to enter."),
        "/my/people",
    ),
    "delegation_started": Kind(
        _("Somebody can act for a patient now"),
        _("From now on one person may see, and perhaps book, appointments for another. See who on the page of people."),
        "/my/people",
    ),
    "delegation_ended": Kind(
        _("Nobody acts by this any more"),
        _("One person could act for another until now; that has ended. See who on the page of people."),
        "/my/people",
    ),
    "record_opened": Kind(
        _("Your record was opened in an emergency"),
        _(
            "Staff of %(place)s opened your record in an emergency, past their ordinary rights. "
            "A privacy officer will judge it."
        ),
        "/my/sharing",
        alert=True,
    ),
    "review_due": Kind(
        _("A record was opened by break-glass"),
        _("Somebody at %(place)s opened a record in an emergency. Please judge it within 72 hours."),
        "/privacy",
    ),
    "record_reviewed": Kind(
        _("An emergency opening of your record was judged"),
        _("A privacy officer of %(place)s has judged the emergency opening of your record."),
        "/my/sharing",
    ),
    "privacy_request": Kind(
        _("A patient made a privacy request"),
        _("A privacy request came in at %(place)s. It is to be answered within 30 days."),
        "/privacy",
    ),
    "privacy_answer": Kind(
        _("Your privacy request moved on"),
        _("There is news about a privacy request of yours."),
        "/my/privacy",
    ),
}


def register() -> None:
    """Add the rows to the table of notices. Doing it twice changes nothing."""
    KINDS.update(ROWS)
