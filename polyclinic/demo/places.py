"""The demo's facilities, what they offer and who works there, as plain tables. `load` turns them into rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import time
from typing import Final

HOME: Final = "riverside-clinic"
"""Where the demo accounts work."""


@dataclass(frozen=True, slots=True)
class Place:
    """One facility with its booking rules and departments (slug, name)."""

    slug: str
    name: str
    address: str
    city: str
    phone: str
    emergency_phone: str
    time_zone: str
    departments: tuple[tuple[str, str], ...]
    slot_minutes: int = 20
    buffer_minutes: int = 0
    notice_hours: int = 24
    lead_minutes: int = 0


PLACES: Final[tuple[Place, ...]] = (
    Place(
        HOME, "Riverside Clinic", "14 Mill Lane", "Riverside", "555-0100", "555-0111", "Europe/London",
        (("general-practice", "General practice"), ("cardiology", "Cardiology"), ("dermatology", "Dermatology")),
    ),
    Place(
        "northgate-city-hospital", "Northgate City Hospital", "1 Northgate Square", "Northgate", "555-0200",
        "555-0222", "Europe/Berlin",
        (("orthopaedics", "Orthopaedics"), ("neurology", "Neurology"), ("gynaecology", "Women’s health")),
        slot_minutes=30, buffer_minutes=5, notice_hours=48, lead_minutes=60,
    ),
    Place(
        "harbour-childrens-clinic", "Harbour Children’s Clinic", "7 Lighthouse Road", "Harbour", "555-0300",
        "555-0333", "Asia/Kolkata",
        (("paediatrics", "Paediatrics"), ("ear-nose-throat", "Ear, nose and throat")),
        slot_minutes=15, buffer_minutes=0, notice_hours=12, lead_minutes=30,
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Offer:
    """One service. `minutes` None means the facility's own slot length."""

    slug: str
    name: str
    specialty: str
    minutes: int | None
    about: str


