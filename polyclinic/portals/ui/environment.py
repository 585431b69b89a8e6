"""The Jinja2 environment every page is rendered in."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import jinja2
from django.templatetags.static import static
from django.urls import reverse
from django.utils import translation

from polyclinic.billing import money
from polyclinic.core import clock
from polyclinic.files.selectors import photo_of
from polyclinic.laboratory import units
from polyclinic.portals.common import zone_of
from polyclinic.portals.ui import formats
from polyclinic.portals.ui.folding import ByLanguage, Folded
from polyclinic.portals.ui.icons import icon


def url(name: str, *args: object, **kwargs: object) -> str:
    """The path of a named address. Raises NoReverseMatch when there is none."""
    return reverse(name, args=args or None, kwargs=kwargs or None)


def direction() -> str:
    """Reading direction of the active language, `ltr` or `rtl`."""
    return "rtl" if translation.get_language_bidi() else "ltr"


def make(**options: Any) -> jinja2.Environment:  # noqa: ANN401 - the options are Jinja2's own
    """Build the environment: one for each language, made when it is first needed (`folding`).

    Autoescape is always on. `trim_blocks` and `lstrip_blocks` keep the many small macros from filling pages with blank
    lines.
    """
    # auto_reload off: templates are read and compiled once a process and language, and stay in memory.
    options = {"trim_blocks": True, "lstrip_blocks": True, "cache_size": -1, **options, "autoescape": True}
    options["extensions"] = ["jinja2.ext.i18n", "jinja2.ext.do"]
    # The names of collected files do not change while a process lives, and a page names fifteen.
    file_name = cache(static)

    def build(language: str | None) -> jinja2.Environment:
        constants: dict[str, Callable[..., object]] = {
            "icon": icon, "direction": direction, "language": translation.get_language, "static": file_name
        }  # fmt: skip
        return _equip(Folded(language, constants, **options), file_name)

    return ByLanguage(build, **options)


def _equip(environment: jinja2.Environment, file_name: Callable[[str], str]) -> jinja2.Environment:
    """`environment` with the names that templates use."""
    environment.install_gettext_callables(  # type: ignore[attr-defined]  # added by the i18n extension
        translation.gettext,
        translation.ngettext,
        newstyle=True,
        pgettext=translation.pgettext,
        npgettext=translation.npgettext,
    )
    environment.globals.update(
        static=file_name,
        url=url,
        icon=icon,
        direction=direction,
        language=translation.get_language,
        now=clock.now,
        photo_of=photo_of,
        zone_of=zone_of,
    )
    environment.filters.update(
        clinical_date=formats.clinical_date,
        clock=formats.clock,
        long_date=formats.long_date,
        short_date=formats.short_date,
        zone_label=formats.zone_label,
        age=formats.age,
        staff_name=formats.staff_name,
        money=money.shown,
        unit=units.shown,
    )
    return environment
