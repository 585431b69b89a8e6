"""The formulary and the tables about its substances: whole, sourced, and true at their edges."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest

from polyclinic.medicines import (
    allergens,
    cautions,
    classes,
    doses,
    duplicates,
    formulary,
    interactions,
    seed,
    selectors,
    tallman,
)
from polyclinic.medicines.models import Medicine
from polyclinic.medicines.rows import MedicineRow
from polyclinic.medicines.units import UNITS, counted

ROWS = {row.code: selectors.row(row) for row in seed.products()}


def of(code: str) -> MedicineRow:
    return ROWS[code]


def tier(one: str, other: str) -> str | None:
    found = interactions.between(of(one), of(other))
    return found[0].tier if found else None


def test_every_product_is_whole_and_told_apart() -> None:
    assert len(ROWS) == len(seed.products()) >= 120
    assert len({row.price_code for row in ROWS.values()}) == len(ROWS)
    for product in seed.products():
        product.clean_fields(exclude=["brand", "strength_value", "doses_per_unit"])
        assert product.unit in UNITS
        assert product.dose_unit in UNITS
        assert product.atc == "" or re.fullmatch(r"[A-Z]\d\d[A-Z][A-Z](\d\d)?", product.atc), product.code


@pytest.mark.django_db
def test_loading_twice_adds_nothing_and_keeps_what_a_house_changed() -> None:
    assert seed.load() == len(ROWS)
    Medicine.objects.filter(code="codeine-30-mg-tablet").update(active=False)
    assert seed.load() == 0
    assert not Medicine.objects.get(code="codeine-30-mg-tablet").active


@pytest.mark.django_db
def test_searching(django_assert_num_queries: Any) -> None:
    seed.load()
    with django_assert_num_queries(1):
        found = selectors.search("amox 500")
    assert [row.generic for row in found][:1] == ["amoxicillin"]
    assert {row.strength for row in found} <= {"500 mg", "500 mg/125 mg"}
    assert selectors.search("J01CA")[0].generic == "amoxicillin"
    assert selectors.search("  ") == []
    assert selectors.search("%") == [] or all("%" in row.strength for row in selectors.search("%"))
    Medicine.objects.filter(generic="amoxicillin").update(active=False)
    assert all(row.generic != "amoxicillin" for row in selectors.search("amoxicillin"))
    row = Medicine.objects.filter(generic="amoxicillin")[0]
    assert selectors.medicine(row.pk).active is False
    assert selectors.many([row.pk])[row.pk].name == str(row)


def test_every_name_in_the_tables_is_a_substance_or_a_group() -> None:
    known = set(classes.GROUPS) | {one for row in ROWS.values() for one in row.substances}
    # Named by groups and tables, and not kept here.
    known |= {"duloxetine", "lovastatin", "penicillin"}
    for pair in interactions.PAIRS:
        assert {pair.one, pair.other} <= known, pair
        assert pair.tier in interactions.RANK
        assert str(pair.says)
        assert len(pair.source) > 8
    for rule in cautions.RULES:
        assert rule.what in known, rule
        assert rule.source
        assert sum((rule.under is not None, rule.from_ is not None, rule.egfr is not None, rule.pregnant)) == 1
    for group in classes.GROUPS.values():
        assert set(group.substances) <= known
    assert set(doses.LIMITS) <= known
    assert all(limit.source for limit in doses.LIMITS.values())
    keys = [pair.key for pair in interactions.PAIRS]
    assert len(keys) == len(set(keys)) >= 60


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("glyceryl-trinitrate-0.5-mg-tablet", "sildenafil-50-mg-tablet", "contraindicated"),
        ("simvastatin-20-mg-tablet", "clarithromycin-500-mg-tablet", "contraindicated"),
        ("simvastatin-20-mg-tablet", "itraconazole-100-mg-capsule", "contraindicated"),
        ("linezolid-600-mg-tablet", "sertraline-50-mg-tablet", "contraindicated"),
        ("methotrexate-2.5-mg-tablet", "sulfamethoxazole-trimethoprim-800-mg-160-mg-tablet", "contraindicated"),
        ("enalapril-5-mg-tablet", "sacubitril-valsartan-49-mg-51-mg-tablet", "contraindicated"),
        ("warfarin-5-mg-tablet", "ibuprofen-400-mg-tablet", "serious"),
        ("warfarin-5-mg-tablet", "metronidazole-400-mg-tablet", "serious"),
        ("morphine-10-mg-tablet", "diazepam-5-mg-tablet", "serious"),
        ("clopidogrel-75-mg-tablet", "omeprazole-20-mg-capsule", "serious"),
        ("clopidogrel-75-mg-tablet", "pantoprazole-40-mg-tablet", None),
        ("lithium-carbonate-300-mg-tablet", "hydrochlorothiazide-25-mg-tablet", "serious"),
        ("levothyroxine-50-microgram-tablet", "ferrous-sulfate-200-mg-tablet", "caution"),
        ("azithromycin-500-mg-tablet", "citalopram-20-mg-tablet", "caution"),
        ("amoxicillin-500-mg-capsule", "paracetamol-500-mg-tablet", None),
    ],
)
def test_pairs(one: str, other: str, expected: str | None) -> None:
    assert tier(one, other) == tier(other, one) == expected


def test_a_row_taken_out_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: it is the table that finds them."""
    left = tuple(pair for pair in interactions.PAIRS if pair.one != "nitrates")
    monkeypatch.setattr(interactions, "PAIRS", left)
    assert tier("glyceryl-trinitrate-0.5-mg-tablet", "sildenafil-50-mg-tablet") is None


