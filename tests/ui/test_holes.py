"""Rows drawn with holes and filled afterwards."""

from __future__ import annotations

from typing import Any

import pytest
from django.template import engines

from polyclinic.portals.ui.holes import Hole, LookedAt, Skeleton, holes

NAMES = ("name", "age")


def drawn(source: str, **context: Any) -> str:
    return engines["jinja2"].env.from_string(source).render({**holes(NAMES), **context})


def test_texts_go_into_their_holes_escaped_each_time_they_are_printed() -> None:
    html = drawn('<a title="{{ name }}">{{ age }} 100% {{ name }}</a>')
    assert Skeleton(html, NAMES).fill(('"Anna" <b>', "%s")) == (
        '<a title="&#34;Anna&#34; &lt;b&gt;">%s 100% &#34;Anna&#34; &lt;b&gt;</a>'
    )


def test_a_text_with_the_mark_itself_stays_in_its_hole() -> None:
    skeleton = Skeleton(drawn("{{ name }}|{{ age }}"), NAMES)
    assert skeleton.fill(("\0age\0 & \0", "7")) == "\0age\0 &amp; \0|7"
    assert skeleton.fill(("a\0b", "7")) == "a\0b|7"


def test_a_sentence_may_hold_one() -> None:
    html = drawn('{{ _("More for %(name)s", name=name) }}{{ age }}')
    assert Skeleton(html, NAMES).fill(("<i>", "")) == "More for &lt;i&gt;"


@pytest.mark.parametrize(
    "source",
    [
        "{% if name %}x{% endif %}",
        "{{ name or 'nobody' }}",
        '{{ "x" if name == "Anna" }}',
        "{{ name|length }}",
        "{% for letter in name %}{{ letter }}{% endfor %}",
        "{{ name.upper() }}",
        "{{ name[0] }}",
        "{{ {name: 1} }}",
        "{{ 'a' in name }}",
        "{{ age > 3 }}",
        "{{ name|truncate(3) }}",
    ],
)
def test_a_template_cannot_decide_by_a_hole(source: str) -> None:
    with pytest.raises(LookedAt):
        drawn(source)


@pytest.mark.parametrize("source", ["{{ name|upper }}{{ age }}", "{{ name }}"])
def test_what_is_not_printed_as_it_is_makes_no_skeleton(source: str) -> None:
    with pytest.raises(ValueError):
        Skeleton(drawn(source), NAMES)


def test_a_hole_without_a_name_is_told() -> None:
    with pytest.raises(ValueError):
        Skeleton(f"{Hole('name')}{Hole('other')}", NAMES)
