"""The receiver of the user guide does what it says there: it takes what we send, once, and nothing else."""

from __future__ import annotations

import random
import re
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from polyclinic.webhooks import signing, topics
from tests.webhooks.test_sending import Work, book

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "user-guide" / "webhooks.md"
BODY = b'{"type":"webhook.test"}'


@pytest.fixture
def example() -> dict[str, Any]:
    code = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(code) == 1
    names: dict[str, Any] = {}
    exec(code[0], names)
    return names


def signed(secret: str, *more: str, at: datetime | None = None, body: bytes = BODY) -> dict[str, str]:
    return signing.headers("msg_1", at or datetime.now(UTC), body, (secret, *more))


def test_the_example_takes_ours_once_and_with_either_secret(example: dict[str, Any]) -> None:
    old, new = signing.new_secret(), signing.new_secret()
    db = sqlite3.connect(":memory:")
    db.execute("CREATE TABLE inbox (id TEXT PRIMARY KEY, body BLOB)")
    assert example["receive"](signed(new, old), BODY, old, db) is True
    assert example["receive"](signed(new, old), BODY, new, db) is False
    db.close()


def test_the_example_refuses_the_old_the_changed_and_the_strangers(example: dict[str, Any]) -> None:
    secret, verify = signing.new_secret(), example["verify"]
    now = datetime.now(UTC)
    assert verify(signed(secret), BODY, secret) == "msg_1"
    for minutes in (-6, 6):
        with pytest.raises(ValueError, match="too old"):
            verify(signed(secret, at=now + timedelta(minutes=minutes)), BODY, secret)
    good = signed(secret)
    for headers, body in (
        (good, BODY + b" "),
        ({**good, "webhook-id": "msg_2"}, BODY),
        ({**good, "webhook-timestamp": str(int(good["webhook-timestamp"]) + 1)}, BODY),
        (signed(signing.new_secret()), BODY),
    ):
        with pytest.raises(ValueError, match="not signed"):
            verify(headers, body, secret)


def test_a_thousand_malformed_headers_are_refused_and_never_taken(example: dict[str, Any]) -> None:
    secret, verify, dice = signing.new_secret(), example["verify"], random.Random(7)
    good = signed(secret)
    for _round in range(1000):
        bad = dict(good)
        name = dice.choice(sorted(key for key in bad if key.startswith("webhook-")))
        text = bad[name]
        place = dice.randrange(len(text))
        bad[name] = dice.choice(
            (text[:place], text[:place] + "\u00e9" + text[place:], text[::-1], "v1,", "-1", "9" * 40)
        )
        if bad[name] == text:
            continue
        with pytest.raises((ValueError, TypeError)):
            verify(bad, BODY, secret)


def test_the_example_takes_what_really_arrives(
    house: Any, hook: Any, receiver: Any, work: Work, example: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    book(house)
    work()
    got = receiver.taken[0]
    headers = {
        "webhook-id": got.name, "webhook-timestamp": str(got.moment), "webhook-signature": " ".join(got.signatures),
    }  # fmt: skip
    assert example["verify"](headers, got.body, hook.secret) == got.name


def test_every_event_and_each_of_its_fields_exists() -> None:
    from polyclinic import docs
    from polyclinic.core.outbox.events import registered

    docs._know_all()
    for topic in topics.TOPICS:
        for kind, _words in topic.types:
            known = registered()[kind].__struct_encode_fields__
            needed = set(topic.fields) - ({"refundId"} if kind != "payment.refunded" else set())
            assert needed <= set(known), kind
            assert "patientId" not in topic.fields
            assert set(re.findall(r"{(\w+)}", topic.link)) <= set(topic.fields)
