"""API keys: a program acts within its scopes, from where it may, until it is ended; and never as a person alone may."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from polyclinic.core import clock
from polyclinic.core.actors import Anonymous, Person
from polyclinic.core.errors import Forbidden, Invalid, NotFound, StepUpNeeded
from polyclinic.core.models import AuditEntry
from polyclinic.facilities import actions as staff
from polyclinic.facilities import identity, sessions
from polyclinic.notify.models import Notice
from polyclinic.people import actions as people
from polyclinic.people.models import Account
from polyclinic.tokens import apikeys, ending, refresh
from polyclinic.tokens.models import ApiKey
from polyclinic.tokens.problems import RefreshRefused
from tests.api.calling import Answer, bearer, call, cookies
from tests.house import PASSWORD, House


def fresh(house: House, who: Any) -> Person:
    """The person, having just shown a factor."""
    return replace(house.person(who), stepped_up_at=clock.now())


def ask(secret: str, path: str, method: str = "GET", **more: Any) -> Answer:
    return call(method, path, headers={"Authorization": f"Bearer {secret}"}, **more)


@pytest.fixture
def key(house: House) -> apikeys.Made:
    """A doctor's key that may read appointments."""
    return apikeys.make(actor=fresh(house, house.doctor), name="Ward screen", scopes=["appointment.view"], days=30)


def test_a_key_does_what_its_scopes_say_and_no_more(house: House, key: apikeys.Made) -> None:
    day = f"/api/doctors/{house.doctor.pk}/appointments?date={house.workday()}"
    assert ask(key.secret, day).status == 200
    assert ask(key.secret, day.replace(str(house.doctor.pk), str(house.other_doctor.pk))).status == 404
    assert ask(key.secret, f"/api/doctors/{house.doctor.pk}/schedules").status == 403


def test_a_scope_left_out_is_a_right_left_out(house: House) -> None:
    reader = apikeys.make(actor=fresh(house, house.patient), name="x", scopes=["appointment.view"], days=1)
    booking = {"scheduleId": house.schedule.pk, "starts": house.slot()}
    assert ask(reader.secret, "/api/appointments", "POST", body=booking).status == 403
    assert ask(reader.secret, "/api/appointments").status == 200
    wider = apikeys.make(actor=fresh(house, house.patient), name="y", scopes=["appointment.book"], days=1)
    assert ask(wider.secret, "/api/appointments", "POST", body=booking).status == 201


@pytest.mark.parametrize("path", ["/api/auth/sessions", "/api/notices", "/api/keys", "/api/auth/factors"])
def test_what_is_a_persons_own_is_not_a_programs(key: apikeys.Made, path: str) -> None:
    assert ask(key.secret, path).code == "not_for_keys"


def test_a_key_knows_who_it_is(house: House, key: apikeys.Made) -> None:
    assert ask(key.secret, "/api/auth/me").json["doctorId"] == str(house.doctor.pk)


def test_a_key_that_ended_opens_nothing_at_once(house: House, key: apikeys.Made) -> None:
    assert ask(key.secret, "/api/auth/me").status == 200
    apikeys.revoke(actor=house.person(house.doctor), key_id=key.row.id)
    assert ask(key.secret, "/api/auth/me").code == "invalid_token"


def test_a_key_expires(house: House, key: apikeys.Made, monkeypatch: pytest.MonkeyPatch) -> None:
    later = clock.now() + timedelta(days=30)
    monkeypatch.setattr("polyclinic.core.clock.now", lambda: later)
    assert ask(key.secret, "/api/auth/me").code == "invalid_token"


def test_a_key_of_a_closed_account_opens_nothing(house: House, key: apikeys.Made) -> None:
    Account.objects.filter(doctor=house.doctor).update(is_active=False)
    assert ask(key.secret, "/api/auth/me").code == "invalid_token"


@pytest.mark.parametrize(("networks", "status"), [(["203.0.113.0/24"], 200), (["198.51.100.0/24"], 401), ([], 200)])
def test_a_key_may_be_tied_to_networks(house: House, networks: list[str], status: int) -> None:
    made = apikeys.make(
        actor=fresh(house, house.doctor), name="x", scopes=["appointment.view"], days=1, networks=networks
    )
    assert ask(made.secret, "/api/auth/me").status == status


def test_the_secret_is_not_kept(key: apikeys.Made) -> None:
    row = ApiKey.objects.get()
    assert key.secret not in (row.prefix, row.digest)
    assert key.secret.startswith(row.prefix)


def test_use_is_noted_once_a_minute(key: apikeys.Made) -> None:
    ask(key.secret, "/api/auth/me")
    first = ApiKey.objects.get().last_used_at
    assert first is not None
    apikeys.forget()
    ask(key.secret, "/api/auth/me")
    assert ApiKey.objects.get().last_used_at == first


