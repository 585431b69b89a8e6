"""Dates, ages and names as pages write them; macros as they come out; assets as they are found missing."""

from __future__ import annotations

import gzip
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import lucide
import pytest
from django.template.loader import engines
from django.utils import translation

from polyclinic.core import clock
from polyclinic.portals.ui import assets_check, formats
from polyclinic.portals.ui.icons import icon

LATE = datetime(2026, 11, 21, 20, 30, tzinfo=UTC)
STATIC = Path(formats.__file__).parent / "static"


def _page(source: str, **context: object) -> str:
    return engines["jinja2"].from_string(source).render(context)


def test_clinical_date_is_unambiguous_and_in_the_zone_of_the_place() -> None:
    assert formats.clinical_date(LATE, "Asia/Kolkata") == "22-Nov-2026"
    assert formats.clinical_date(LATE, "America/Lima") == "21-Nov-2026"
    assert formats.clinical_date(date(1945, 7, 4)) == "04-Jul-1945"
    assert formats.clinical_date(None) == "–"


def test_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        formats.clinical_date(LATE)


def test_clinical_date_is_isolated_in_right_to_left() -> None:
    with translation.override("ar"):
        text = formats.clinical_date(date(1945, 7, 14))
    assert text[0] == "\u2066"
    assert text[-1] == "\u2069"


def test_clock_has_24_hours() -> None:
    assert formats.clock(LATE, "Europe/Paris") == "21:30"
    assert formats.clock(None, "UTC") == "–"


def test_clock_tells_the_two_halves_of_a_repeated_hour_apart() -> None:
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    shown = [formats.clock(first + timedelta(hours=hours), "Europe/Paris") for hours in (-1, 0, 1, 2)]
    assert shown == ["01:30", "02:30 (UTC+02:00)", "02:30 (UTC+01:00)", "03:30"]


def test_long_date_names_the_year_only_when_it_is_another() -> None:
    with clock.fixed(datetime(2026, 11, 1, tzinfo=UTC)):
        assert formats.long_date(LATE, "UTC") == "Saturday 21 November"
        assert formats.long_date(date(2027, 1, 2)) == "Saturday 2 January 2027"


@pytest.mark.parametrize(
    ("born", "age"),
    [
        (date(1945, 7, 14), "81y"),
        (date(1945, 11, 22), "80y"),
        (date(2024, 11, 21), "2y"),
        (date(2024, 11, 22), "23m"),
        (date(2026, 10, 24), "1m"),
        (date(2026, 10, 25), "27 days"),
        (date(2026, 11, 20), "1 day"),
        (date(2026, 11, 22), ""),
        (None, ""),
    ],
)
def test_age_reads_as_clinicians_write_it(born: date | None, age: str) -> None:
    assert formats.age(born, date(2026, 11, 21)) == age


def test_staff_name_puts_the_family_first_in_capitals() -> None:
    assert formats.staff_name(("Smith", "John")) == "SMITH, John"
    assert formats.staff_name("Smith", "John") == "SMITH, John"
    assert formats.staff_name(("Sukarno", "")) == "SUKARNO"
    assert formats.staff_name("SMITH, John") == "SMITH, John"


def test_zone_label_names_place_and_offset() -> None:
    assert formats.zone_label("Asia/Kolkata", LATE) == "Kolkata (UTC+05:30)"


def test_icon_is_hidden_from_screen_readers_and_a_wrong_name_is_found_at_once() -> None:
    assert 'aria-hidden="true"' in icon("check")
    with pytest.raises(lucide.IconDoesNotExist):
        icon("no-such-icon")


def test_macros_escape_what_people_typed() -> None:
    text = _page(
        '{% from "ui/components.html" import tag, patient_banner %}{% from "ui/forms.html" import field %}'
        '{{ tag(evil) }}{{ field("name", evil, evil, errors={"name": [evil]}) }}'
        "{{ patient_banner(evil, none, evil, evil) }}",
        evil='"><script>alert(1)</script>',
    )
    assert "<script>" not in text
    assert 'value="&#34;&gt;&lt;script' in text


@pytest.mark.parametrize(
    ("allergies", "words"), [(None, "Not asked"), ([], "None known"), (["Penicillin"], "Penicillin")]
)
def test_banner_tells_not_asked_from_none_known(allergies: list[str] | None, words: str) -> None:
    source = (
        '{% from "ui/components.html" import patient_banner %}{{ patient_banner("A, B", none, "F", "1", allergies) }}'
    )
    text = _page(source, allergies=allergies)
    for other in ("Not asked", "None known", "Penicillin"):
        assert (other in text) == (other == words)


def test_field_ties_hint_and_error_to_the_input() -> None:
    source = '{% from "ui/forms.html" import field %}{{ field("email", "E-mail", hint="h", errors=errors) }}'
    assert 'aria-describedby="email-hint email-error" aria-invalid="true"' in _page(
        source, errors={"email": ["Wrong."]}
    )
    assert "aria-invalid" not in _page(source, errors={})


def test_error_summary_leads_to_the_field() -> None:
    source = '{% from "ui/forms.html" import error_summary %}{{ error_summary(errors) }}'
    text = _page(source, errors={"born": ["Enter a date."], "__all__": ["Try again."]})
    assert '<a href="#born">Enter a date.</a>' in text
    assert "<li>Try again.</li>" in text


def test_styles_and_scripts_stay_light() -> None:
    """At most 40 kB compressed a page for all of it together, and 50 kB for the font."""
    files = [*(STATIC / "css").glob("*.css"), *(STATIC / "js").glob("*.js")]
    assert sum(len(gzip.compress(file.read_bytes())) for file in files) <= 40_000


def test_styles_are_logical_so_that_right_to_left_works() -> None:
    for file in (STATIC / "css").glob("*.css"):
        text = file.read_text(encoding="utf-8")
        for word in (
            "margin-left",
            "margin-right",
            "padding-left",
            "padding-right",
            "text-align: left",
            " left:",
            " right:",
        ):
            assert word not in text, f"{file.name}: {word}"


def test_missing_assets_are_named(tmp_path: Path) -> None:
    assert assets_check.missing(tmp_path) == ["inter.woff2", "socket.io.js", "manifest.json"]
    for name in assets_check.NEEDED:
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "manifest.json").write_text("{}", encoding="utf-8")
    assert assets_check.missing(tmp_path) == []
    (tmp_path / "manifest.json").write_text("{", encoding="utf-8")
    assert assets_check.missing(tmp_path) == ["manifest.json"]
