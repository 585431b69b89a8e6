"""The matrix's world in a running server: one thing of each kind, so that every address with ids can be opened."""

from __future__ import annotations

import json
import re

from tests.matrix.expected import rows
from tests.server import Server

_PART = re.compile(r"<(?:\w+:)?(\w+)>")
_MADE = """
import django
django.setup(set_prefix=False)
import dataclasses, json
from polyclinic.facilities import models as places
from polyclinic.people.models import Account, Doctor, Patient
from polyclinic.scheduling.models import Schedule
from tests.house import House
from tests.matrix.driving import World
told = {people}
kinds = {{
    "facility": places.Facility, "elsewhere": places.Facility, "department": places.Department,
    "service": places.Service, "room": places.Room,
}}
def of(name):
    kind = kinds.get(name) or next((one for end, one in (("doctor", Doctor), ("schedule", Schedule),
        ("patient", Patient)) if name.endswith(end)), Account)
    return kind.objects.get(pk=told[name])
names = [field.name for field in dataclasses.fields(House) if field.name != "staff"]
house = House(**{{name: of(name) for name in names}}, staff={{
    name: Account.objects.get(pk=key) for name, key in told.items() if name not in names
}})
world = World(house)
print(json.dumps({{"parts": world.parts, "queries": world.queries}}))
"""


def addresses(clinic: Server, *beginnings: str) -> dict[str, list[str]]:
    """Every address that begins so and answers somebody's GET, with ids that are there: by who is to open it.

    Found in the matrix, so that a new page cannot be forgotten. Each is opened by the first of its roles alone.
    """
    made = (
        clinic.python("-c", _MADE.format(people={name: key for name, key in clinic.people.items() if name != "slots"}))
        .strip()
        .splitlines()[-1]
    )
    world = json.loads(made)
    found: dict[str, list[str]] = {}
    for (method, address), cells in sorted(rows().items()):
        if method != "GET" or not address.startswith(beginnings):
            continue
        who = next((role for role in _FIRST if cells.get(role) == 200), None)
        if who is not None:
            path = _PART.sub(lambda part: world["parts"][part.group(1)], address)
            found.setdefault(who, []).append(path + world["queries"].get(address, ""))
    return found


# What everybody may open is opened by nobody in particular; the rest by whose desk it is, before who only may look.
_FIRST = (
    "anonymous", "receptionist", "checker_doctor", "lab_technician", "main_doctor", "pharmacist", "manager", "admin",
)  # fmt: skip
