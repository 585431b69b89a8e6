"""Lists as they come: files of every kind, and the way of one from the upload to the report."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from polyclinic.core.actors import Person
from polyclinic.imports import actions, selectors, working
from polyclinic.imports.models import Import
from tests.house import House

PATIENTS = (
    b"Surname;First name;DOB;Gender;Phone\r\n"
    b"Novak;Jana;1984-02-29;f;+49 30 1234\r\n"
    b"Novak;Petr;1984-02-30;m;\r\n"
    b"Adeyemi;;1990-01-01;m;\r\n"
    b"Lindqvist;Elsa;1975-06-01;w;555-0199\r\n"
)


class Desk:
    """The manager's, with what they upload."""

    def __init__(self, house: House) -> None:
        self.house = house

    @property
    def boss(self) -> Person:
        return self.house.person(self.house.manager)

    def upload(self, data: bytes, kind: str = "patients", **more: Any) -> Import:
        return actions.upload(
            actor=self.boss, facility_id=self.house.facility.pk, kind=kind, data=data, name="list.csv", **more
        )

    def check(self, data: bytes, kind: str = "patients", **more: Any) -> Import:
        """Uploaded, mapped as guessed, and checked."""
        made = self.upload(data, kind)
        actions.check(actor=self.boss, import_id=made.pk, columns=made.columns, **more)
        working.work()
        return self.again(made.pk)

    def take(self, data: bytes, kind: str = "patients", **more: Any) -> Import:
        """All the way, leaving wrong rows out."""
        made = self.check(data, kind, **more)
        actions.apply(actor=self.boss, import_id=made.pk, skip_bad=True)
        working.work()
        return self.again(made.pk)

    def again(self, pk: UUID) -> Import:
        return Import.objects.get(pk=pk)

    def said(self, row: Import) -> list[tuple[int, str, str]]:
        found = selectors.problems(self.boss, row.pk, limit=1000).rows
        return [(one.number, one.field, one.code) for one in found]
