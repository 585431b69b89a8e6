"""Who may do what: the one table. A right that is not written here does not exist.

A row reads "a person with this role may do this, when this relation holds between them and the thing". `docs/generated/
access.md` is made from it, and `tests/matrix` drives every endpoint with every role against it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """Roles as granted. Patients and doctors hold theirs everywhere, the others at a facility."""

    PATIENT = "patient"
    DOCTOR = "doctor"
    CHECKER_DOCTOR = "checker_doctor"
    MAIN_DOCTOR = "main_doctor"
    NURSE = "nurse"
    LAB_TECHNICIAN = "lab_technician"
    PHARMACIST = "pharmacist"
    RECEPTIONIST = "receptionist"
    AMBULANCE_CREW = "ambulance_crew"
    MANAGER = "manager"
    ADMIN = "admin"
    PRIVACY_OFFICER = "privacy_officer"
    AUDITOR = "auditor"


# Roles that a membership gives; a patient and a doctor are what their own rows make them.
HELD_AT_FACILITY: Final = frozenset(Role) - {Role.PATIENT, Role.DOCTOR}


class Relation(StrEnum):
    """What must hold between the person and the thing for a row to apply."""

    ANY = "any"
    OWN = "own"  # the thing is about this patient
    TREATING = "treating"  # the thing belongs to this doctor
    FACILITY = "same facility"  # the role is held at the thing's facility
    CONSENTED = "consented"  # the patient shares with a facility at which the role is held
    DELEGATED = "delegated"  # the thing is about a patient whom this person acts for, as parent or carer
    BOOKING_FOR = "delegated to book"  # the same, and the patient lets this person book and change appointments too
    REPRESENTED = "represented"  # the same, as the patient's parent or legal guardian, who decides for them
    EMERGENCY = "break-glass"  # this person has opened this patient's record in an emergency, and it has not run out


@dataclass(frozen=True, slots=True)
class Rule:
    permission: str
    role: Role
    relation: Relation


def _rows(permission: str, **relations: Relation | tuple[Relation, ...]) -> tuple[Rule, ...]:
    return tuple(
        Rule(permission, Role[role.upper()], relation)
        for role, held in relations.items()
        for relation in (held if isinstance(held, tuple) else (held,))
    )


_OWN, _TREATING, _FACILITY, _ANY = Relation.OWN, Relation.TREATING, Relation.FACILITY, Relation.ANY
# A parent or carer does for the patient what the patient could do; a carer need not be a patient here themselves.
_SELF = (Relation.OWN, Relation.DELEGATED)
# Booking is a right of its own that the patient may leave out.
_BOOKER = (Relation.OWN, Relation.BOOKING_FOR)
# What one decides about one's record, a parent or guardian decides for a child; a carer does not.
_DECIDER = (Relation.OWN, Relation.REPRESENTED)
# Who treats reaches a record beyond their own work by the patient's consent, or by break-glass until it runs out.
_DOCTOR = (Relation.TREATING, Relation.CONSENTED, Relation.EMERGENCY)
_CLINICAL = (Relation.FACILITY, Relation.CONSENTED, Relation.EMERGENCY)
# Whose work is charged to a patient.
_CHARGERS = dict.fromkeys(("nurse", "checker_doctor", "main_doctor", "lab_technician", "pharmacist"), Relation.FACILITY)
_WARD = {"nurse": _CLINICAL, "checker_doctor": _CLINICAL, "main_doctor": _CLINICAL}

RULES: Final[tuple[Rule, ...]] = (
    *_rows("appointment.view", patient=_SELF, doctor=_DOCTOR, receptionist=_FACILITY, manager=_FACILITY, **_WARD),
    *_rows("appointment.hold", patient=_BOOKER, doctor=_TREATING, receptionist=_FACILITY),
    # Who diagnoses books the follow-up.
    *_rows("appointment.book", patient=_BOOKER, doctor=_TREATING, receptionist=_FACILITY, main_doctor=_FACILITY),
    # A second patient into one doctor's time: for those who answer for the wait.
    *_rows("appointment.overbook", doctor=_TREATING, main_doctor=_FACILITY),
    *_rows("appointment.reschedule", patient=_BOOKER, doctor=_TREATING, receptionist=_FACILITY),
    # A manager who closes a doctor's hours may cancel whom it concerns.
    *_rows("appointment.cancel", patient=_BOOKER, doctor=_TREATING, receptionist=_FACILITY, manager=_FACILITY),
    # That one comes the patient says, or who books for them; it changes nothing that the house decided.
    *_rows("appointment.answer", patient=_BOOKER),
    *_rows("appointment.confirm", doctor=_TREATING, receptionist=_FACILITY),
    *_rows("appointment.decline", doctor=_TREATING),
    *_rows("appointment.check_in", doctor=_TREATING, receptionist=_FACILITY, nurse=_FACILITY),
    *_rows("appointment.complete", doctor=_TREATING),
    *_rows("appointment.no_show", doctor=_TREATING, receptionist=_FACILITY),
    # Late changes: within the notice period only staff may still cancel or move.
    *_rows("appointment.override_notice", doctor=_TREATING, receptionist=_FACILITY, manager=_FACILITY),
    # Who they are. What of it each role is shown is the table of `core.access.fields`.
    *_rows(
        "patient.view", patient=_SELF, doctor=_DOCTOR, receptionist=_FACILITY, lab_technician=_FACILITY,
        pharmacist=_FACILITY, ambulance_crew=_FACILITY, **_WARD,
    ),
    *_rows(
        "patient.list", doctor=_TREATING, receptionist=_FACILITY, nurse=_FACILITY, checker_doctor=_FACILITY,
        main_doctor=_FACILITY, lab_technician=_FACILITY, pharmacist=_FACILITY,
    ),
    # What is written down during a visit. Whoever gives a medicine or drives to a patient must know of allergies.
    *_rows("vitals.view", patient=_DECIDER, doctor=_DOCTOR, ambulance_crew=_FACILITY, **_WARD),
    *_rows(
        "allergy.view", patient=_DECIDER, doctor=_DOCTOR, pharmacist=_FACILITY, lab_technician=_FACILITY,
        ambulance_crew=_FACILITY, **_WARD,
    ),
    *_rows("condition.view", patient=_DECIDER, doctor=_DOCTOR, pharmacist=_FACILITY, **_WARD),
    *_rows("note.view", doctor=_DOCTOR, **_WARD),
    *_rows("vitals.record", doctor=_TREATING, nurse=_FACILITY, checker_doctor=_FACILITY, main_doctor=_FACILITY),
    *_rows("allergy.edit", doctor=_TREATING, nurse=_FACILITY, checker_doctor=_FACILITY, main_doctor=_FACILITY),
    *_rows("condition.edit", doctor=_TREATING, main_doctor=_FACILITY),
    *_rows("note.write", doctor=_TREATING, nurse=_FACILITY, checker_doctor=_FACILITY, main_doctor=_FACILITY),
    # Fields that need a right of their own (`core.access.fields` says which).
    *_rows(
        "patient.read_born", patient=_SELF, doctor=_DOCTOR, receptionist=_FACILITY, lab_technician=_FACILITY,
        pharmacist=_FACILITY, ambulance_crew=_FACILITY, **_WARD,
    ),
    *_rows(
        "patient.read_contact", patient=_SELF, doctor=_DOCTOR, receptionist=_FACILITY, ambulance_crew=_FACILITY,
        **_WARD,
    ),
    *_rows("appointment.read_reason", patient=_SELF, doctor=_DOCTOR, receptionist=_FACILITY, **_WARD),
    # A visit, from the front desk to the pharmacy: who takes which step (`visits.states`).
    *_rows(
        "visit.view", patient=_SELF, doctor=_DOCTOR, receptionist=_FACILITY, lab_technician=_FACILITY,
        pharmacist=_FACILITY, **_WARD,
    ),
    *_rows("visit.read_complaint", patient=_SELF, doctor=_DOCTOR, receptionist=_FACILITY, **_WARD),
    *_rows("visit.register", receptionist=_FACILITY, nurse=_FACILITY),
    *_rows("visit.pay", receptionist=_FACILITY),
    *_rows("visit.check", checker_doctor=_FACILITY, nurse=_FACILITY),
    *_rows("visit.order_lab", checker_doctor=_FACILITY, main_doctor=_FACILITY, doctor=_TREATING),
    *_rows("visit.order_more", main_doctor=_FACILITY, doctor=_TREATING),
    *_rows("visit.results", lab_technician=_FACILITY),
    *_rows("visit.diagnose", main_doctor=_FACILITY, doctor=_TREATING),
    *_rows("visit.dispense", pharmacist=_FACILITY),
    *_rows(
        "visit.leave", receptionist=_FACILITY, nurse=_FACILITY, checker_doctor=_FACILITY, main_doctor=_FACILITY,
        doctor=_TREATING,
    ),
    *_rows("visit.cancel", receptionist=_FACILITY, manager=_FACILITY),
    *_rows(
        "visit.queue", receptionist=_FACILITY, nurse=_FACILITY, checker_doctor=_FACILITY, main_doctor=_FACILITY,
        lab_technician=_FACILITY, pharmacist=_FACILITY, doctor=_TREATING,
    ),
    # Counters and hall screens are set up by those who run the house or the desk.
    *_rows("visit.arrange", receptionist=_FACILITY, manager=_FACILITY),
    # The laboratory. What is verified those who treat see; what is released, the patient too.
    *_rows("lab.view", doctor=_DOCTOR, lab_technician=_FACILITY, **_WARD),
    *_rows("lab.released", patient=_SELF),
    *_rows("lab.order", checker_doctor=_FACILITY, main_doctor=_FACILITY, doctor=_TREATING),
    *_rows("lab.expect", checker_doctor=_FACILITY, main_doctor=_FACILITY, doctor=_TREATING, lab_technician=_FACILITY),
    *_rows(
        "lab.collect", lab_technician=_FACILITY, nurse=_FACILITY, checker_doctor=_FACILITY, main_doctor=_FACILITY,
    ),
    *_rows("lab.work", lab_technician=_FACILITY),
    # What is usual here decides what is flagged: a doctor answers for it.
    *_rows("lab.set_range", main_doctor=_FACILITY),
    *_rows("lab.verify", lab_technician=_FACILITY, main_doctor=_FACILITY),
    *_rows("lab.amend", lab_technician=_FACILITY),
    *_rows("lab.release", lab_technician=_FACILITY, main_doctor=_FACILITY, doctor=_TREATING),
    *_rows("lab.release_sensitive", main_doctor=_FACILITY, doctor=_TREATING),
    *_rows(
        "lab.cancel", lab_technician=_FACILITY, checker_doctor=_FACILITY, main_doctor=_FACILITY, doctor=_TREATING,
    ),
    # An order is finished by its last test, whoever settles that one.
    *_rows(
        "lab.finish", lab_technician=_FACILITY, checker_doctor=_FACILITY, main_doctor=_FACILITY, doctor=_TREATING,
    ),
    *_rows(
        "lab.acknowledge", doctor=_TREATING, nurse=_FACILITY, checker_doctor=_FACILITY, main_doctor=_FACILITY,
    ),
    # The ladder climbs by itself; the laboratory may call the next person sooner.
    *_rows("lab.escalate", lab_technician=_FACILITY),
    # Prescriptions. Who signs is who diagnoses; the pharmacy gives, and only what is signed.
    *_rows("prescription.view", patient=_DECIDER, doctor=_DOCTOR, pharmacist=_FACILITY, **_WARD),
    *_rows("prescription.sign", main_doctor=_FACILITY, doctor=_TREATING),
    *_rows("prescription.cancel", main_doctor=_FACILITY, doctor=_TREATING),
    # Asking for one to be given again; whoever may sign agrees or declines.
    *_rows("refill.request", patient=_DECIDER),
    *_rows("prescription.dispense", pharmacist=_FACILITY),
    # Whoever may count controlled medicines out together with the pharmacist.
    *_rows(
        "prescription.witness", pharmacist=_FACILITY, nurse=_FACILITY, checker_doctor=_FACILITY, main_doctor=_FACILITY,
    ),
    # The pharmacy's shelves. What is there a head doctor sees as well, before they prescribe it.
    *_rows("stock.view", pharmacist=_FACILITY, manager=_FACILITY, main_doctor=_FACILITY),
    *_rows("stock.receive", pharmacist=_FACILITY, manager=_FACILITY),
    *_rows("stock.adjust", pharmacist=_FACILITY, manager=_FACILITY),
    *_rows("stock.transfer", pharmacist=_FACILITY, manager=_FACILITY),
    *_rows("stock.count", pharmacist=_FACILITY, manager=_FACILITY),
    # They run out by themselves; the pharmacy sees it first.
    *_rows("prescription.expire", pharmacist=_FACILITY),
    # Ambulances. Whoever answers the telephone or runs the house sends them; the crew says how far it is.
    *_rows(
        "ambulance.view", patient=_SELF, receptionist=_FACILITY, nurse=_FACILITY, manager=_FACILITY,
        ambulance_crew=_FACILITY, checker_doctor=_FACILITY, main_doctor=_FACILITY,
    ),
    *_rows("ambulance.request", patient=_SELF, receptionist=_FACILITY, nurse=_FACILITY, manager=_FACILITY),
    *_rows("ambulance.dispatch", receptionist=_FACILITY, nurse=_FACILITY, manager=_FACILITY),
    *_rows("ambulance.cancel", patient=_SELF, receptionist=_FACILITY, nurse=_FACILITY, manager=_FACILITY),
    *_rows("ambulance.drive", ambulance_crew=_FACILITY),
    # What the crew says by radio the dispatcher writes down.
    *_rows(
        "ambulance.step", ambulance_crew=_FACILITY, receptionist=_FACILITY, nurse=_FACILITY, manager=_FACILITY,
    ),
    # Whoever drives a vehicle knows first that it cannot be driven.
    *_rows("ambulance.withdraw", manager=_FACILITY, ambulance_crew=_FACILITY),
    *_rows("ambulance.manage", manager=_FACILITY),
    # Papers. Whoever may see a thing may print it: what that is, the right to the thing says (`papers.sources`).
    *_rows(
        "paper.print", patient=_SELF, doctor=_DOCTOR, receptionist=_FACILITY, lab_technician=_FACILITY,
        pharmacist=_FACILITY, manager=_FACILITY, **_WARD,
    ),
    # Sick notes and referrals: written by who may diagnose.
    *_rows("letter.view", patient=_DECIDER, doctor=_DOCTOR, **_WARD),
    *_rows("letter.issue", main_doctor=_FACILITY, doctor=_TREATING),
    *_rows("letter.revoke", main_doctor=_FACILITY, doctor=_TREATING),
    # Beds. How many are free and which is whose are two rights: who runs the house plans with the first alone.
    *_rows(
        "bed.view", nurse=_FACILITY, checker_doctor=_FACILITY, main_doctor=_FACILITY, receptionist=_FACILITY,
        manager=_FACILITY,
    ),
    *_rows("bed.clean", nurse=_FACILITY, manager=_FACILITY),
    *_rows("bed.block", nurse=_FACILITY, manager=_FACILITY),
    *_rows("bed.arrange", manager=_FACILITY),
    *_rows("stay.view", patient=_SELF, doctor=_DOCTOR, receptionist=_FACILITY, **_WARD),
    *_rows(
        "stay.request", nurse=_FACILITY, checker_doctor=_FACILITY, main_doctor=_FACILITY, receptionist=_FACILITY,
        doctor=_TREATING,
    ),
    *_rows(
        "stay.reserve", nurse=_FACILITY, checker_doctor=_FACILITY, main_doctor=_FACILITY, receptionist=_FACILITY,
    ),
    *_rows(
        "stay.cancel", nurse=_FACILITY, checker_doctor=_FACILITY, main_doctor=_FACILITY, receptionist=_FACILITY,
    ),
    # Into a bed, into another one and out of it: by those who stand beside it.
    *_rows("stay.admit", nurse=_FACILITY, main_doctor=_FACILITY),
    *_rows("stay.transfer", nurse=_FACILITY, main_doctor=_FACILITY),
    *_rows("stay.depart", nurse=_FACILITY, main_doctor=_FACILITY),
    *_rows("stay.plan", nurse=_FACILITY, main_doctor=_FACILITY, doctor=_TREATING),
    # That somebody may leave a doctor says.
    *_rows("stay.discharge", main_doctor=_FACILITY, doctor=_TREATING),
    # Beside the bed. A doctor orders what a nurse gives; who answers for the patient writes what they leave with.
    *_rows("medication.view", doctor=_DOCTOR, **_WARD),
    *_rows("medication.order", main_doctor=_FACILITY, doctor=_TREATING),
    *_rows("medication.give", nurse=_FACILITY, main_doctor=_FACILITY),
    *_rows("handover.view", doctor=_DOCTOR, **_WARD),
    *_rows("handover.sign", nurse=_FACILITY),
    *_rows("summary.view", patient=_DECIDER, doctor=_DOCTOR, **_WARD),
    *_rows("summary.write", main_doctor=_FACILITY, doctor=_TREATING),
    *_rows("patient.merge", receptionist=_FACILITY),
    *_rows("patient.edit", patient=_DECIDER, receptionist=_FACILITY),
    *_rows(
        "schedule.view", doctor=_TREATING, receptionist=_FACILITY, manager=_FACILITY, nurse=_FACILITY,
        checker_doctor=_FACILITY, main_doctor=_FACILITY,
    ),
    *_rows("schedule.edit", doctor=_TREATING, manager=_FACILITY),
    # An invitation to a doctor is answered by that doctor; leave is asked for by them and granted by the house.
    *_rows("invitation.view", doctor=_TREATING, manager=_FACILITY, admin=_FACILITY),
    *_rows("invitation.answer", doctor=_TREATING),
    *_rows("leave.view", doctor=_TREATING, manager=_FACILITY),
    *_rows("leave.ask", doctor=_TREATING),
    *_rows("leave.decide", manager=_FACILITY),
    *_rows("rota.view", manager=_FACILITY, admin=_FACILITY),
    *_rows("facility.stats", receptionist=_FACILITY, manager=_FACILITY, admin=_FACILITY, main_doctor=_FACILITY),
    # What a house did over weeks and years, down to each doctor; a doctor sees their own, beside a median.
    *_rows("analytics.view", manager=_FACILITY, admin=_FACILITY),
    *_rows("analytics.own", doctor=_TREATING),
    # What is set for the house. Changing hours may leave patients without their time: for whoever may decide for them.
    *_rows("setting.view", manager=_FACILITY, admin=_FACILITY),
    *_rows("setting.edit", manager=_FACILITY, admin=_FACILITY),
    *_rows("hours.edit", manager=_FACILITY),
    *_rows("service.edit", manager=_FACILITY),
    # Signing oneself up needs no right: it is the one write open to someone not signed in, and makes only oneself.
    *_rows("patient.register", receptionist=_ANY),
    # A new account can do nothing until a role is granted, and that is a right held at a facility.
    *_rows("account.create", admin=_ANY),
    *_rows("account.deactivate", admin=_FACILITY),
    *_rows("membership.grant", manager=_FACILITY, admin=_FACILITY),
    *_rows("staff.list", manager=_FACILITY, admin=_FACILITY),
    *_rows("staff.invite", manager=_FACILITY, admin=_FACILITY),
    *_rows("staff.edit", admin=_FACILITY),
    *_rows("staff.reset_password", admin=_FACILITY),
    *_rows("role.define", manager=_FACILITY, admin=_FACILITY),
    *_rows("person.view_as", admin=_FACILITY),
    *_rows("key.manage", admin=_FACILITY),
    # Where another system is told of what happens here.
    *_rows("webhook.manage", admin=_FACILITY),
    # How the installation is, and its settings without secrets: of no patient and no one place.
    *_rows("system.view", admin=_FACILITY),
    # Sending or letting go what the installation could not deliver.
    *_rows("system.repair", admin=_FACILITY),
    # A patient's own decisions about who sees their record, and the way around them in an emergency.
    *_rows("consent.edit", patient=_DECIDER),
    # Who acts for a patient is for that patient to say; a carer does not pass it on.
    *_rows("delegation.edit", patient=_OWN),
    *_rows("delegation.appoint", receptionist=_FACILITY),
    # Whoever has the code and the address it was made for; the guard asks for both.
    *_rows("delegation.accept", **{role.value: _ANY for role in Role}),
    *_rows("delegation.end", patient=_SELF, receptionist=_FACILITY),
    # To look for a record by two identifiers is no right to see it.
    *_rows(
        "record.look_up", doctor=_ANY, nurse=_ANY, checker_doctor=_ANY, main_doctor=_ANY, ambulance_crew=_ANY,
        receptionist=_ANY,
    ),
    *_rows("record.break_glass", doctor=_ANY, nurse=_ANY, checker_doctor=_ANY, main_doctor=_ANY),
    *_rows(
        "record.view_emergency", doctor=Relation.EMERGENCY, nurse=Relation.EMERGENCY,
        checker_doctor=Relation.EMERGENCY, main_doctor=Relation.EMERGENCY,
    ),
    *_rows("breakglass.review", privacy_officer=_FACILITY),
    *_rows("privacy.request", patient=_DECIDER),
    *_rows("privacy.answer", privacy_officer=_FACILITY),
    *_rows("patient.shred", privacy_officer=_FACILITY),
    # One's own alone (`files.rules`), whatever one is here.
    *_rows("photo.edit", **{role.value: _ANY for role in Role}),
    # A photo taken at the desk, by which staff tell one patient from another.
    *_rows("portrait.edit", receptionist=_FACILITY, nurse=_FACILITY),
    # Who opened the record is for the patient to know, and for whoever acts for them.
    *_rows("record.accesses", patient=_SELF),
    *_rows("audit.search", privacy_officer=_FACILITY, auditor=_FACILITY),
    *_rows("audit.export", privacy_officer=_FACILITY, auditor=_FACILITY),
    *_rows("research.export", privacy_officer=_FACILITY),
    # Lists from other systems. What a list holds one must be allowed to write by hand as well.
    *_rows("import.run", manager=_FACILITY),
    *_rows("export.run", manager=_FACILITY),
    # Money. What is done for a patient is charged by who does it; what makes it less is a manager's to allow.
    *_rows(
        "invoice.view", patient=_SELF, receptionist=_FACILITY, pharmacist=_FACILITY, manager=_FACILITY,
        # Whoever may let a fee go has to see which.
        main_doctor=_FACILITY,
    ),
    *_rows("invoice.charge", receptionist=_FACILITY, manager=_FACILITY, **_CHARGERS),
    # An invoice is settled when nothing is owed: it follows from any of the steps, whoever took it.
    *_rows("invoice.settle", patient=_SELF, receptionist=_FACILITY, manager=_FACILITY, **_CHARGERS),
    *_rows("invoice.discount", manager=_FACILITY),
    *_rows("invoice.write_off", manager=_FACILITY),
    *_rows("invoice.void", manager=_FACILITY),
    *_rows("fee.waive", main_doctor=_FACILITY, manager=_FACILITY),
    *_rows("payment.take", receptionist=_FACILITY, pharmacist=_FACILITY),
    *_rows("payment.pay_online", patient=_SELF),
    *_rows("payment.settle", patient=_SELF, receptionist=_FACILITY, pharmacist=_FACILITY),
    *_rows("payment.refund", receptionist=_FACILITY, manager=_FACILITY),
    *_rows("till.use", receptionist=_FACILITY, pharmacist=_FACILITY, manager=_FACILITY),
    *_rows("till.view", manager=_FACILITY),
    *_rows("price.view", receptionist=_FACILITY, manager=_FACILITY, **_CHARGERS),
    *_rows("price.edit", manager=_FACILITY),
    *_rows("revenue.view", manager=_FACILITY),
)  # fmt: skip

# Rights over a record that its patient has had restricted (GDPR 18): whoever works at the place, or treated them, has
# none of these there while no care goes on (`policy.ask_restricted`). Who they are, how they are reached, the times of
# their appointments and what is owed stay open: without them nobody would know whom the restriction is about, and
# claims are the law's own exception.
CLOSED_WHEN_RESTRICTED: Final = frozenset(
    rule.permission
    for rule in RULES
    if rule.permission.partition(".")[0]
    in {
        "vitals",
        "allergy",
        "condition",
        "note",
        "lab",
        "prescription",
        "medication",
        "handover",
        "summary",
    }
) | {"appointment.read_reason", "visit.view", "visit.read_complaint", "paper.print", "stay.view"}

# The role that a membership names when its rights are those of a facility's own role (`facilities.CustomRole`).
CUSTOM: Final = "custom"
# Rights with which one could make oneself or others more powerful: no role of a facility's own may have them.
POWERS: Final = frozenset({"membership.grant", "role.define", "person.view_as", "key.manage", "webhook.manage"})
# Which roles the holder of a role may give and take. Nobody changes their own.
MAY_GRANT: Final[dict[Role, frozenset[Role]]] = {
    Role.ADMIN: HELD_AT_FACILITY,
    # Who runs the house staffs it, but does not choose those who watch over it.
    Role.MANAGER: HELD_AT_FACILITY - {Role.ADMIN, Role.PRIVACY_OFFICER, Role.AUDITOR},
}


def at_facility(*permissions: str) -> frozenset[str]:
    """Those of `permissions` (or of all) held at a facility and no power: what custom roles are made of."""
    held = frozenset(rule.permission for rule in RULES if rule.relation == Relation.FACILITY) - POWERS
    return held & frozenset(permissions) if permissions else held


# Jobs of ours and all they may do.
SYSTEM: Final[dict[str, frozenset[str]]] = {
    "demo": frozenset(rule.permission for rule in RULES),
    # A settled invoice moves its visit on, whoever paid it and however; a visit's step moves its place in the queue.
    # Nor does anybody owe a fee whom nobody has seen.
    "cash-desk": frozenset(
        {"visit.pay", "invoice.charge", "invoice.view", "invoice.settle", "invoice.void", "fee.waive"}
    ),
    "visit-queue": frozenset({"visit.queue"}),
    # What follows from the last verified result, and calling the next person for a critical one.
    "laboratory": frozenset({"visit.view", "visit.results", "invoice.charge", "invoice.settle"}),
    # Reads what a paper says, to compare it with what the records say by now, and the advice meant for the patient.
    "papers": frozenset(
        {
            "invoice.view",
            "lab.view",
            "lab.released",
            "visit.view",
            "visit.read_complaint",
            "vitals.view",
            "allergy.view",
            "condition.view",
            "letter.view",
            "note.view",
            "patient.read_born",
            "prescription.view",
        }
    ),
    "critical-ladder": frozenset({"lab.escalate"}),
    # Shows a patient's key history to whoever holds the link that the patient has made.
    "emergency-link": frozenset({"allergy.view"}),
    # Somebody without an account, who asks for an ambulance on the emergency page and may say that none is needed.
    "emergency-call": frozenset({"ambulance.request", "ambulance.cancel"}),
    # What follows from handing over, where who does it has no right to charge or to end a visit.
    "pharmacy": frozenset({"visit.view", "visit.dispense", "invoice.charge", "invoice.settle", "invoice.view"}),
    # Checks and brings in lists for whoever uploaded them, whose own rights each row needs.
    "importer": frozenset({"import.run"}),
    # Switches off what takes nothing any more.
    "webhooks": frozenset({"webhook.manage"}),
    "prescription-sweeper": frozenset({"prescription.expire"}),
    # The link of a reminder: whoever reads the patient's mail. No right to pass over the house's notice.
    "reminder-link": frozenset({"appointment.view", "appointment.answer", "appointment.cancel"}),
    "hold-sweeper": frozenset({"appointment.hold"}),
    # Says what a bank has told us of a payment or a refund.
    "payments": frozenset({"invoice.settle", "payment.settle", "payment.refund"}),
    # Ends delegations and emergency openings whose time is over, so that screens and history say so.
    "access-sweeper": frozenset({"delegation.end", "record.break_glass"}),
    # What ends with a record that is erased: nobody is left to share it, to be acted for or to answer.
    "eraser": frozenset({"consent.edit", "delegation.end", "privacy.answer"}),
    # Whoever has a shell on the server: the first accounts of an installation come from here.
    "operator": frozenset(
        {
            "account.create",
            "account.deactivate",
            "membership.grant",
            "patient.register",
            "patient.shred",
            "research.export",
            # Somebody who lost every second factor, recovery codes too, and has shown who they are in person.
            "staff.reset_password",
        }
    ),
    # Takes up an invitation that somebody with the right to has sent, and lets old ones lapse.
    "invitation": frozenset({"staff.invite", "account.create", "membership.grant"}),
}