def test_a_warm_key_costs_no_query(house: House, key: apikeys.Made, django_assert_num_queries: Any) -> None:
    ask(key.secret, "/api/auth/me")
    with django_assert_num_queries(0):
        ask(key.secret, "/api/auth/me")


def test_making_one_takes_a_fresh_factor_and_a_person(house: House, key: apikeys.Made) -> None:
    wish = {"name": "x", "scopes": ["appointment.view"], "days": 1}
    with pytest.raises(StepUpNeeded):
        apikeys.make(actor=house.person(house.doctor), **wish)
    program = identity.person_of_key(key.secret, "203.0.113.7")
    assert program is not None
    for actor in (
        replace(program, stepped_up_at=clock.now()),
        replace(fresh(house, house.doctor), seen_by=program.account_id),
    ):
        with pytest.raises(Forbidden):
            apikeys.make(actor=actor, **wish)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"scopes": []}, "scopes"), ({"scopes": ["record.break_glass"]}, "scopes"), ({"scopes": ["no.such"]}, "scopes"),
        ({"days": 0}, "days"), ({"days": 367}, "days"), ({"name": "  "}, "name"), ({"networks": ["here"]}, "networks"),
    ],
)  # fmt: skip
def test_bad_wishes_name_the_field(house: House, changed: dict[str, Any], field: str) -> None:
    wish: dict[str, Any] = {"name": "x", "scopes": ["appointment.view"], "days": 1, **changed}
    with pytest.raises(Invalid) as refused:
        apikeys.make(actor=fresh(house, house.doctor), **wish)
    assert refused.value.field == field
    assert not ApiKey.objects.exists()


def test_nobody_gives_what_they_do_not_have(house: House) -> None:
    assert "schedule.edit" not in apikeys.offered(house.person(house.patient))
    with pytest.raises(Invalid):
        apikeys.make(actor=fresh(house, house.patient), name="x", scopes=["schedule.edit"], days=1)


def test_another_persons_key_is_not_there(house: House, key: apikeys.Made) -> None:
    with pytest.raises(NotFound):
        apikeys.revoke(actor=house.person(house.other_doctor), key_id=key.row.id)
    assert ApiKey.objects.filter(revoked_at__isnull=True).exists()


class TestPartners:
    """A key of another system: rights at one facility, by its scopes alone."""

    @pytest.fixture
    def secret(self, house: House) -> str:
        admin = fresh(house, house.staff["admin"])
        made = apikeys.make_for_partner(
            actor=admin, facility_id=house.facility.pk, name="Lab system", scopes=["appointment.view"], days=90
        )
        assert Notice.objects.filter(kind="key_made", account_id=admin.account_id).exists()
        # The key may read more than its maker: whoever watches over the record hears of it.
        officer = house.staff["privacy_officer"].pk
        assert Notice.objects.filter(kind="partner_key_made", account_id=officer).exists()
        return made.secret

    def test_it_sees_its_facility_and_no_other(self, house: House, secret: str) -> None:
        assert ask(secret, f"/api/doctors/{house.doctor.pk}/appointments?date={house.workday()}").status == 200
        assert ask(secret, f"/api/doctors/{house.stranger_doctor.pk}/appointments?date={house.workday()}").status == 404

    def test_only_who_manages_keys_makes_one(self, house: House, secret: str) -> None:
        path = f"/api/hospitals/{house.facility.pk}/keys"
        assert len(call("GET", path, headers=bearer(house.staff["admin"])).json["data"]) == 1
        assert call("GET", path, headers=bearer(house.manager)).status == 403
        with pytest.raises(Forbidden):
            apikeys.make_for_partner(
                actor=fresh(house, house.staff["admin"]),
                facility_id=house.elsewhere.pk,
                name="x",
                scopes=["appointment.view"],
                days=1,
            )


@pytest.mark.parametrize("secret", ["pc_", "pc_x", "pc_" + "a" * 60, "pc_" + "é" * 10, "pc_" + "a" * 500, "pc_\x00"])
def test_malformed_keys_are_like_wrong_tokens(house: House, secret: str) -> None:
    try:
        answer = ask(secret, "/api/auth/me")
    except UnicodeEncodeError:
        return
    assert (answer.status, answer.code) == (401, "invalid_token")


CHANGED = "another calm set of words"
WAYS = ("change", "reset", "others", "by_admin", "out_by_admin")


