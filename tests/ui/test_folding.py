"""Sentences and icons are put in their place when a template is compiled, once for each language."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import lucide
import pytest
from django.template import engines
from django.utils import translation
from markupsafe import Markup

from polyclinic.web.pages import draw

Catalogue = Callable[[dict[str, str]], str]


def compiled(source: str) -> Any:
    return engines["jinja2"].env.from_string(source)


@pytest.fixture
def lookups(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Sentences looked up from now on."""
    found: list[str] = []
    real = translation._trans.gettext

    def gettext(sentence: str) -> str:
        found.append(sentence)
        return str(real(sentence))

    monkeypatch.setattr(translation._trans, "gettext", gettext)
    return found


def test_a_sentence_is_looked_up_when_compiled_and_not_when_drawn(lookups: list[str]) -> None:
    page = compiled('{{ _("Today") }} {{ _("Hello %(name)s", name=who) }}')
    assert lookups == ["Today", "Hello %(name)s"]
    assert page.render(who="<b>") == "Today Hello &lt;b&gt;"
    assert page.render(who=Markup("<b>")) == "Today Hello <b>"
    assert len(lookups) == 2


def test_a_sentence_that_is_not_constant_is_still_looked_up(lookups: list[str]) -> None:
    page = compiled("{{ _(what) }}")
    assert lookups == []
    assert page.render(what="Today") == "Today"
    assert lookups == ["Today"]


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ('{{ _("100%%") }}', "100%"),
        ('{{ _("a <b>") }}', "a <b>"),
        ('{{ pgettext("sex, one letter", "F") }}', "F"),
        ('{{ _("Day")|upper }}', "DAY"),
        ('{{ _("Day") ~ "<" }}', "Day&lt;"),
        ('{% set x = _("Day") %}{{ x }}', "Day"),
        ('{% macro m(x) %}[{{ x }}]{% endmacro %}{{ m(_("Day")) }}', "[Day]"),
        ('{{ ngettext("%(num)s day", "%(num)s days", 2) }}', "2 days"),
        ("{{ direction() }} {{ language() }}", "ltr en"),
    ],
)
def test_it_reads_as_without_folding(source: str, shown: str) -> None:
    assert compiled(source).render() == shown


def test_each_language_has_its_own(catalogue: Catalogue) -> None:
    source = '{{ _("Today") }} {{ _("Hello %(name)s", name="<b>") }} {{ language() }}'
    with translation.override(catalogue({"Today": "Hodiaŭ", "Hello %(name)s": "Saluton %(name)s"})):
        assert compiled(source).render() == "Hodiaŭ Saluton &lt;b&gt; eo"
    assert compiled(source).render() == "Today Hello &lt;b&gt; en"


def test_included_and_inherited_templates_follow_the_language(catalogue: Catalogue) -> None:
    english = draw("public/emergency.html", {"request": None, "departments": []})
    with translation.override(catalogue({"Menu": "Menuo", "Skip to main content": "Rekte"})):
        other = draw("public/emergency.html", {"request": None, "departments": []})
    assert "Menuo" in other
    assert "Rekte" in other
    assert "Menuo" not in english
    assert draw("public/emergency.html", {"request": None, "departments": []}) == english


def test_reading_direction_belongs_to_the_language() -> None:
    with translation.override("ar"):
        assert compiled("{{ direction() }}").render() == "rtl"
    with translation.override(None):
        assert compiled('{{ direction() }}{{ _("Today") }}').render() == "ltrToday"
    assert compiled("{{ direction() }}").render() == "ltr"


def test_an_icon_that_does_not_exist_is_told_when_compiled() -> None:
    assert "<svg" in compiled('{{ icon("menu") }}').render()
    with pytest.raises(lucide.IconDoesNotExist):
        compiled('{% if false %}{{ icon("no-such-icon") }}{% endif %}')
