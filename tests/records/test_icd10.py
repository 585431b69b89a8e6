"""Finding a diagnosis: by words, by code, by the beginning of one; and only codes that can be written down."""

from __future__ import annotations

import pytest

from polyclinic.records import icd10


def codes(text: str, limit: int = 12) -> list[str]:
    return [one.code for one in icd10.search(text, limit)]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("pneumonia", "J18.9"), ("J18.9", "J18.9"), ("j189", "J18.9"), ("heart attack", "I21.9"),
        ("High blood pressure", "I10"), ("uti", "N39.0"), ("urinary tract infection", "N39.0"),
    ],
)  # fmt: skip
def test_what_is_looked_for_comes_first(text: str, first: str) -> None:
    assert codes(text)[0] == first


def test_a_prefix_gives_what_is_below_it() -> None:
    found = codes("J18")
    assert found == ["J18.0", "J18.1", "J18.2", "J18.8", "J18.9"]


def test_words_may_be_cut_off_and_stand_in_any_order() -> None:
    assert "J18.9" in codes("unspec pneum")
    assert "E11.9" in codes("type 2 diabetes")
    assert codes("zzzz") == codes("") == codes("   ") == []


def test_only_codes_that_can_be_written_down() -> None:
    assert icd10.find("J18") is None
    assert icd10.find("Z99.99") is None
    assert icd10.find("i10") == icd10.Code("I10", "Essential (primary) hypertension")
    assert icd10.find("S72.001") is None
    broken = icd10.find("S72001A")
    assert broken is not None
    assert broken.code == "S72.001A"
    assert "right femur, initial" in broken.text


@pytest.mark.parametrize("text", ["\x00", "(((", "a" * 5000, "%_", "😀", ". . .", "J18.9.9.9", "1" * 80])
def test_nonsense_finds_nothing_and_breaks_nothing(text: str) -> None:
    assert isinstance(icd10.search(text), list)
