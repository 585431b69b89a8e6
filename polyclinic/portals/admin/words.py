"""Rights, relations and states in words, in the groups in which a person thinks of them."""

from __future__ import annotations

from typing import Final, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from polyclinic.core.access.rules import RULES, Relation


class Group(NamedTuple):
    """Some rights under a heading."""

    title: Promise
    rights: tuple[tuple[str, Promise | str], ...]


_GROUPS: Final[tuple[Group, ...]] = (
    Group(
        _("Appointments"),
        (
            ("appointment.view", _("See appointments")),
            ("appointment.read_reason", _("Read why a patient comes")),
            ("appointment.hold", _("Keep a time for a moment")),
            ("appointment.book", _("Book")),
            ("appointment.overbook", _("Book an extra patient")),
            ("appointment.reschedule", _("Move")),
            ("appointment.cancel", _("Cancel")),
            ("appointment.confirm", _("Confirm")),
            ("appointment.decline", _("Decline")),
            ("appointment.check_in", _("Check in")),
            ("appointment.complete", _("Complete")),
            ("appointment.no_show", _("Mark as not come")),
            ("appointment.override_notice", _("Change at short notice")),
        ),
    ),
    Group(
        _("Patients"),
        (
            ("patient.view", _("See who a patient is")),
            ("patient.list", _("List patients")),
            ("patient.read_born", _("Read date of birth and record number")),
            ("patient.read_contact", _("Read phone and email")),
            ("patient.edit", _("Change particulars")),
            ("photo.edit", _("Change one's own picture")),
            ("portrait.edit", _("Take a patient's photo at the desk")),
            ("patient.register", _("Register patients")),
            ("patient.merge", _("Merge two records of one person")),
        ),
    ),
    Group(
        _("Visits and queues"),
        (
            ("visit.view", _("See visits and queues")),
            ("visit.read_complaint", _("Read a visit's complaint")),
            ("visit.register", _("Open visits")),
            ("visit.pay", _("Take the fee")),
            ("fee.waive", _("Waive fees")),
            ("visit.check", _("Finish the first check")),
            ("visit.order_lab", _("Order tests")),
            ("visit.order_more", _("Order more tests after the check")),
            ("visit.results", _("Give results back to the doctor")),
            ("visit.diagnose", _("Diagnose")),
            ("visit.dispense", _("End a visit at the pharmacy")),
            ("visit.leave", _("Note that a patient left")),
            ("visit.cancel", _("Cancel visits")),
            ("visit.queue", _("Call, hold and move people in queues")),
            ("visit.arrange", _("Set up counters and hall screens")),
        ),
    ),
    Group(
        _("Ranges of the laboratory"),
        (("lab.set_range", _("Set the laboratory's own reference ranges")),),
    ),
    Group(
        _("Pharmacy"),
        (
            ("prescription.view", _("See prescriptions")),
            ("prescription.sign", _("Sign prescriptions")),
            ("prescription.cancel", _("Cancel prescriptions")),
            ("refill.request", _("Ask for a prescription to be repeated")),
            ("prescription.dispense", _("Hand out what is prescribed")),
            ("prescription.expire", _("Close prescriptions that have run out")),
            ("prescription.witness", _("Count controlled medicines with the pharmacist")),
            ("stock.view", _("See the stock")),
            ("stock.receive", _("Receive deliveries and transfers")),
            ("stock.adjust", _("Correct the stock and set reorder points")),
            ("stock.transfer", _("Send stock to another hospital")),
            ("stock.count", _("Count and post stock-takes")),
        ),
    ),
    Group(
        _("Wards and beds"),
        (
            ("bed.view", _("See beds and how many are free")),
            ("bed.clean", _("Say that a bed is being cleaned or clean")),
            ("bed.block", _("Block and unblock beds")),
            ("bed.arrange", _("Set up wards and beds")),
            ("stay.view", _("See who lies in which bed")),
            ("stay.request", _("Ask for a bed")),
            ("stay.reserve", _("Reserve beds")),
            ("stay.cancel", _("Cancel requests for a bed")),
            ("stay.admit", _("Admit to a bed")),
            ("stay.transfer", _("Move patients to other beds")),
            ("stay.plan", _("Set the day of leaving")),
            ("stay.discharge", _("Order a discharge")),
            ("stay.depart", _("Note that a patient has left")),
            ("medication.view", _("See medicines given in bed")),
            ("medication.order", _("Order medicines in bed")),
            ("medication.give", _("Give medicines in bed")),
            ("handover.view", _("Read handovers")),
            ("handover.sign", _("Hand patients over and take over")),
            ("summary.view", _("Read discharge summaries")),
            ("summary.write", _("Write and sign discharge summaries")),
        ),
    ),
    Group(
        _("Papers"),
        (
            ("paper.print", _("Print what one may see")),
            ("letter.view", _("Read sick notes and referrals")),
            ("letter.issue", _("Sign sick notes and referrals")),
            ("letter.revoke", _("Withdraw sick notes and referrals")),
        ),
    ),
    Group(
        _("Schedules and figures"),
        (
            ("schedule.view", _("See schedules")),
            ("schedule.edit", _("Change schedules")),
            ("rota.view", _("See the house's doctors and their week")),
            ("leave.view", _("See requests for leave")),
            ("leave.decide", _("Decide about leave")),
            ("facility.stats", _("See the day in figures")),
            ("analytics.view", _("See figures of weeks and years")),
        ),
    ),
    Group(
        _("The house"),
        (
            ("setting.view", _("See what is set for the house")),
            ("setting.edit", _("Set the rules of the house")),
            ("hours.edit", _("Set opening hours and holidays")),
            ("service.edit", _("Set on what terms services are given, and the equipment")),
        ),
    ),
    Group(
        _("Lists"),
        (("import.run", _("Import lists")), ("export.run", _("Export lists"))),
    ),
    Group(
        _("Staff"),
        (
            ("staff.list", _("See staff")),
            ("staff.invite", _("Invite staff")),
            ("invitation.view", _("See invitations to doctors")),
            ("staff.edit", _("Sign staff out")),
            ("staff.reset_password", _("Reset passwords")),
            ("account.create", _("Make accounts")),
            ("account.deactivate", _("Close and open accounts")),
            ("membership.grant", _("Give and take roles")),
            ("role.define", _("Make roles")),
            ("person.view_as", _("Look through another's eyes")),
            ("key.manage", _("Manage keys")),
            ("webhook.manage", _("Manage webhooks")),
            ("system.view", _("See how the system is")),
            ("system.repair", _("Send again or discard what could not be delivered")),
        ),
    ),
    Group(
        _("Privacy and audit"),
        (
            ("consent.edit", _("Decide about sharing")),
            ("delegation.edit", _("Let others act")),
            ("delegation.appoint", _("Enter a parent or carer")),
            ("delegation.accept", _("Accept to act for another")),
            ("delegation.end", _("End acting for another")),
            ("record.look_up", _("Look for a record")),
            ("record.break_glass", _("Open a record in an emergency")),
            ("record.accesses", _("Read who opened the record")),
            ("record.view_emergency", _("Read a record opened in an emergency")),
            ("breakglass.review", _("Review emergency openings")),
            ("privacy.request", _("Make privacy requests")),
            ("privacy.answer", _("Answer privacy requests")),
            ("patient.shred", _("Make a record unreadable for ever")),
            ("audit.search", _("Search the audit trail")),
            ("audit.export", _("Export the audit trail")),
            ("research.export", _("Export for research")),
        ),
    ),
)

