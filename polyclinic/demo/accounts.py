"""The accounts anyone may try the demo hospital with. Shown on the sign-in page in demo mode, and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# Public on purpose: it opens invented people only, and only where the demo was loaded.
PASSWORD: Final = "a-calm-day-at-the-clinic"  # noqa: S105


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """One way in: which role it shows, and what to type."""

    key: str
    role: str | Promise
    email: str
    name: str
    password: str = field(default=PASSWORD, repr=False)


ACCOUNTS: Final[tuple[DemoAccount, ...]] = (
    DemoAccount("patient", _("Patient"), "patient@demo.example", "Meera Pillai"),
    DemoAccount("doctor", _("Doctor"), "doctor@demo.example", "Dr Anil Rao"),
    DemoAccount("doctor2", _("Second doctor"), "doctor2@demo.example", "Dr Grace Okafor"),
    DemoAccount("receptionist", _("Receptionist"), "reception@demo.example", "Asha Verma"),
    DemoAccount("manager", _("Manager"), "manager@demo.example", "Bo Lindqvist"),
    DemoAccount("admin", _("Administrator"), "admin@demo.example", "Ines Moreau"),
    DemoAccount("nurse", _("Nurse"), "nurse@demo.example", "Tom Becker"),
    DemoAccount("checker_doctor", _("Checking doctor"), "checker@demo.example", "Dr Pavel Marek"),
    DemoAccount("main_doctor", _("Head doctor"), "head@demo.example", "Dr Lucia Ferrari"),
    DemoAccount("lab_technician", _("Laboratory technician"), "lab@demo.example", "Yuki Tanaka"),
    DemoAccount("pharmacist", _("Pharmacist"), "pharmacy@demo.example", "Omar Haddad"),
    DemoAccount("ambulance_crew", _("Ambulance crew"), "ambulance@demo.example", "Nora Nilsen"),
    DemoAccount("privacy_officer", _("Privacy officer"), "privacy@demo.example", "Petra Novak"),
    DemoAccount("auditor", _("Auditor"), "auditor@demo.example", "Samuel Osei"),
)
# Those who hold the role of their name at the home facility.
STAFF: Final = (
    "receptionist", "manager", "admin", "nurse", "checker_doctor", "main_doctor", "lab_technician", "pharmacist",
    "ambulance_crew", "privacy_officer", "auditor",
)  # fmt: skip


def account(key: str) -> DemoAccount:
    """The demo account of this key; KeyError for one that does not exist."""
    return {entry.key: entry for entry in ACCOUNTS}[key]
