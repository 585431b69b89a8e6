"""Templates compiled once for each language, with everything that is constant in it already in its place.

A page says some fifty fixed sentences and draws a dozen icons. Looking each up at every rendering was most of a page's
cost; here `_("Today")` and `icon("menu")` become text when the template is compiled.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Final, cast

import jinja2
from django.utils import translation
from jinja2 import nodes
from jinja2.visitor import NodeTransformer
from markupsafe import Markup

# Name in a template -> how its fixed text is made; the first are the translating ones.
_TRANSLATE: Final[dict[str, Callable[..., str]]] = {
    "_": translation.gettext,
    "gettext": translation.gettext,
    "pgettext": translation.pgettext,
}


class _Fold(NodeTransformer):
    """Calls with constant arguments become their results. The language must be active."""

    def __init__(self, constants: dict[str, Callable[..., object]]) -> None:
        self._constants = constants

    def visit_Call(self, node: nodes.Call) -> nodes.Node:
        self.generic_visit(node)
        if not isinstance(node.node, nodes.Name) or node.dyn_args or node.dyn_kwargs:
            return node
        if not all(isinstance(given, nodes.Const) for given in node.args):
            return node
        name, given = node.node.name, [cast("nodes.Const", one).value for one in node.args]
        if name in _TRANSLATE:
            return self._sentence(node, Markup(_TRANSLATE[name](*given)))  # noqa: S704 - a catalogue's own text
        made = self._constants.get(name)
        if made is None or node.kwargs:
            return node
        return nodes.Const(made(*given), lineno=node.lineno)

    def _sentence(self, node: nodes.Call, text: Markup) -> nodes.Node:
        """As Jinja's own new-style gettext: what is filled in is escaped, the sentence is not."""
        if not node.kwargs:
            return nodes.Const(text % {}, lineno=node.lineno)
        pairs = [nodes.Pair(nodes.Const(one.key), one.value) for one in node.kwargs]
        return nodes.Mod(nodes.Const(text), nodes.Dict(pairs), lineno=node.lineno)


class Folded(jinja2.Environment):
    """One language's templates. `constants`: functions whose result depends on language and arguments alone."""

    def __init__(self, language: str | None, constants: dict[str, Callable[..., object]], **options: Any) -> None:  # noqa: ANN401 - Jinja2's own
        super().__init__(**options)
        self._language = language
        self._fold = _Fold(constants)

    def make_globals(self, d: Any) -> Any:  # noqa: ANN401 - Jinja2's own signature
        """A plain copy: Jinja2's chain of the two is walked through again for every template of a page."""
        return {**self.globals, **(d or {})}

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        # "None" is a language, too: no translation at all.
        with translation.override(self._language):
            return cast("nodes.Template", self._fold.visit(tree))


class ByLanguage(jinja2.Environment):
    """Hands out templates of the environment of whatever language is active. `build` makes one for a language."""

    def __init__(self, build: Callable[[str | None], jinja2.Environment], **options: Any) -> None:  # noqa: ANN401 - Jinja2's own
        super().__init__(**options)
        self._build = build
        self._built: dict[str | None, jinja2.Environment] = {}
        self._lock: Final = threading.Lock()

    def active(self) -> jinja2.Environment:
        """The environment of the active language, made when it is first asked for."""
        language = translation.get_language()
        found = self._built.get(language)
        if found is None:
            with self._lock:
                found = self._built.get(language) or self._build(language)
                self._built[language] = found
        return found

    def get_template(self, name: Any, *_rest: Any, **_named: Any) -> jinja2.Template:  # noqa: ANN401 - Jinja2's own
        return self.active().get_template(name)

    def from_string(self, source: Any, *_rest: Any, **_named: Any) -> jinja2.Template:  # noqa: ANN401 - Jinja2's own
        return self.active().from_string(source)
