"""Line icons from the lucide set, written into the page so that no request and no inline style is needed."""

from __future__ import annotations

from functools import cache
from importlib import resources
from io import BytesIO
from typing import Final
from xml.etree import ElementTree
from zipfile import ZipFile

from lucide import IconDoesNotExist
from markupsafe import Markup

_NAMESPACE: Final = "{http://www.w3.org/2000/svg}"

# Icons that point along the line of reading: they turn round where reading does.
_DIRECTIONAL = frozenset(
    {"chevron-left", "chevron-right", "arrow-left", "arrow-right", "log-in", "log-out", "undo", "redo"}
)


@cache
def _archive() -> ZipFile:
    # The set's own loader opens it anew for every icon and reads the names of all 1,700: a tenth of a cold start.
    return ZipFile(BytesIO(resources.files("lucide").joinpath("lucide.zip").read_bytes()))


def _drawing(name: str) -> ElementTree.Element:
    """The icon's root element, without the namespace that inline SVG does not need."""
    try:
        drawing = ElementTree.fromstring(_archive().read(f"{name}.svg"))  # noqa: S314 - a file of an installed package
    except KeyError:
        raise IconDoesNotExist(f"The icon {name!r} does not exist.") from None
    for node in drawing.iter():
        node.tag = node.tag.removeprefix(_NAMESPACE)
    return drawing


@cache
def icon(name: str, css: str = "") -> Markup:
    """The SVG of a lucide icon, hidden from assistive technology: the words beside it carry the meaning.

    Raises lucide.IconDoesNotExist for a name the set does not have, when a template is compiled and not in the browser.
    """
    classes = " ".join(filter(None, ("icon", "flip" if name in _DIRECTIONAL else "", css)))
    drawing = _drawing(name)
    drawing.attrib.update({"class": classes, "aria-hidden": "true", "focusable": "false"})
    svg = ElementTree.tostring(drawing, encoding="unicode")
    # The set is drawn with line breaks for people; on a page with forty icons they are only weight.
    svg = " ".join(svg.split()).replace("> <", "><").replace(" />", "/>")
    return Markup(svg)  # noqa: S704 - made from the installed icon set, never from a person's input