def change(house: House, way: str, *, keep: bool = False) -> None:
    """Take away what somebody else may know of the doctor's account, in one of the ways there are."""
    account, admin = house.doctor.account, house.person(house.staff["admin"])
    if way == "change":
        me = house.person(house.doctor)
        people.change_password(actor=me, account_id=account.pk, password=CHANGED, current=PASSWORD, keep_keys=keep)
    elif way == "reset":
        people.change_password(
            actor=Anonymous(), account_id=account.pk, password=CHANGED, before=account.password, keep_keys=keep
        )
    elif way == "others":
        sessions.end_others(actor=house.person(house.doctor), keep_keys=keep)
    elif way == "by_admin":
        staff.reset_password(actor=admin, account_id=account.pk)
    else:
        staff.sign_out_everywhere(actor=admin, account_id=account.pk)


@pytest.mark.parametrize("way", WAYS)
def test_keys_end_with_the_password_and_with_every_session(house: House, key: apikeys.Made, way: str) -> None:
    program = apikeys.make_for_partner(
        actor=fresh(house, house.staff["admin"]), facility_id=house.facility.pk, name="Partner",
        scopes=["schedule.view"], days=30,
    )  # fmt: skip
    assert ask(key.secret, "/api/auth/me").status == 200
    change(house, way)
    assert ask(key.secret, "/api/auth/me").status == 401
    assert ApiKey.objects.get(pk=key.row.id).revoked_at is not None
    assert Notice.objects.filter(account=house.doctor.account, kind="key_revoked").count() == 1
    assert AuditEntry.objects.filter(action="key.revoke", subject_id=key.row.id).count() == 1
    # What was made for a partner is the house's and not the person's.
    assert ApiKey.objects.get(pk=program.row.id).revoked_at is None


@pytest.mark.parametrize(("way", "kept"), [("change", True), ("others", True), ("reset", False)])
def test_who_asks_to_keeps_their_keys_but_not_after_a_reset(
    house: House, key: apikeys.Made, way: str, kept: bool
) -> None:
    change(house, way, keep=True)
    assert ask(key.secret, "/api/auth/me").status == (200 if kept else 401)


@pytest.mark.parametrize("way", WAYS)
def test_an_apps_sign_in_ends_with_the_password_too(house: House, way: str) -> None:
    account = house.doctor.account
    opened = identity.open_api_session(account, kind=identity.APP)
    begun = refresh.begin(account.pk, opened, staff=True)
    change(house, way)
    with pytest.raises(RefreshRefused):
        refresh.renew(begun.token, begun.device)


def test_the_pages_ask_about_keys_only_who_has_some(house: House, key: apikeys.Made) -> None:
    for path, field in (("/account/password", b'name="keep_keys"'), ("/account/sessions", b'value="keep"')):
        assert field in call("GET", path, headers=cookies(house.doctor)).body
        assert field not in call("GET", path, headers=cookies(house.patient)).body


def test_who_made_a_key_hears_in_time_that_it_ends(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once for each key, two weeks before; not of one that was made for days, was ended, or is over."""
    doctor = fresh(house, house.doctor)
    for name, days in (("long", 60), ("ended", 60), ("later", 90), ("short", 20)):
        made = apikeys.make(actor=doctor, name=name, scopes=["appointment.view"], days=days)
        if name == "ended":
            apikeys.revoke(actor=doctor, key_id=made.row.id)

    def told_at(days: float) -> list[str]:
        moment = clock.now() + timedelta(days=days)
        with monkeypatch.context() as at:
            at.setattr("polyclinic.core.clock.now", lambda: moment)
            ending.tell_of_ending()
        found = Notice.objects.filter(account_id=doctor.account_id, kind="key_ends_soon").order_by("at", "pk")
        return [str(one.detail["name"]) for one in found]

    assert told_at(10) == []
    assert told_at(45.9) == []
    assert told_at(46.1) == ["long"]
    assert told_at(47) == ["long"]
    assert told_at(76.1) == ["long", "later"]
    assert told_at(200) == ["long", "later"]
    page = call("GET", "/account/notices", headers=cookies(house.doctor)).body.decode()
    assert "A key of a program ends soon" in page
    assert "long" in page


def test_of_a_partners_key_the_privacy_officer_hears_too(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    maker, officer = house.staff["admin"], house.staff["privacy_officer"]
    partner = apikeys.make_for_partner(
        actor=fresh(house, maker),
        facility_id=house.facility.pk,
        name="Laboratory",
        scopes=["appointment.view"],
        days=60,
    )
    moment = partner.row.expires_at - timedelta(days=3)
    monkeypatch.setattr("polyclinic.core.clock.now", lambda: moment)
    assert ending.tell_of_ending() == 1
    assert ending.tell_of_ending() == 0
    told = set(Notice.objects.filter(kind="key_ends_soon").values_list("account_id", flat=True))
    assert told == {maker.pk, officer.pk}
