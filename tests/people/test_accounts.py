"""Accounts and patients: who is let in with which particulars, and what each call leaves behind."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.db import connection
from django.test.utils import CaptureQueriesContext

from polyclinic.core import clock
from polyclinic.core.access.rules import Role
from polyclinic.core.actors import Anonymous, SystemActor
from polyclinic.core.audit import chain
from polyclinic.core.errors import Forbidden, Invalid, NotFound, Problem, Unauthenticated
from polyclinic.core.models import AuditEntry
from polyclinic.facilities import actions as facilities
from polyclinic.facilities import identity
from polyclinic.facilities.models import Membership
from polyclinic.people import actions, joining, selectors
from polyclinic.people.emails import LinkGone
from polyclinic.people.models import Account, Patient, SignUp
from tests.house import PASSWORD, House, account

pytestmark = pytest.mark.django_db
OPERATOR = SystemActor("operator", via="cli")
GOOD: dict[str, Any] = {
    "email": "new@example.org",
    "password": "violet lantern harbour",
    "given_name": "Nia",
    "family_name": "Brown",
    "born": date(1990, 2, 28),
    "sex": "female",
}


def ask(**changes: Any) -> str:
    """Sign up. Returns what stands in the mailed link."""
    joining.ask(**{**GOOD, **changes})
    return joining.token_of(str(SignUp.objects.latest("made_at").pk))


def sign_up(**changes: Any) -> Patient:
    """Sign up and open the link."""
    return joining.confirm(ask(**changes), password=changes.get("password", GOOD["password"]))[0]


def test_signing_up_makes_account_patient_and_audit_in_one() -> None:
    patient = sign_up(phone=" +49  30 1234 ")
    assert patient.mrn.startswith("MRN")
    assert patient.phone == "+49 30 1234"
    assert authenticate(username="NEW@example.org", password=GOOD["password"]) == patient.account
    assert list(AuditEntry.objects.order_by("seq").values_list("action", "actor")) == [
        ("account.create", "anonymous"),
        ("patient.sign_up", "anonymous"),
    ]
    assert list(chain.verify()) == []


@pytest.mark.parametrize(
    "name",
    ["Zoë", "🦋", "👩‍⚕️ Ana", "שלום", "محمد علي", "Nguyễn", "ก็", "李", "O’Brien-Ñandú", "x" * 80],
)
def test_names_are_kept_as_their_owners_write_them(name: str) -> None:
    assert Patient.objects.get(pk=sign_up(given_name=name).pk).given_name == name


def test_combining_marks_are_stored_one_way() -> None:
    assert sign_up(given_name="Zoe\u0308").given_name == "Zoë"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"given_name": " "}, "given_name"),
        ({"family_name": "x" * 81}, "family_name"),
        ({"given_name": "a\x00b"}, "given_name"),
        ({"given_name": "a\u202eb"}, "given_name"),
        ({"given_name": "\ud800"}, "given_name"),
        ({"born": date(1899, 12, 31)}, "born"),
        ({"born": date.max}, "born"),
        ({"born": "1990-02-28"}, "born"),
        ({"sex": "x"}, "sex"),
        ({"phone": "call me"}, "phone"),
        ({"phone": "1" * 33}, "phone"),
        ({"phone": "12\x0034"}, "phone"),
        ({"email": "nobody"}, "email"),
        ({"email": "a\x00@example.org"}, "email"),
        ({"email": f"{'a' * 300}@example.org"}, "email"),
        ({"language": "xx"}, "language"),
        ({"password": "short"}, "password"),
        ({"password": "1q2w3e4r5t6y7u8i9o0p"}, "password"),
        ({"password": "123456789987654321"}, "password"),
        ({"password": "x" * 129}, "password"),
        ({"password": "new@example.org"}, "password"),
    ],
)
def test_what_cannot_be_is_refused_by_name_and_leaves_nothing(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        sign_up(**changes)
    assert refused.value.field == field
    assert not SignUp.objects.exists()
    assert not Account.objects.exists()
    assert not Patient.objects.exists()
    assert not AuditEntry.objects.exists()


def test_born_today_anywhere_on_earth_is_allowed_and_tomorrow_is_not() -> None:
    last = (clock.now() + timedelta(hours=14)).date()
    assert sign_up(born=last).born == last
    with pytest.raises(Invalid):
        sign_up(email="b@example.org", born=last + timedelta(days=1))


def test_nothing_is_anybodys_before_the_link_and_all_of_it_after() -> None:
    link = ask(phone="+49 30 1234")
    assert not Account.objects.exists()
    assert not AuditEntry.objects.exists()
    assert authenticate(username=GOOD["email"], password=GOOD["password"]) is None
    waiting = connection.cursor().execute("SELECT * FROM people_signup").fetchall()
    assert not any(word in str(waiting) for word in ("Nia", "Brown", "1234", "example.org", "argon2", "1990"))
    patient, _back = joining.confirm(link, password=GOOD["password"])
    assert patient.account.email_verified_at is not None
    assert not SignUp.objects.exists()
    with pytest.raises(LinkGone):
        joining.confirm(link, password=GOOD["password"])


@pytest.mark.parametrize("taken", ["new@example.org", "NEW@EXAMPLE.ORG"])
def test_a_known_address_costs_the_same_and_makes_nothing(taken: str) -> None:
    sign_up()
    before = Account.objects.count(), Patient.objects.count(), AuditEntry.objects.count()
    with CaptureQueriesContext(connection) as known:
        link = ask(email=taken, given_name="Other")
    with CaptureQueriesContext(connection) as fresh:
        ask(email="fresh@example.org", given_name="Other")
    assert [query["sql"].split(" VALUES")[0][:60] for query in known] == [
        query["sql"].split(" VALUES")[0][:60] for query in fresh
    ]
    # Even who guessed the link makes no second account.
    with pytest.raises(LinkGone):
        joining.confirm(link, password=GOOD["password"])
    assert (Account.objects.count(), Patient.objects.count(), AuditEntry.objects.count()) == before


def test_the_link_alone_opens_nothing_and_guesses_end() -> None:
    link = ask(browser="the browser's own secret")
    for guess in ["", "wrong", *["another wrong one"] * (joining.MOST_TRIES - 2)]:
        with pytest.raises(Invalid) as refused:
            joining.confirm(link, browser="another browser", password=guess)
        assert refused.value.field == "password"
    with pytest.raises(LinkGone):
        joining.confirm(link, password=GOOD["password"])
    assert not Account.objects.exists()
    # The browser that asked is not kept out by another's guesses.
    assert joining.confirm(link, browser="the browser's own secret")[0].given_name == "Nia"


def test_two_who_signed_up_under_one_address_make_one_account() -> None:
    mine, theirs = ask(), ask(given_name="Eve", password="somebody elses long words")
    joining.confirm(mine, password=GOOD["password"])
    with pytest.raises(LinkGone):
        joining.confirm(theirs, password="somebody elses long words")
    assert Account.objects.get().name == "Nia Brown"


def test_a_sign_up_nobody_confirms_is_gone_after_a_day() -> None:
    link = ask()
    SignUp.objects.update(made_at=clock.now() - joining.LIVES)
    with pytest.raises(LinkGone):
        joining.confirm(link, password=GOOD["password"])
    assert joining.forget_old() == 1


def test_record_numbers_go_up_by_one() -> None:
    numbers = [int(sign_up(email=f"p{nth}@example.org").mrn.removeprefix("MRN")) for nth in range(3)]
    assert numbers == [numbers[0], numbers[0] + 1, numbers[0] + 2]


def test_accounts_are_made_by_administrators_and_the_operator_only(house: House) -> None:
    wish = {"email": "x@example.org", "password": GOOD["password"], "name": "X"}
    for refused in (house.patient, house.doctor, house.receptionist, house.manager):
        with pytest.raises(Forbidden):
            actions.create_account(actor=house.person(refused), **wish)
    with pytest.raises(Unauthenticated):
        actions.create_account(actor=Anonymous(), **wish)
    assert not Account.objects.filter(email="x@example.org").exists()
    assert identity.person_of_account(actions.create_account(actor=OPERATOR, **wish).pk).grants == frozenset()  # type: ignore[union-attr]


def admin_of(house: House, email: str = "chief@example.org") -> Account:
    made = account(email, "Ada Admin")
    facilities.grant_role(actor=OPERATOR, account_id=made.pk, facility_slug=house.facility.slug, role=Role.ADMIN)
    return made


def test_an_administrator_closes_accounts_of_their_own_facility_only(house: House) -> None:
    admin = house.person(admin_of(house))
    for foreign in (house.stranger_receptionist.pk, house.patient.account.pk, house.stranger_doctor.account.pk):  # type: ignore[union-attr]
        with pytest.raises(NotFound):
            facilities.deactivate(actor=admin, account_id=foreign)
    with pytest.raises(NotFound):
        facilities.deactivate(actor=admin, account_id=house.facility.pk)
    # Someone who also works elsewhere: giving them a role here must not give power over them there.
    facilities.grant_role(
        actor=admin, account_id=house.stranger_receptionist.pk, facility_slug="riverside", role=Role.RECEPTIONIST
    )
    with pytest.raises(NotFound):
        facilities.deactivate(actor=admin, account_id=house.stranger_receptionist.pk)
    assert not Account.objects.filter(is_active=False).exists()
    facilities.deactivate(actor=admin, account_id=house.receptionist.pk, reason="left")
    assert list(Account.objects.filter(is_active=False)) == [house.receptionist]


@pytest.mark.parametrize("who", ["patient", "doctor", "receptionist", "manager"])
def test_nobody_else_closes_accounts(house: House, who: str) -> None:
    with pytest.raises(NotFound):
        facilities.deactivate(actor=house.person(getattr(house, who)), account_id=house.receptionist.pk)
    with pytest.raises(Unauthenticated):
        facilities.deactivate(actor=Anonymous(), account_id=house.receptionist.pk)


def test_a_role_that_has_ended_gives_no_power(house: House) -> None:
    admin = admin_of(house)
    Membership.objects.filter(account=admin).update(ended_at=clock.now())
    with pytest.raises(NotFound):
        facilities.deactivate(actor=house.person(admin), account_id=house.receptionist.pk)


def test_a_closed_account_is_out_at_once_and_closing_twice_writes_once(house: House) -> None:
    key = identity.open_api_session(house.receptionist)
    assert identity.person_of_session(key) is not None
    for _time in range(2):
        facilities.deactivate(actor=OPERATOR, account_id=house.receptionist.pk)
    assert identity.person_of_session(key) is None
    assert authenticate(username=house.receptionist.email, password=PASSWORD) is None
    assert AuditEntry.objects.filter(action="account.deactivate").count() == 1


def test_a_new_password_needs_the_old_one_and_ends_the_other_sessions(house: House) -> None:
    staff = house.receptionist
    here, there = identity.open_api_session(staff), identity.open_api_session(staff)
    me = identity.person_of_session(here)
    assert me is not None
    for current, problem in ((None, "wrong_password"), ("wrong", "wrong_password")):
        with pytest.raises(Invalid) as refused:
            actions.change_password(actor=me, account_id=staff.pk, password=GOOD["password"], current=current)
        assert refused.value.code == problem
    with pytest.raises(Forbidden):
        actions.change_password(actor=me, account_id=house.manager.pk, password=GOOD["password"], current=PASSWORD)
    actions.change_password(actor=me, account_id=staff.pk, password=GOOD["password"], current=PASSWORD)
    identity.forget()
    assert identity.person_of_session(here) is not None
    assert identity.person_of_session(there) is None
    assert authenticate(username=staff.email, password=GOOD["password"]) == staff


def test_a_patients_particulars_are_for_that_patient(house: House) -> None:
    own = selectors.patient(house.person(house.patient), house.patient.pk)
    assert (own.family_name, own.mrn) == ("Pillai", "MRN0000001")
    for stranger in (house.other_patient, house.stranger_doctor, house.stranger_receptionist):
        with pytest.raises(Problem) as refused:
            selectors.patient(house.person(stranger), house.patient.pk)
        assert refused.value.status == 404
