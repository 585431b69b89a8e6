"""What the audit's short names mean to a person."""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as translate
from django.utils.translation import gettext_lazy as _

# The ways in which something was done.
VIAS: Final = (
    ("web", _("Pages")), ("api", _("API")), ("live", _("Live connection")), ("job", _("By itself")),
    ("cli", _("Command")),
)  # fmt: skip
# What a patient reads. An action that is not here is said by its kind.
ACTIONS: Final[dict[str, str | Promise]] = {
    "access_log.read": _("Looked at this list"),
    "appointment.list": _("Saw appointments"),
    "appointment.read": _("Opened an appointment"),
    "appointment.book": _("Booked an appointment"),
    "appointment.confirm": _("Confirmed an appointment"),
    "appointment.decline": _("Declined an appointment"),
    "appointment.cancel": _("Cancelled an appointment"),
    "appointment.reschedule": _("Moved an appointment"),
    "appointment.check_in": _("Checked in an arrival"),
    "appointment.complete": _("Completed an appointment"),
    "appointment.no_show": _("Noted that nobody came"),
    "appointment.outside_hours": _("Changed the hours around an appointment"),
    "audit.list": _("Looked at the record of accesses"),
    "consent.give": _("Gave consent"),
    "consent.withdraw": _("Withdrew consent"),
    "hold.make": _("Kept a time"),
    "hold.extend": _("Kept a time longer"),
    "hold.replace": _("Chose another time"),
    "hold.release": _("Gave a time back"),
    "hold.expire": _("A time that was kept ran out"),
    "patient.list": _("Saw a list of patients"),
    "patient.read": _("Opened the personal details"),
    "patient.register": _("Made the record"),
    "merge.merge": _("Merged two records of one person"),
    "merge.undo": _("Undid the merging of two records"),
    # The record of a visit, and the laboratory.
    "chart.read": _("Opened what was written down in a visit"),
    "chart.list": _("Saw the scores of a list of visits"),
    "allergies.read": _("Opened the allergies"),
    "vitals.record": _("Wrote down vital signs"),
    "vitals.withdraw": _("Marked vital signs as entered in error"),
    "allergy.record": _("Wrote down an allergy"),
    "allergy.withdraw": _("Removed an allergy"),
    "allergy.none_known": _("Noted that no allergies are known"),
    "condition.record": _("Wrote down a diagnosis"),
    "condition.withdraw": _("Withdrew a diagnosis"),
    "note.save": _("Saved a part of a note"),
    "draft.begin": _("Began a draft of a note"),
    "lab_order.order": _("Ordered laboratory tests"),
    "lab_order.read": _("Opened laboratory results"),
    "lab_order.list": _("Saw a list of laboratory orders"),
    "lab_result.list": _("Saw released laboratory results"),
    "specimen.collect": _("Took a specimen"),
    "specimen.receive": _("Received a specimen"),
    "specimen.reject": _("Rejected a specimen"),
    "ordered_test.enter": _("Entered a laboratory result"),
    "ordered_test.verify": _("Verified a laboratory result"),
    "ordered_test.release": _("Released a laboratory result"),
    "ordered_test.amend": _("Corrected a laboratory result"),
    "ordered_test.cancel": _("Cancelled a laboratory test"),
    "lab_range.set": _("Set a reference range"),
    "lab_range.end": _("Ended a reference range"),
    "portrait.keep": _("Took the patient's photo at the desk"),
    "portrait.remove": _("Removed the patient's photo"),
    "portrait.read": _("Looked at the patient's photo"),
    "result_file.keep": _("Added a file to a result"),
    "result_file.withdraw": _("Withdrew a file of a result"),
    "result_file.read": _("Opened a file of a result"),
    # Wards and beds.
    "bed_stay.request": _("Asked for a bed"),
    "bed_stay.reserve": _("Reserved a bed"),
    "bed_stay.release": _("Gave a reserved bed back"),
    "bed_stay.admit": _("Admitted to a bed"),
    "bed_stay.transfer": _("Moved to another bed"),
    "bed_stay.plan": _("Set the day of leaving"),
    "bed_stay.order_discharge": _("Ordered a discharge"),
    "bed_stay.withdraw_discharge": _("Withdrew a discharge order"),
    "bed_stay.depart": _("Noted that a patient has left"),
    "bed_stay.leave": _("Noted that a patient has left without an order"),
    "bed_stay.cancel": _("Cancelled a request for a bed"),
    "bed_stay.read": _("Opened a stay"),
    "bed_stay.list": _("Saw a list of stays"),
    "bedside.read": _("Opened what is written beside a bed"),
    "bedside.list": _("Saw a list of a ward"),
    "observation.record": _("Measured vital signs in bed"),
    "observation.withdraw": _("Withdrew vital signs measured in bed"),
    "round_note.save": _("Saved a round note"),
    "medicine_order.order": _("Ordered a medicine in bed"),
    "medicine_order.stop": _("Stopped a medicine in bed"),
    "dose.record": _("Wrote down what became of a dose"),
    "handover.sign": _("Signed a handover"),
    "handover.read": _("Took over a patient"),
    "discharge_summary.write": _("Wrote a discharge summary"),
    "discharge_summary.sign": _("Signed a discharge summary"),
    "bed.add": _("Added a bed"),
    "bed.reserve": _("Kept a bed"),
    "bed.release": _("Set a kept bed free"),
    "bed.occupy": _("Gave a bed to a patient"),
    "bed.vacate": _("Set a bed to be cleaned"),
    "bed.start_cleaning": _("Began to clean a bed"),
    "bed.finish_cleaning": _("Finished cleaning a bed"),
    "bed.block": _("Blocked a bed"),
    "bed.unblock": _("Unblocked a bed"),
    "bed.unblock_unclean": _("Unblocked a bed that is to be cleaned"),
    "bed.retire": _("Took a bed out"),
    "ward.add": _("Added a ward"),
    "ward.end": _("Ended a ward"),
    # The pharmacy.
    "prescription.sign": _("Signed a prescription"),
    "prescription.read": _("Opened a prescription"),
    "prescription.list": _("Saw a list of prescriptions"),
    "prescription.dispense": _("Handed out all of a prescription"),
    "prescription.dispense_part": _("Handed out a part of a prescription"),
    "prescription.decline": _("Noted that medicines were not wanted"),
    "prescription.cancel": _("Cancelled a prescription"),
    "prescription.expire": _("A prescription ran out"),
    "prescription_draft.begin": _("Began to prepare a prescription"),
    "result.seen": _("Noted that a result was looked at"),
    "condition.list": _("Saw earlier diagnoses"),
    "prescription.identified": _("Asked for two identifiers before handing over, and they fitted"),
    "prescription.misidentified": _("Asked for two identifiers before handing over, and they did not fit"),
    "prescription.witness": _("Counted controlled medicines with the pharmacist"),
    "dispense.hand_over": _("Handed over medicines"),
    "dispense.take_back": _("Took medicines back"),
    "dispense.take_all_back": _("Took all medicines back"),
    "dispense.read": _("Opened what was handed over"),
    "dispense.list": _("Saw a list of what was handed over"),
    "stock.receive": _("Put a delivery on the shelf"),
    "stock.adjust": _("Corrected the stock"),
    "stock.supplier": _("Added a supplier"),
    "stock.reorder_point": _("Set a reorder point"),
    "stock_transfer.send": _("Sent stock to another hospital"),
    "stock_transfer.receive": _("Received stock from another hospital"),
    "stock_transfer.call_back": _("Called sent stock back"),
    # Ambulances.
    "ambulance_trip.request": _("Asked for an ambulance"),
    "ambulance_trip.dispatch": _("Sent an ambulance"),
    "ambulance_trip.reassign": _("Sent another ambulance"),
    "ambulance_trip.acknowledge": _("Accepted a trip"),
    "ambulance_trip.set_off": _("Set off to the patient"),
    "ambulance_trip.arrive": _("Arrived at the patient"),
    "ambulance_trip.load": _("Set off to the hospital"),
    "ambulance_trip.deliver": _("Arrived at the hospital"),
    "ambulance_trip.clear": _("Finished a trip"),
    "ambulance_trip.cancel": _("Cancelled an ambulance"),
    "ambulance_trip.read": _("Opened a trip of an ambulance"),
    "ambulance_trip.list": _("Saw trips of ambulances"),
    "ambulance.add": _("Added an ambulance"),
    "ambulance.withdraw": _("Took an ambulance out of service"),
    "ambulance.restore": _("Put an ambulance back into service"),
    "crew_shift.begin": _("Began a shift in an ambulance"),
    "crew_shift.end": _("Ended a shift in an ambulance"),
    "station.place": _("Said where the ambulances stand"),
    "stock_take.start": _("Began a stock-take"),
    "stock_take.count": _("Counted for a stock-take"),
    "stock_take.post": _("Posted a stock-take"),
    "stock_take.give_up": _("Gave a stock-take up"),
    "critical_alert.raise": _("Called somebody for a critical result"),
    "critical_alert.escalate": _("Called the next for a critical result"),
    "critical_alert.acknowledge": _("Acknowledged a critical result"),
    "critical_alert.read": _("Opened a critical result"),
    "critical_alert.list": _("Saw a list of critical results"),
    # Papers and letters.
    "paper.print": _("Printed a paper"),
    "paper.supersede": _("A paper says no more what the records say"),
    "paper.revoke": _("Withdrew a paper"),
    "paper.list": _("Saw the list of papers"),
    "sick_note.issue": _("Signed a sick note"),
    "sick_note.revoke": _("Withdrew a sick note"),
    "sick_note.read": _("Opened a sick note"),
    "sick_note.list": _("Saw sick notes"),
    "referral.issue": _("Signed a referral"),
    "referral.revoke": _("Withdrew a referral"),
    "referral.read": _("Opened a referral"),
    "referral.list": _("Saw referrals"),
    "letterdraft.begin": _("Began a sick note or referral"),
    "letterdraft.end": _("Discarded or signed a sick note or referral that was begun"),
}
_KINDS: Final[dict[str, str | Promise]] = {
    "read": _("Opened: %(kind)s"),
    "list": _("Saw a list: %(kind)s"),
    "": _("Changed: %(kind)s"),
}
ROLES: Final[dict[str, str | Promise]] = {
    "doctor": _("Doctor"), "checker_doctor": _("Checking doctor"), "main_doctor": _("Main doctor"),
    "nurse": _("Nurse"), "lab_technician": _("Laboratory"), "pharmacist": _("Pharmacy"),
    "receptionist": _("Front desk"), "ambulance_crew": _("Ambulance crew"), "manager": _("Manager"),
    "admin": _("Administrator"), "privacy_officer": _("Privacy officer"), "auditor": _("Auditor"),
    "custom": _("Staff"),
}  # fmt: skip


def action(name: str) -> str:
    """An action as a sentence; one without words of its own by what it was done to."""
    known = ACTIONS.get(name)
    if known is not None:
        return str(known)
    kind, _dot, verb = name.rpartition(".")
    shown = kind.replace("_", " ") or name
    return translate(str(_KINDS.get(verb, _KINDS[""]))) % {"kind": shown}


def role(name: str) -> str:
    return str(ROLES.get(name, ""))


def who(name: str) -> str:
    """An actor's name; a job of ours is not a person."""
    return translate("By itself") if name.startswith("system:") or name == "anonymous" else name
