"""Line icons from the lucide set, written into the page so that no request and no inline style is needed."""

from __future__ import annotations

from functools import cache

from lucide import jinja as lucide_jinja
from markupsafe import Markup

# Icons that point along the line of reading: they turn round where reading does.
_DIRECTIONAL = frozenset(
    {"chevron-left", "chevron-right", "arrow-left", "arrow-right", "log-in", "log-out", "undo", "redo"}
)


@cache
def icon(name: str, css: str = "") -> Markup:
    """The SVG of a lucide icon, hidden from assistive technology: the words beside it carry the meaning.

    Raises lucide.IconDoesNotExist for a name the set does not have, at the first rendering and not in the browser.
    """
    classes = " ".join(filter(None, ("icon", "flip" if name in _DIRECTIONAL else "", css)))
    svg = lucide_jinja.lucide(name, size=None, **{"class": classes, "aria-hidden": "true", "focusable": "false"})
    # The set is drawn with line breaks for people; on a page with forty icons they are only weight.
    svg = " ".join(svg.split()).replace("> <", "><").replace(" />", "/>")
    return Markup(svg)  # noqa: S704 - made from the installed icon set, never from a person's input
