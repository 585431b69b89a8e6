"""The words of letters: placeholders of a closed list, previewed, versioned, undone, and harmless whatever is typed."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from polyclinic.core.errors import Invalid
from polyclinic.facilities import invitations, lettering, settings
from polyclinic.facilities.letters import written
from polyclinic.facilities.models import SettingVersion
from polyclinic.notify import worker
from tests.api.calling import bearer, call
from tests.facilities.test_settings import put
from tests.house import House
from tests.portals.conftest import browser_of, forms  # noqa: F401 - a fixture

KEY = "mail_reminder_en"
REMINDER = lettering.KINDS["reminder"]
GOOD = "See you soon at {facility}\nOn {day}, {time}.\n{address}\nAnswer: {link}"
VALUES = {"day": "Monday", "time": "09:00", "facility": "Riverside Clinic", "address": "", "link": "L", "choose": "C"}
Browser = Callable[[Any], Client]


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode())).replace("\u00a0", " ")


def test_a_house_says_it_in_its_own_words_and_takes_them_back(house: House) -> None:
    usual = written(house.facility, "reminder", VALUES)
    assert usual.subject == "Reminder of your appointment"
    # The empty address takes its line with it.
    assert "Monday at 09:00.\nRiverside Clinic\n\nSay that" in usual.body
    put(house, KEY, GOOD)
    house.facility.refresh_from_db()
    own = written(house.facility, "reminder", VALUES)
    assert (own.subject, own.body) == ("See you soon at Riverside Clinic", "On Monday, 09:00.\nAnswer: L\n")
    # The other hospital's stay as they are.
    assert written(house.elsewhere, "reminder", VALUES) == usual
    put(house, KEY, "")
    house.facility.refresh_from_db()
    assert written(house.facility, "reminder", VALUES) == usual
    newest = settings.history(house.person(house.manager), house.facility.pk, KEY)[0]
    assert newest.said == "The usual words"
    assert SettingVersion.objects.count() == 2


@pytest.mark.parametrize(
    ("words", "field", "code", "named"),
    [
        ("Subject\n{diagnosis} {link}", "body", "unknown_placeholder", "{diagnosis}"),
        ("Subject {day}\n{link}", "subject", "unknown_placeholder", "{day}"),
        ("Subject\n{link.__class__}", "body", "unknown_placeholder", "{link.__class__}"),
        ("Subject\n{0} {link}", "body", "unknown_placeholder", "{0}"),
        ("Subject\n{} {link}", "body", "unknown_placeholder", "{}"),
        ("Subject\n{link!r}", "body", "unknown_placeholder", "{link!r}"),
        ("Subject\n{{link}} {link}", "body", "stray_brace", "brace"),
        ("Subject\n{link} }", "body", "stray_brace", "brace"),
        ("Subject\nNo way to answer", "body", "missing_placeholder", "{link}"),
        ("Subject\n", "body", "invalid", "both"),
        ("\n{link}", "subject", "invalid", "both"),
        ("Subject\n<b>{link}</b>", "body", "invalid", "plain text"),
        ("Sub\x07ject\n{link}", "subject", "invalid", "plain text"),
        ("Subject\n\u202e{link}", "body", "invalid", "plain text"),
        ("S" * 121 + "\n{link}", "subject", "too_long", "120"),
        ("Subject\n{link}" + "x" * 4000, "body", "too_long", "4000"),
    ],
)
def test_what_a_letter_may_not_say_is_named(house: House, words: str, field: str, code: str, named: str) -> None:
    with pytest.raises(Invalid) as refused:
        put(house, KEY, words)
    assert (refused.value.field, refused.value.code) == (field, code)
    assert named in str(refused.value.sentence)
    assert not SettingVersion.objects.exists()


def test_values_are_put_in_once_and_stay_on_their_line() -> None:
    words = lettering.read(REMINDER, "Hello\n{facility} {link}")
    filled = lettering.fill(words, {"facility": "{link} %(link)s\nBcc: all@example.org", "link": "L"})
    assert filled.body == "{link} %(link)s Bcc: all@example.org L\n"
    assert lettering.fill(lettering.Words("To {facility}", "x"), {"facility": "A\r\nBcc: b@example.org"}).subject == (
        "To A Bcc: b@example.org"
    )


@pytest.mark.parametrize("kind", sorted(lettering.KINDS))
def test_the_usual_words_keep_the_rules_that_a_houses_own_must(kind: str) -> None:
    letter = lettering.KINDS[kind]
    usual = lettering.usual(letter)
    assert lettering.read(letter, lettering.write(usual)) == usual
    shown = lettering.example(letter, lettering.Words())
    assert "{" not in shown.subject + shown.body


def test_an_invitation_leaves_in_the_words_of_its_house(house: House) -> None:
    put(house, "mail_invitation_en", "Come to {facility}\nDear {name}, here: {link}")
    invitations.invite(
        actor=house.person(house.manager), facility_id=house.facility.pk, email="asked@example.org", name="Ann Asked",
        role="nurse",
    )  # fmt: skip
    worker.deliver_due()
    (letter,) = [one for one in mail.outbox if one.to == ["asked@example.org"]]
    assert letter.subject == "Come to Riverside Clinic"
    assert re.fullmatch(r"Dear Ann Asked, here: http://localhost:8000/invitation/\S+\n", letter.body)


def test_preview_then_save_on_the_page(house: House, browser_of: Browser) -> None:  # noqa: F811
    client = browser_of(house.manager)
    assert "An appointment is booked or moved" in text(client.get("/admin/house"))
    page = client.get(f"/admin/house/{KEY}")
    assert "We remind you of your appointment on Monday, 7 December 2026 at 09:20." in text(page)
    fields = next(one for one in forms(page) if one["action"] == f"/admin/house/{KEY}")["fields"]
    typed = {**fields, "subject": "Soon at {facility}", "body": "On {day} & at {time}: {link}"}
    tried = client.post(f"/admin/house/{KEY}", {**typed, "try": "1"})
    assert (tried.status_code, SettingVersion.objects.count()) == (200, 0)
    assert "Soon at Riverside Clinic On Monday, 7 December 2026 &amp; at 09:20" in text(tried)
    assert "On {day} &amp; at {time}: {link}" in tried.content.decode(), "what was typed is kept"
    wrong = client.post(f"/admin/house/{KEY}", {**typed, "body": "{nonsense} {link}", "try": "1"})
    assert (wrong.status_code, "There is no {nonsense}" in text(wrong)) == (422, True)
    assert client.post(f"/admin/house/{KEY}", {**typed, "body": "{nonsense} {link}"}).status_code == 422
    assert client.post(f"/admin/house/{KEY}", typed).status_code == 303
    page = client.get(f"/admin/house/{KEY}")
    assert "Back to the usual words" in text(page)
    back = next(one for one in forms(page) if one["fields"].get("subject") == "")
    assert client.post(back["action"], back["fields"]).status_code == 303
    assert "Reminder of your appointment" in text(client.get(f"/admin/house/{KEY}"))


def test_preview_over_rest_and_only_for_whoever_sets_it(house: House) -> None:
    address = f"/api/hospitals/{house.facility.pk}/settings/{KEY}"
    mine = bearer(house.manager)
    seen = call("POST", f"{address}/preview", body={"value": GOOD}, headers=mine)
    assert (seen.status, seen.json["subject"], seen.json["own"]) == (200, "See you soon at Riverside Clinic", True)
    assert "link" in [one["name"] for one in seen.json["placeholders"]]
    wrong = call("POST", f"{address}/preview", body={"value": "A\n{x} {link}"}, headers=mine)
    assert (wrong.status, wrong.json["code"], wrong.json["placeholder"]) == (422, "unknown_placeholder", "x")
    assert call("PUT", address, body={"value": GOOD, "seen": 0}, headers=mine).status == 200
    now = call("POST", f"{address}/preview", body={}, headers=mine)
    assert now.json["subject"] == "See you soon at Riverside Clinic"
    assert call("POST", f"{address}/preview", body={}, headers=bearer(house.patient)).status == 403
    assert call("POST", f"{address}/preview", body={}, headers=bearer(house.stranger_receptionist)).status == 403
