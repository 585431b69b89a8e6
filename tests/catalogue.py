"""A language made for one test, as a catalogue in a folder of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from django.template import engines
from django.utils.translation import trans_real

LANGUAGE = "eo"


@contextmanager
def catalogues(folder: Path, settings: Any) -> Iterator[Callable[[dict[str, str]], str]]:
    """Yields a function: given sentences and their translations it returns the code of a language that has them."""

    def forget() -> None:
        trans_real._translations.pop(LANGUAGE, None)
        engines["jinja2"].env._built.pop(LANGUAGE, None)

    def make(sentences: dict[str, str]) -> str:
        catalog = Catalog(locale=LANGUAGE)
        for sentence, translated in sentences.items():
            catalog.add(sentence, translated)
        target = folder / LANGUAGE / "LC_MESSAGES" / "django.mo"
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as file:
            write_mo(file, catalog)
        settings.LOCALE_PATHS = [folder]
        forget()
        return LANGUAGE

    yield make
    forget()
