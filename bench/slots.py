"""How long slot search takes: one doctor over 30 days, 200 doctors over 7, with 10,000 and with 100,000 appointments.

`python bench/slots.py` builds a database of its own in a temporary folder (or uses DATABASE_URL, which must be empty),
prints a table and writes bench/results/slots.json. Milliseconds of one process, caches warm, on this machine.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
import time as timer
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Instead of this folder, whose `http` would hide the library's.
sys.path[0] = str(ROOT)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "polyclinic.settings")
os.environ.setdefault("SECRET_KEY", "bench-only")
os.environ.setdefault("POLYCLINIC_DATA", tempfile.mkdtemp(prefix="polyclinic-bench-"))

import django  # noqa: E402 - after the settings above

django.setup(set_prefix=False)

from django.core.management import call_command  # noqa: E402 - after setup
from django.db import connection, transaction  # noqa: E402

from polyclinic.core import clock  # noqa: E402
from polyclinic.core.actors import Anonymous  # noqa: E402
from polyclinic.core.ids import new_id  # noqa: E402
from polyclinic.facilities.models import Facility  # noqa: E402
from polyclinic.people.models import Account, Doctor, Patient  # noqa: E402
from polyclinic.scheduling import selectors  # noqa: E402
from polyclinic.scheduling.models import Appointment, Reservation, Schedule, WeeklyHours  # noqa: E402

DOCTORS, SIZES, ROUNDS = 200, (10_000, 100_000), {"one doctor, 30 days": 300, "200 doctors, 7 days": 60}
TARGETS = {"one doctor, 30 days": 10.0, "200 doctors, 7 days": 50.0}
PER_DAY = 12  # appointments of a doctor a day; the rest of the 24 slots is free


def build() -> list[Schedule]:
    """200 doctors of one hospital, Monday to Sunday 09:00–17:00 in slots of 20 minutes."""
    place = Facility.objects.create(slug="bench", name="Bench", time_zone="Europe/Berlin")
    made = []
    for number in range(DOCTORS):
        account = Account.objects.create(email=f"d{number}@example.org", name="D")
        who = Doctor.objects.create(
            account=account, family_name="D", given_name=str(number), specialty="general-practice"
        )
        made.append(Schedule.objects.create(doctor=who, facility=place))
    WeeklyHours.objects.bulk_create(
        WeeklyHours(schedule=one, weekday=day, starts=time(9), ends=time(17)) for one in made for day in range(7)
    )
    return made


def grow(schedules: list[Schedule], patient: Patient, start: int, total: int) -> None:
    """Fill days one after another, from tomorrow on, until there are `total` appointments."""
    first = datetime.combine(clock.now().date() + timedelta(days=1), time(8), UTC)
    rows, taken = [], []
    for number in range(start, total):
        nth, one = divmod(number, DOCTORS)
        day, place = divmod(nth, PER_DAY)
        begins = first + timedelta(days=day, minutes=40 * place)
        row = Appointment(
            id=new_id(), patient=patient, doctor_id=schedules[one].doctor_id, facility_id=schedules[one].facility_id,
            schedule=schedules[one], state="booked", starts=begins, ends=begins + timedelta(minutes=20),
            booked_by="bench",
        )  # fmt: skip
        rows.append(row)
        taken.append(
            Reservation(
                resource_id=row.doctor_id, kind="doctor", starts=row.starts, ends=row.ends, appointment_id=row.pk
            )
        )
    with transaction.atomic():
        Appointment.objects.bulk_create(rows, batch_size=500)
        Reservation.objects.bulk_create(taken, batch_size=500)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def measure(what: Callable[[], list[selectors.Slot]], rounds: int) -> dict[str, float]:
    """p50 and p95 in milliseconds, p95 of the processor time alone (a busy neighbour hardly touches that), and how many
    slots were found."""
    for _warm in range(3):
        found = what()
    times, worked = [], []
    for _round in range(rounds):
        begun, processor = timer.perf_counter(), timer.process_time()
        what()
        times.append((timer.perf_counter() - begun) * 1000)
        worked.append((timer.process_time() - processor) * 1000)
    times.sort()
    worked.sort()
    return {
        "p50": round(times[len(times) // 2], 2),
        "p95": round(times[int(len(times) * 0.95)], 2),
        "processorP95": round(worked[int(len(worked) * 0.95)], 2),
        "slots": len(found),
    }


def main() -> None:
    call_command("migrate", interactive=False, verbosity=0)
    schedules = build()
    patient = Patient.objects.create(mrn="B1", family_name="B", given_name="B", born=date(1980, 1, 1), sex="female")
    day, viewer = clock.now().date() + timedelta(days=1), Anonymous()
    searches: dict[str, Callable[[], list[selectors.Slot]]] = {
        "one doctor, 30 days": lambda: selectors.free_slots(
            viewer, doctor_id=schedules[0].doctor_id, first_day=day, days=30
        ),
        "200 doctors, 7 days": lambda: selectors.free_slots(viewer, first_day=day, days=7),
    }
    results, before = [], 0
    print(f"{'search':24}{'appointments':>14}{'slots':>8}{'p50 ms':>10}{'p95 ms':>10}{'cpu p95':>10}{'target':>10}")
    for size in SIZES:
        grow(schedules, patient, before, size)
        before = size
        for name, what in searches.items():
            row = measure(what, ROUNDS[name])
            results.append({"search": name, "appointments": size, "targetP95": TARGETS[name], **row})
            print(
                f"{name:24}{size:>14,}{row['slots']:>8}{row['p50']:>10}{row['p95']:>10}{row['processorP95']:>10}{TARGETS[name]:>10}"
            )
    told = {
        "database": connection.vendor, "python": platform.python_version(), "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1), "unit": "milliseconds", "results": results,
    }  # fmt: skip
    target = ROOT / "bench" / "results" / "slots.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