OFFERS: Final[tuple[Offer, ...]] = (
    Offer("gp-consultation", "Consultation", "general-practice", None, "Any new or lasting complaint."),
    Offer("health-check", "Health check", "general-practice", 40, "Blood pressure, weight, blood tests and advice."),
    Offer("heart-consultation", "Heart consultation", "cardiology", None, "Chest pain, palpitations, blood pressure."),
    Offer("heart-ultrasound", "Heart ultrasound", "cardiology", 40, "Pictures of the heart at work; painless."),
    Offer("skin-consultation", "Skin consultation", "dermatology", None, "Rashes, acne, eczema, nails and hair."),
    Offer("mole-check", "Mole check", "dermatology", None, "All moles looked at through a dermatoscope."),
    Offer("joint-consultation", "Joint and bone consultation", "orthopaedics", None, "Painful, stiff joints or back."),
    Offer("fracture-review", "Fracture review", "orthopaedics", None, "How a break is healing."),
    Offer("nerve-consultation", "Neurology consultation", "neurology", None, "Headache, dizziness, numbness, memory."),
    Offer("nerve-conduction", "Nerve conduction study", "neurology", 60, "How fast nerves carry a signal."),
    Offer("womens-health", "Women’s health consultation", "gynaecology", None, "Periods, contraception."),
    Offer("antenatal", "Antenatal visit", "gynaecology", None, "A visit during pregnancy."),
    Offer("child-consultation", "Child consultation", "paediatrics", None, "A child who is unwell or grows slowly."),
    Offer("vaccination", "Vaccination", "paediatrics", None, "Vaccines by the national calendar."),
    Offer("ent-consultation", "Ear, nose and throat consultation", "ear-nose-throat", None, "Hearing, sinus, voice."),
    Offer("hearing-test", "Hearing test", "ear-nose-throat", 45, "A quiet room and headphones; no preparation."),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Hours:
    """Weekly hours: weekdays (Monday 0) with a stretch of work and perhaps a break within it."""

    weekdays: tuple[int, ...]
    starts: time
    ends: time
    pause: tuple[time, time] | None = None


_LUNCH = (time(12), time(13))
_LATE_LUNCH = (time(13), time(13, 30))

PATTERNS: Final[dict[str, tuple[Hours, ...]]] = {
    "full": (Hours((0, 1, 2, 3, 4), time(9), time(17), _LUNCH),),
    "early": (Hours((0, 1, 2, 3, 4), time(7, 30), time(14), (time(10, 30), time(11))),),
    "long-days": (Hours((0, 1, 3), time(8), time(18), _LATE_LUNCH), Hours((5,), time(9), time(13))),
    "mornings": (Hours((0, 1, 2, 3, 4), time(8), time(12)), Hours((5,), time(8), time(11))),
    "afternoons": (Hours((0, 1, 2, 3, 4), time(13), time(19), (time(16), time(16, 30))),),
    "four-days": (Hours((0, 1, 2, 4), time(8, 30), time(16, 30), _LUNCH),),
    "evenings": (Hours((1, 3), time(14), time(20), (time(17), time(17, 30))), Hours((4,), time(9), time(15), _LUNCH)),
    "weekend": (Hours((3, 4), time(9), time(17), _LUNCH), Hours((5, 6), time(9), time(14))),
    "mon-to-wed": (Hours((0, 1, 2), time(9), time(17), _LUNCH),),
    "thursdays": (Hours((3,), time(10), time(16), _LUNCH),),
    "fridays": (Hours((4,), time(9), time(15), _LUNCH),),
}


@dataclass(frozen=True, slots=True)
class Physician:
    """A doctor: names, where and when they work, and the demo account they use, if one."""

    given: str
    family: str
    specialty: str
    place: str
    pattern: str
    languages: str = "en"
    account: str = ""
    title: str = "Dr"
    elsewhere: tuple[str, str] | None = field(default=None)
    slot_minutes: int | None = None


_NORTH, _HARBOUR = PLACES[1].slug, PLACES[2].slug


def _team(specialty: str, place: str, *rows: tuple[str, ...]) -> tuple[Physician, ...]:
    """Rows of given name, family name, pattern, languages."""
    return tuple(Physician(row[0], row[1], specialty, place, row[2], row[3]) for row in rows)


PHYSICIANS: Final[tuple[Physician, ...]] = (
    Physician("Anil", "Rao", "cardiology", HOME, "full", "en, hi, kn", account="doctor"),
    Physician("Grace", "Okafor", "general-practice", HOME, "full", "en, ig", account="doctor2"),
    Physician(
        "Ingrid", "Solheim", "cardiology", HOME, "mon-to-wed", "en, no", title="Prof", elsewhere=(_NORTH, "thursdays")
    ),
    Physician("Tomasz", "Zieliński", "dermatology", HOME, "mon-to-wed", "en, pl", elsewhere=(_NORTH, "fridays")),
    Physician("Leila", "Haddad", "neurology", _NORTH, "mon-to-wed", "en, ar, fr", elsewhere=(HOME, "thursdays")),
    Physician("Marco", "Bellini", "orthopaedics", _NORTH, "mon-to-wed", "en, it", elsewhere=(HOME, "fridays")),
    Physician("Hannah", "Abrams", "general-practice", HOME, "long-days", "en, he", slot_minutes=15),
    *_team(
        "general-practice", HOME,
        ("Callum", "Fraser", "early", "en, gd"), ("Mei", "Tanaka", "four-days", "en, ja"),
        ("Samuel", "Mensah", "evenings", "en, tw"), ("Rosa", "Delgado", "weekend", "en, es"),
    ),
    *_team(
        "cardiology", HOME, ("Viktor", "Horváth", "four-days", "en, hu"), ("Nadia", "Petrova", "mornings", "en, ru"),
    ),
    *_team(
        "dermatology", HOME, ("Elif", "Yıldız", "afternoons", "en, tr"), ("Owen", "Griffiths", "full", "en, cy"),
        ("Sofia", "Lindholm", "weekend", "en, sv"),
    ),
    *_team(
        "orthopaedics", _NORTH, ("Jürgen", "Brandt", "full", "de, en"), ("Katarína", "Nováková", "early", "sk, de, en"),
        ("Dmitri", "Volkov", "long-days", "ru, de"), ("Aisha", "Bello", "four-days", "en, ha"),
        ("Pieter", "van Dijk", "afternoons", "nl, de, en"),
    ),
    *_team(
        "neurology", _NORTH, ("Clara", "Hoffmann", "full", "de, en"), ("Farid", "Karimi", "evenings", "fa, de"),
        ("Beatriz", "Carvalho", "four-days", "pt, de, en"),
    ),
    *_team(
        "gynaecology", _NORTH, ("Anneliese", "Vogel", "full", "de, en"), ("Zeynep", "Arslan", "early", "tr, de"),
        ("Ruth", "Feldman", "mornings", "de, en, he"), ("Ifeoma", "Nwosu", "weekend", "en, ig, de"),
        ("Camille", "Rousseau", "long-days", "fr, de, en"),
    ),
    *_team(
        "paediatrics", _HARBOUR,
        ("Kavitha", "Subramaniam", "full", "en, ta"), ("Rohit", "Deshpande", "early", "en, mr, hi"),
        ("Fatima", "Sheikh", "long-days", "en, ur, hi"), ("Thomas", "Kurian", "mornings", "en, ml"),
        ("Nandita", "Bose", "afternoons", "en, bn"), ("Arvind", "Joshi", "weekend", "en, gu, hi"),
        ("Lhamo", "Dorji", "four-days", "en, dz"), ("Jaspreet", "Gill", "full", "en, pa, hi"),
    ),
    *_team(
        "ear-nose-throat", _HARBOUR,
        ("Sunil", "Fernandes", "full", "en, kok"), ("Geetha", "Ramesh", "evenings", "en, te"),
        ("Imran", "Qureshi", "weekend", "en, ur"),
    ),
)  # fmt: skip

# Who takes a visit through its stages at the facilities without demo accounts, in the order of `ROLES`.
ROLES: Final = ("receptionist", "nurse", "checker_doctor", "main_doctor", "lab_technician", "pharmacist")
COLLEAGUES: Final = (
    ("Sabine Krüger", "Matteo Ricci", "Dr Ewa Lis", "Dr Henrik Dahl", "Paulina Zając", "Björn Petersen"),
    ("Divya Menon", "Lobsang Tenzin", "Dr Farah Ansari", "Dr George Mathew", "Rekha Pillai", "Suresh Naik"),
)
# Where people are called to: the counter's name and its queue.
COUNTERS: Final = (
    ("Desk 1", "desk"), ("Desk 2", "desk"), ("Check 1", "check"), ("Check 2", "check"), ("Blood draw", "lab"),
    ("Room 1", "doctor"), ("Room 2", "doctor"), ("Room 3", "doctor"), ("Room 4", "doctor"),
    ("Medicines", "pharmacy"),
)  # fmt: skip

REASONS: Final[dict[str, tuple[str, ...]]] = {
    "general-practice": ("Cough for two weeks", "Blood pressure check", "Tiredness", "Travel advice", "Follow-up"),
    "cardiology": (
        "Chest check-up",
        "Palpitations",
        "Blood pressure follow-up",
        "Review after ECG",
        "Shortness of breath",
    ),
    "dermatology": ("Itchy rash", "Mole that changed", "Acne follow-up", "Eczema review", "Nail problem"),
    "orthopaedics": ("Knee pain", "Shoulder stiffness", "Follow-up after cast", "Back pain", "Hip check"),
    "neurology": ("Frequent headaches", "Numb fingers", "Dizziness", "Migraine follow-up", "Memory check"),
    "gynaecology": ("Yearly check", "Contraception advice", "Antenatal visit", "Follow-up", "Irregular periods"),
    "paediatrics": ("Fever since yesterday", "Vaccination", "Growth check", "Ear pain", "Asthma follow-up"),
    "ear-nose-throat": ("Blocked ear", "Hearing check", "Sore throat that stays", "Sinus follow-up", "Hoarse voice"),
}
