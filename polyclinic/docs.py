"""Pages made from the code's own tables: states, events, roles, settings and errors.

`polyclinic docs` writes them to `docs/generated`; a test fails when a page there is not what this module would write.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from pathlib import Path
from types import UnionType
from typing import Any, Final, get_args, get_origin
from uuid import UUID

import msgspec
from django.apps import apps

from polyclinic.core import errors, ledger
from polyclinic.core.access.rules import RULES, SYSTEM, Relation, Role
from polyclinic.core.ledger import Machine
from polyclinic.core.outbox.events import registered
from polyclinic.settings import declared

_NOTE: Final = "<!-- Written by `polyclinic docs` from the code; edit the code. -->"
_RELATIONS: Final = {
    Relation.ANY: "any",
    Relation.OWN: "their own",
    Relation.TREATING: "as the doctor",
    Relation.FACILITY: "at their facility",
}
_KINDS: Final[dict[type, str]] = {UUID: "id", datetime: "time (UTC)", date: "date", str: "text", int: "number"}


def generate(folder: Path) -> list[Path]:
    """Write every page into `folder`, which is made if missing. Returns the paths, in order."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in pages().items():
        path = folder / name
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


def pages() -> dict[str, str]:
    """File name → Markdown of every generated page."""
    _know_all()
    makers: dict[str, Callable[[], Iterable[str]]] = {
        "errors.md": _errors,
        "events.md": _events,
        "roles.md": _roles,
        "settings.md": _settings,
        "states.md": _states,
    }
    return {name: "\n".join([_NOTE, "", *make()]).rstrip() + "\n" for name, make in makers.items()}


def _know_all() -> None:
    """Import every module that registers a machine, an event or an error, so that no page depends on import order."""
    for app in apps.get_app_configs():
        if not app.name.startswith("polyclinic."):
            continue
        for module in ("states", "events", "problems"):
            if (Path(app.path) / f"{module}.py").exists():
                importlib.import_module(f"{app.name}.{module}")
    importlib.import_module("polyclinic.web.errors")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return [*lines, ""]


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _first_line(thing: object) -> str:
    return (thing.__doc__ or "").strip().split("\n")[0] if thing.__doc__ else ""


# States


def _states() -> Iterable[str]:
    yield "# States and steps"
    yield ""
    yield "Every step a thing can take. A step that has no row here is refused with `illegal_transition`."
    yield ""
    for machine in ledger.machines().values():
        yield f"## {machine.name.capitalize()}"
        yield ""
        yield from _diagram(machine)
        head = ("from", "step", "to", "right needed", "condition", "event")
        yield from _table(
            head,
            (
                (
                    _code(row.source or "") or "(new)",
                    _code(row.action),
                    _code(row.target),
                    _code(row.who),
                    _first_line(row.guard) if row.guard else "",
                    _code(row.event.TYPE),
                )
                for row in machine.transitions
            ),
        )


def _diagram(machine: Machine) -> Iterable[str]:
    yield "```mermaid"
    yield "stateDiagram-v2"
    for row in machine.transitions:
        yield f"    {row.source or '[*]'} --> {row.target}: {row.action}"
    leaving = {row.source for row in machine.transitions}
    for state in machine.states():
        if state not in leaving:
            yield f"    {state} --> [*]"
    yield "```"
    yield ""


# Events


def _events() -> Iterable[str]:
    yield "# Events"
    yield ""
    yield "Facts written to the log in the transaction that made them so, and sent live. Ids and a few values, nothing"
    yield "said by or about a patient. A `version` grows when a field changes its meaning or goes."
    yield ""
    yield from _table(
        ("event", "version", "meaning"),
        ((_code(kind), str(cls.VERSION), cls.MEANING) for kind, cls in registered().items()),
    )
    for kind, cls in registered().items():
        yield f"## {kind}"
        yield ""
        yield from _table(
            ("field", "kind"),
            ((_code(field.encode_name), _kind(field.type)) for field in msgspec.structs.fields(cls)),
        )


def _kind(annotation: Any) -> str:  # noqa: ANN401 - any annotation
    if get_origin(annotation) is UnionType or type(None) in get_args(annotation):
        return " or ".join("nothing" if part is type(None) else _kind(part) for part in get_args(annotation))
    return _KINDS.get(annotation, getattr(annotation, "__name__", str(annotation)))


# Roles


def _roles() -> Iterable[str]:
    yield "# Who may do what"
    yield ""
    yield "A right that is not in this table does not exist. A foreign thing and a missing one are answered alike."
    yield ""
    held = {(rule.permission, rule.role): _RELATIONS[rule.relation] for rule in RULES}
    used = [role for role in Role if any(rule.role == role for rule in RULES)]
    permissions = list(dict.fromkeys(rule.permission for rule in RULES))
    yield from _table(
        ("right", *(role.value for role in used)),
        ((_code(name), *(held.get((name, role), "–") for role in used)) for name in permissions),
    )
    idle = [role.value for role in Role if role not in used]
    if idle:
        yield f"Roles without rights in this table: {', '.join(idle)}."
        yield ""
    yield "## Jobs of the system"
    yield ""
    yield from _table(
        ("job", "rights"), ((_code(name), ", ".join(map(_code, sorted(SYSTEM[name])))) for name in sorted(SYSTEM))
    )


# Settings


def _settings() -> Iterable[str]:
    yield "# Settings"
    yield ""
    yield "Given as environment variables. A name with `_FILE` after it may hold a path instead, for secrets."
    yield ""
    yield from _table(
        ("name", "default", "meaning"),
        ((_code(setting.name), _code(setting.default) or "(empty)", setting.meaning) for setting in declared.SETTINGS),
    )


# Errors


def _errors() -> Iterable[str]:
    yield "# Errors"
    yield ""
    yield "Each has a stable `code`; the sentence may be reworded or translated. On the API they are problem+json"
    yield "(RFC 9457), with `field` naming the input at fault where there is one. A step may refuse with its own code."
    yield ""
    family = sorted(_family(errors.Problem), key=lambda cls: (cls.status, cls.code))
    yield from _table(
        ("status", "code", "sentence"),
        ((str(cls.status), _code(cls.code), str(cls.sentence)) for cls in family),
    )


def _family(cls: type[errors.Problem]) -> Iterable[type[errors.Problem]]:
    """A class and all below it that have a code of their own, from the modules where errors are kept."""
    # Anything else is left out: the page must not depend on which other modules happen to be imported.
    if "code" in vars(cls) and cls.__module__.endswith((".errors", ".problems")):
        yield cls
    for child in cls.__subclasses__():
        yield from _family(child)
