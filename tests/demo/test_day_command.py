"""`polyclinic demo day`: its words, where it refuses, and that it moves the visits of a loaded demo."""

from __future__ import annotations

import argparse

import pytest

from polyclinic.commands import arguments, simulate
from tests.house import House

pytestmark = pytest.mark.django_db


def given(*words: str) -> argparse.Namespace:
    return arguments.parser().parse_args(["demo", "day", *words])


def test_the_words_of_the_command() -> None:
    usual = given()
    assert (usual.what, usual.speed, usual.visits, usual.seed) == ("day", 60, 300, 1)
    chosen = given("--speed", "0", "--visits", "12", "--seed", "9", "--facility", "northgate-city-hospital")
    assert (chosen.speed, chosen.visits, chosen.seed, chosen.facility) == (0, 12, 9, "northgate-city-hospital")


@pytest.mark.parametrize("words", [("--speed", "-1"), ("--speed", "fast"), ("--visits", "0"), ("--seed", "x")])
def test_what_is_no_number_of_its_kind_is_refused(words: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        given(*words)
    assert ended.value.code == 2
    assert words[0] in capsys.readouterr().err


def test_it_never_plays_with_real_people(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        simulate.day(given(), print)
    assert ended.value.code == 1
    assert "needs the demo hospital" in capsys.readouterr().err