RELATIONS: Final[dict[Relation, Promise]] = {
    Relation.ANY: _("all"),
    Relation.OWN: _("own"),
    Relation.TREATING: _("treating"),
    Relation.FACILITY: _("here"),
    Relation.CONSENTED: _("shared"),
    Relation.DELEGATED: _("as carer"),
    Relation.BOOKING_FOR: _("as booking carer"),
    Relation.REPRESENTED: _("as guardian"),
    Relation.EMERGENCY: _("emergency"),
}
STATES: Final = {
    "active": (_("Active"), "ok"),
    "closed": (_("Closed"), "bad"),
    "former": (_("No role now"), "warn"),
}
INVITATIONS: Final = {
    "sent": (_("Waiting"), "info"),
    "accepted": (_("Accepted"), "ok"),
    "revoked": (_("Taken back"), ""),
    "expired": (_("Run out"), "warn"),
}


def groups(among: frozenset[str] | None = None) -> list[Group]:
    """The rights by group, all of the table or those `among`. One without words here stands under "Other"."""
    wanted = {rule.permission for rule in RULES} if among is None else set(among)
    found = []
    for group in _GROUPS:
        rights = tuple(right for right in group.rights if right[0] in wanted)
        if rights:
            found.append(Group(group.title, rights))
            wanted -= {name for name, _words in rights}
    if wanted:
        found.append(Group(_("Other"), tuple((name, name) for name in sorted(wanted))))
    return found


def said(rights: tuple[str, ...]) -> str:
    """Rights as one line, each after the heading that tells "book" from "cancel" of what."""
    parts = (
        f"{group.title}: {', '.join(str(words) for _name, words in group.rights)}"
        for group in groups(frozenset(rights))
    )
    return " · ".join(parts)


def relation(name: str) -> str:
    """A relation of the table in a word."""
    found = RELATIONS.get(Relation(name))
    return str(found) if found else name


def right(name: str) -> str:
    """A right in words."""
    return next((str(words) for group in _GROUPS for known, words in group.rights if known == name), name)
