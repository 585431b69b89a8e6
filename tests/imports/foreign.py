"""What T15 needs of lists: one that a manager of a side has uploaded and had checked, with a wrong row; its readers."""

from __future__ import annotations

from typing import Any

from polyclinic.imports import actions, exporting, selectors, working
from polyclinic.people.models import Account
from tests.house import House


class Lists:
    def __init__(self, house: House, side: Any) -> None:
        boss = house.person(Account.objects.get(email=f"boss@{side.slug}.example.net"))
        text = f"family_name,given_name,born,sex\nListed{side.slug},Lisa,never,f\n"
        made = actions.upload(
            actor=boss, facility_id=side.facility, kind="patients", data=text.encode(), name=f"{side.slug}.csv"
        )
        actions.check(actor=boss, import_id=made.pk, columns=made.columns)
        working.work()
        self.made = made.pk
        self.secret = {str(made.pk), f"{side.slug}.csv", f"Listed{side.slug}"}


CLOSED: dict[str, Any] = {
    "imports.exporting.begin": lambda v, s: exporting.begin(v, s.facility, "patients", "Moving"),
    "imports.exporting.rows": lambda v, s: list(exporting.rows(v, s.facility, "patients")),
    "imports.selectors.begin_errors": lambda v, s: selectors.begin_errors(v, s.lists.made),
    "imports.selectors.errors": lambda v, s: list(selectors.errors(v, s.lists.made)),
    "imports.selectors.imports": lambda v, s: selectors.imports(v, s.facility),
    "imports.selectors.one": lambda v, s: selectors.one(v, s.lists.made),
    "imports.selectors.problems": lambda v, s: selectors.problems(v, s.lists.made),
    "imports.selectors.sample": lambda v, s: selectors.sample(v, s.lists.made),
}
# Where one may import is told as one's own facilities.
FILTERED: dict[str, Any] = {
    "imports.exporting.places": lambda v, s: exporting.places(v),
    "imports.selectors.places": lambda v, s: selectors.places(v),
}
# That it is on record, and sentences of ours.
BARE = {"imports.exporting.begin", "imports.selectors.begin_errors", "imports.selectors.problems"}
