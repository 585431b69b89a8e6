"""The rules at their edges: how often to observe (RCP 2017), when doses are due and late, and who the patient is."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from polyclinic.core.errors import Conflict, Invalid
from polyclinic.nursing import rules, sheet
from polyclinic.records.news2 import risk

AT = datetime(2026, 3, 10, 8, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("total", "highest", "due", "overdue", "continuous"),
    [
        (0, 0, 12, 12, False), (1, 1, 4, 6, False), (4, 2, 4, 6, False), (3, 3, 1, 1, False), (4, 3, 1, 1, False),
        (5, 2, 1, 1, False), (6, 3, 1, 1, False), (7, 3, 0, 1, True), (20, 3, 0, 1, True),
    ],
)  # fmt: skip
def test_how_often_to_observe(total: int, highest: int, due: int, overdue: int, continuous: bool) -> None:
    found = rules.next_observation(risk(total, highest), AT, AT)
    assert (found.at, found.overdue_at) == (AT + timedelta(hours=due), AT + timedelta(hours=overdue))
    assert found.continuous is continuous
    assert found.state(found.overdue_at) == "due"
    assert found.state(found.overdue_at + MINUTE) == "overdue"
    if due:
        assert found.state(found.at - MINUTE) == "later"


def test_who_has_no_score_is_seen_within_hours_and_who_is_new_at_once() -> None:
    assert rules.next_observation(None, AT, AT).at == AT + timedelta(hours=4)
    new = rules.next_observation(None, None, AT)
    assert (new.state(AT), new.state(AT + timedelta(minutes=61))) == ("due", "overdue")


def test_a_dose_is_due_from_an_hour_before_and_late_an_hour_after() -> None:
    hour = timedelta(hours=1)
    told = [sheet.status_of(AT, AT + shift) for shift in (-hour - MINUTE, -hour, hour, hour + MINUTE)]
    assert told == ["later", "due", "due", "late"]


def test_planned_doses_keep_their_hour_over_summer_time() -> None:
    # Europe/Berlin goes to summer time on 2026-03-29.
    found = rules.planned("twice", ("08:00", "20:00"), datetime(2026, 3, 28, 10, tzinfo=UTC), None, "Europe/Berlin",
                          datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 3, 30, tzinfo=UTC))  # fmt: skip
    assert [f"{one:%d %H}" for one in found] == ["28 19", "29 06", "29 18"]


def test_planned_doses_begin_with_the_order_and_end_with_it() -> None:
    starts, stops = datetime(2026, 3, 1, 8, 0, tzinfo=UTC), datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
    wide = (datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
    assert rules.planned("daily", ("08:00",), starts, stops, "UTC", *wide) == [starts]
    assert rules.planned("daily", ("08:00",), starts + MINUTE, stops + MINUTE, "UTC", *wide) == [stops]
    assert rules.planned("once", (), starts, None, "UTC", *wide) == [starts]
    days = rules.planned("alternate", ("08:00",), starts, starts + timedelta(days=5), "UTC", *wide)
    assert [one.day for one in days] == [1, 3, 5]


def test_times_are_as_many_as_the_frequency_says() -> None:
    assert rules.times_of("twice", "") == ("08:00", "20:00")
    assert rules.times_of("twice", "21:30, 09:00") == ("09:00", "21:30")
    for wrong in ("25:00 08:00", "08:00", "08:00 08:00", "eight"):
        with pytest.raises(Invalid) as refused:
            rules.times_of("twice", wrong)
        assert refused.value.field == "times"


REAL = ("O'Neill-García", date(1980, 5, 17), "MRN0000001")


@pytest.mark.parametrize(
    "given",
    [
        ("", "1980-05-17", "mrn0000001"), ("oneill garcia", "1980-05-17", ""), ("O'NEILL-GARCÍA", "", "MRN 0000001"),
        ("O'Neill-García", "1980-05-17", "MRN0000001"),
    ],
)  # fmt: skip
def test_two_identifiers_are_enough(given: tuple[str, str, str]) -> None:
    rules.identified(family=given[0], born=given[1], wristband=given[2], real=REAL)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        (("", "", ""), Invalid), (("O'Neill-García", "", ""), Invalid), (("", " ", "MRN0000001"), Invalid),
        (("", "1980-05-18", "MRN0000001"), Conflict), (("Other", "1980-05-17", ""), Conflict),
        (("Other", "1980-05-17", "MRN0000001"), Conflict), (("", "17.05.1980", "MRN0000001"), Conflict),
    ],
)  # fmt: skip
def test_one_or_a_wrong_one_is_not(given: tuple[str, str, str], error: type[Exception]) -> None:
    with pytest.raises(error):
        rules.identified(family=given[0], born=given[1], wristband=given[2], real=REAL)
