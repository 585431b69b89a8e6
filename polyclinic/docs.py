"""Pages made from the code's own tables: states, events, roles, settings, errors, compliance, data.

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

from polyclinic.compliance import inventory, registry
from polyclinic.core import errors, ledger
from polyclinic.core.access.fields import FIELDS
from polyclinic.core.access.rules import MAY_GRANT, POWERS, RULES, SYSTEM, Relation, Role
from polyclinic.core.ledger import Machine
from polyclinic.core.outbox.events import registered
from polyclinic.relay import asyncapi
from polyclinic.settings import declared

_NOTE: Final = "<!-- Written by `polyclinic docs` from the code; edit the code. -->"
_RELATIONS: Final = {
    Relation.ANY: "any",
    Relation.OWN: "their own",
    Relation.TREATING: "as the doctor",
    Relation.FACILITY: "at their facility",
    Relation.CONSENTED: "shared by the patient",
    Relation.DELEGATED: "for whom they care",
    Relation.BOOKING_FOR: "for whom they may book",
    Relation.REPRESENTED: "as parent or guardian",
    Relation.EMERGENCY: "by break-glass",
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
    """File name → text of every generated page."""
    _know_all()
    makers: dict[str, Callable[[], Iterable[str]]] = {
        "compliance.md": _compliance,
        "data.md": lambda: inventory.page(_table),
        "errors.md": _errors,
        "events.md": _events,
        "roles.md": _roles,
        "settings.md": _settings,
        "states.md": _states,
    }
    told = {name: "\n".join([_NOTE, "", *make()]).rstrip() + "\n" for name, make in makers.items()}
    return {"asyncapi.json": asyncapi.document(registered().values()), **told}


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
    held: dict[tuple[str, Role], str] = {}
    for rule in RULES:
        before = held.get((rule.permission, rule.role))
        told = _RELATIONS[rule.relation]
        held[rule.permission, rule.role] = f"{before}; {told}" if before else told
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
    yield from _relations()
    yield from _fields()
    yield from _giving()
    yield "## Jobs of the system"
    yield ""
    yield from _table(
        ("job", "rights"), ((_code(name), ", ".join(map(_code, sorted(SYSTEM[name])))) for name in sorted(SYSTEM))
    )


def _relations() -> Iterable[str]:
    yield "## Relations"
    yield ""
    meanings = {
        Relation.ANY: "Whatever the thing is.",
        Relation.OWN: "The thing is about the person themselves.",
        Relation.TREATING: "The thing belongs to this doctor.",
        Relation.FACILITY: "The role is held at the thing's facility.",
        Relation.CONSENTED: "The patient shares it with the person, or with a facility at which they hold the role.",
        Relation.DELEGATED: "The person acts for the patient, as parent or carer; they need no role of their own.",
        Relation.BOOKING_FOR: "The same, where the patient lets them book too.",
        Relation.REPRESENTED: "The person is the patient's parent or guardian and decides for them.",
        Relation.EMERGENCY: "The person has opened the record by break-glass, for sixty minutes.",
    }
    yield from _table(("in the table", "meaning"), ((_RELATIONS[one], meanings[one]) for one in Relation))


def _fields() -> Iterable[str]:
    yield "## Fields that need a right of their own"
    yield ""
    yield "Whoever may see the thing and lacks the right gets it without the field: absent in JSON, a dash on a page."
    yield ""
    yield from _table(
        ("kind", "field", "right", "others are shown"),
        ((row.kind, _code(row.field), _code(row.right), _code(row.instead) or "nothing") for row in FIELDS),
    )


def _giving() -> Iterable[str]:
    yield "## Who gives which role"
    yield ""
    yield "Nobody changes their own roles, and a facility's last administrator stays. A role of a facility's own is"
    yield "made of rights that its maker holds there, and given by whoever holds them all; "
    yield f"{', '.join(map(_code, sorted(POWERS)))} are no part of one."
    yield ""
    yield from _table(
        ("role", "gives and takes"),
        ((_code(giver), ", ".join(_code(role) for role in sorted(roles))) for giver, roles in MAY_GRANT.items()),
    )


# Compliance


def _compliance() -> Iterable[str]:
    yield "# Held against three standards"
    yield ""
    yield "What we found, no certificate. *Covered* names tests that fail when it is not so; *partly* and *gap* say"
    yield "what is missing. `polyclinic compliance --html … --csv …` writes the same for an auditor. ASVS: levels 1 and"
    yield "2 of V1 to V17, level 3 too of V6 to V9, V14 and V16. The words are ours, the identifiers the standard's."
    yield ""
    yield from _table(
        ("chapter", *(status.value for status in registry.Status)),
        ((name, *(str(counts[status]) for status in registry.Status)) for name, counts in registry.chapters().items()),
    )
    for standard in dict.fromkeys(row.standard for row in registry.rows()):
        yield f"## {standard}"
        yield ""
        yield from _table(
            ("requirement", "status", "what", "tests", "why, and what is missing"),
            (
                (row.id, row.status.value, row.what, "<br>".join(map(_code, row.tests)), row.why)
                for row in registry.rows()
                if row.standard == standard
            ),
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