@pytest.mark.parametrize(
    ("written", "code", "expected"),
    [
        ("Penicillin", "amoxicillin-500-mg-capsule", "contraindicated"),
        ("penicillins (rash)", "amoxicillin-clavulanic-acid-500-mg-125-mg-tablet", "contraindicated"),
        ("Amoxicillin", "flucloxacillin-500-mg-capsule", "contraindicated"),
        ("Penicillin", "cefalexin-500-mg-capsule", "serious"),
        ("Penicillin", "azithromycin-500-mg-tablet", None),
        ("Sulfa drugs", "sulfamethoxazole-trimethoprim-800-mg-160-mg-tablet", "contraindicated"),
        ("Sulfa drugs", "furosemide-40-mg-tablet", None),
        ("Aspirin", "ibuprofen-400-mg-tablet", "serious"),
        ("Ibuprofen", "naproxen-500-mg-tablet", "contraindicated"),
        ("Ibuprofen", "paracetamol-500-mg-tablet", None),
        ("acetylsalicylic acid", "acetylsalicylic-acid-100-mg-tablet", "contraindicated"),
        ("Codeine", "morphine-10-mg-tablet", "caution"),
        ("Acetaminophen", "paracetamol-500-mg-tablet", "contraindicated"),
        ("Peanuts", "amoxicillin-500-mg-capsule", None),
        ("", "amoxicillin-500-mg-capsule", None),
    ],
)
def test_what_an_allergy_in_words_means(written: str, code: str, expected: str | None) -> None:
    found = allergens.against(written, of(code))
    assert (found.tier if found else None) == expected


def test_duplicates_by_substance_and_by_kind() -> None:
    both = of("amoxicillin-500-mg-capsule"), of("amoxicillin-clavulanic-acid-500-mg-125-mg-tablet")
    assert duplicates.same_substance(*both) == "amoxicillin"
    assert duplicates.same_kind(of("ibuprofen-400-mg-tablet"), of("naproxen-500-mg-tablet")) == "M01AE"
    assert duplicates.same_kind(of("insulin-human-100-units-ml-injection"), of("metformin-500-mg-tablet")) is None
    # Given together on purpose.
    assert duplicates.same_kind(of("carbamazepine-200-mg-tablet"), of("lamotrigine-25-mg-tablet")) is None


def test_tall_letters_and_units() -> None:
    assert tallman.tall("hydralazine") == "hydrALAZINE"
    assert tallman.tall("Hydroxyzine") == "hydrOXYzine"
    assert tallman.tall("amoxicillin + clavulanic acid") == "amoxicillin + clavulanic acid"
    assert [counted("tablet", Decimal(value)) for value in ("0.5", "1", "1.5", "2")] == [
        "tablet", "tablet", "tablets", "tablets"
    ]  # fmt: skip
    assert counted("mL", Decimal(5)) == "mL"


def test_no_unit_can_be_misread() -> None:
    """After the list of error-prone abbreviations: no U, IU, µg, and no zero after the point."""
    for line in formulary.LINES.strip().splitlines():
        strength = line.split("|")[3]
        assert not re.search(r"\bI?U\b|µg|mcg|\d\.0\b|(?<!\d)\.\d", strength), line
