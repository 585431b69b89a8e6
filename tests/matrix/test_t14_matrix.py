"""T14: every role at every address with every method gets what the table says, and an address without a row fails.

Whatever is not one's own is answered exactly like what does not exist.
"""

from __future__ import annotations

import pytest
from django.urls import include, path

from polyclinic import urls
from polyclinic.web import access
from tests.api.calling import Answer
from tests.house import House
from tests.matrix.driving import METHODS, OTHER_METHODS, World, every_address, words
from tests.matrix.expected import ROLES, SOMETIMES, rows, table

REFUSED = frozenset({401, 403, 404, 405})
STRANGERS = ("anonymous", "other_patient", "other_doctor", "foreign_receptionist", "fresh_foreign_admin")
# Where a method has no row it must be served to nobody, and whom the door lets through depends on the role alone: of
# two people in one role the second is not driven there, nor a role whose rights others have as well, to save time.
BARE = frozenset(
    {
        "other_patient", "other_doctor", "foreign_receptionist", "checker_doctor", "main_doctor", "nurse",
        "lab_technician", "pharmacist", "ambulance_crew",
    }
)  # fmt: skip
# The same operations are mounted twice (`test_v1_is_the_same_api`), so one of the two is driven.
V1 = "/api/v1/"
# The addresses are driven in so many parts, which may run side by side.
PARTS = 6


def undeclared(addresses: list[str]) -> set[str]:
    """Addresses that the table does not know."""
    return set(addresses) - {address for _method, address in rows()}


def test_every_address_has_a_row_and_every_row_an_address() -> None:
    driven = [address for address in every_address() if not address.startswith(V1)]
    assert undeclared(driven) == set()
    assert {address for _method, address in rows()} <= set(driven)


def test_a_new_address_fails_until_it_is_declared() -> None:
    """Negative control of the test above."""

    @access.declare("public")
    def page(_request: object) -> None: ...

    before, urls.urlpatterns[:] = (
        list(urls.urlpatterns),
        [*urls.urlpatterns, path("quite-new", include([path("", page)]))],
    )
    try:
        assert undeclared([route for route in every_address() if not route.startswith(V1)]) == {"/quite-new"}
    finally:
        urls.urlpatterns[:] = before


def test_v1_is_the_same_api() -> None:
    found = {route: entry.callback for route, entry in access.addresses() if route.startswith("/api/")}
    operations = {route.removeprefix(V1): view for route, view in found.items() if route.startswith(V1)}
    assert len(operations) > 20
    assert all(found["/api/" + route] is view for route, view in operations.items())


@pytest.mark.wide
@pytest.mark.parametrize("part", range(PARTS))
def test_everyone_gets_what_the_table_says(house: House, part: int) -> None:
    world, expectations, wrong = World(house), rows(), []
    everybody = {role for short, role in ROLES.items() if short not in SOMETIMES}
    for address in [address for address in every_address() if not address.startswith(V1)][part::PARTS]:
        for method in (*METHODS, *OTHER_METHODS):
            for role in ROLES.values():
                if role in BARE and (method, address) not in expectations:
                    continue
                if role not in expectations.get((method, address), everybody):
                    continue
                answer = world.ask(method, address, role)
                expected = expectations.get((method, address))
                if method == "HEAD" and answer.status not in REFUSED:
                    # Where it is served, it is GET without the body.
                    expected = expectations.get(("GET", address))
                if expected is None:
                    sent_away = answer.status == 303 and answer.headers["location"].startswith("/sign-in")
                    fine, told = answer.status in REFUSED or sent_away, "a refusal"
                else:
                    fine, told = answer.status == expected[role], str(expected[role])
                if not fine:
                    wrong.append(f"{method} {address} as {role}: {answer.status}, expected {told}")
    assert wrong == [], "\n".join(wrong)


@pytest.mark.wide
def test_foreign_and_missing_are_told_in_the_same_words(house: House) -> None:
    """For each part of an address that names a thing, a stranger is refused as for no such thing, byte for byte."""
    world, compared, wrong = World(house), 0, []
    for (method, address), cells in rows().items():
        for role in STRANGERS:
            if cells.get(role, 200) < 300 or (role == "anonymous" and cells[role] == 422):
                continue
            foreign = world.ask(method, address, role)
            for part in world.ids_in(address):
                absent = world.ask(method, address, role, without=part)
                compared += 1
                if not same(world, foreign, absent, part):
                    wrong.append(f"{method} {address} without {part} as {role}: {foreign.status} and {absent.status}")
    assert compared > 100
    assert wrong == [], "\n".join(wrong)


def same(world: World, foreign: Answer, absent: Answer, part: str) -> bool:
    """Equal in status, words and target, where an id is repeated only as the caller gave it."""
    if seen(foreign, "") == seen(absent, ""):
        return True
    return seen(foreign, world.parts[part]) == seen(absent, world.absent(part))


def seen(answer: Answer, given: str) -> tuple[object, ...]:
    told, target = words(answer), answer.headers.get("location", "")
    return (
        answer.status,
        told.replace(given.encode(), b"<given>") if given else told,
        target.replace(given, "<given>") if given else target,
        answer.headers.get("etag"),
    )


def test_the_comparison_sees_a_difference(house: House) -> None:
    """Negative control: to the doctor whose appointment it is, there and missing are not the same."""
    world = World(house)
    address = "/api/appointments/<appointmentId>"
    mine, absent = (world.ask("GET", address, "doctor", without=part) for part in (None, "appointmentId"))
    assert not same(world, mine, absent, "appointmentId")


@pytest.mark.parametrize(
    "text",
    [
        "ano els\\nGET /x 200",
        "ano els\\nGET /x 200 200 200",
        "ano pat\\nGET /x 200 200",
        "ano nobody els\\nGET /x 200 200 200",
    ],
)
def test_a_row_names_every_role(text: str) -> None:
    with pytest.raises(ValueError, match=r"/x|nobody"):
        table(text)
