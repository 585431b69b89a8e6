"""Two thousand people: who they are, drawn so that ages and names look like a town's."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from polyclinic.demo import names
from polyclinic.demo.seed import Seeded
from polyclinic.people.models import Patient

SIZE: Final = 2_000

# Share of each five-year band, from 0–4 to 95–99: wide in the middle, thin at the top.
_PYRAMID: Final = (58, 60, 58, 55, 58, 64, 68, 70, 68, 64, 62, 62, 60, 54, 46, 38, 28, 16, 7, 2)
_SEX: Final = {"female": 505, "male": 485, "other": 6, "unknown": 4}
_DAYS_PER_YEAR: Final = 365.2425


def draw_patient(seeded: Seeded, number: int, today: date, mrn: str) -> Patient:
    """One patient, not saved. `number` is only their place in the draw; `mrn` their record number."""
    rng = seeded.rng
    band = rng.choices(range(len(_PYRAMID)), _PYRAMID)[0]
    age_days = int((band * 5 + rng.random() * 5) * _DAYS_PER_YEAR)
    age_days = max(age_days, 120)
    born = today - timedelta(days=age_days)
    sex = rng.choices(list(_SEX), list(_SEX.values()))[0]
    # Women live longer: among the oldest, half of the men drawn are women after all.
    if band >= 16 and sex == "male" and rng.random() < 0.5:
        sex = "female"
    family, given = names.draw(rng, sex)
    # Nobody is on file before they were born, and nobody since longer than six years.
    on_file_days = rng.randint(100, min(age_days, 6 * 365))
    return Patient(
        id=seeded.new_id(),
        mrn=mrn,
        family_name=family,
        given_name=given,
        born=born,
        sex=sex,
        phone=f"555-{1000 + number:04d}" if rng.random() < 0.9 else "",
        created_at=datetime.combine(today, time(8), UTC) - timedelta(days=on_file_days, minutes=rng.randint(0, 600)),
    )


def age(patient: Patient, today: date) -> int:
    """Completed years."""
    return today.year - patient.born.year - ((today.month, today.day) < (patient.born.month, patient.born.day))


def suits(specialty: str, patient: Patient, today: date) -> bool:
    """Whether a patient of this age and sex would be sent to this specialty."""
    years = age(patient, today)
    match specialty:
        case "paediatrics":
            return years < 18
        case "gynaecology":
            return patient.sex == "female" and years >= 15
        case "ear-nose-throat":
            return True
        case _:
            return years >= 16
