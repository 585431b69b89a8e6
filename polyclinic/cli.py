"""The `polyclinic` command. Each subcommand lives in `polyclinic.commands` and is loaded when it is called.

Exit codes: 0 done, 1 it did not work and the message says why, 2 the command line was wrong.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Final

from polyclinic.commands import arguments

# Which module runs a command, and whether Django is needed for it.
_MODULES: Final = {
    "serve": "polyclinic.commands.serve",
    "demo": "polyclinic.commands.serve",
    "migrate": "polyclinic.commands.database",
    "backup": "polyclinic.commands.backup",
    "restore": "polyclinic.commands.backup",
    "verify": "polyclinic.commands.backup",
    "upgrade": "polyclinic.commands.upgrade",
    "db": "polyclinic.commands.moving",
    "createuser": "polyclinic.commands.accounts",
    "resetfactors": "polyclinic.commands.accounts",
    "doctor": "polyclinic.commands.doctor",
    "keys": "polyclinic.commands.keys",
    "tokens": "polyclinic.commands.tokens",
    "audit": "polyclinic.commands.audit",
    "research": "polyclinic.commands.privacy",
    "retention": "polyclinic.commands.privacy",
    "compliance": "polyclinic.commands.compliance",
    "analytics": "polyclinic.commands.analytics",
    "relay": "polyclinic.commands.relay",
    "bench": "polyclinic.commands.source",
    "docs": "polyclinic.commands.source",
}


def main(typed: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    given = arguments.parser().parse_args(typed)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "polyclinic.settings")
    if given.data is not None:
        os.environ["POLYCLINIC_DATA"] = str(given.data)
    if given.command == "demo":
        os.environ.setdefault("POLYCLINIC_MODE", "demo")
    import django  # here, so that --help and a wrong command line answer at once

    django.setup(set_prefix=False)
    from polyclinic.commands import database

    database.use_one_connection()
    run = getattr(import_module(_MODULES[given.command]), given.command)
    try:
        return int(run(given) or 0)
    except KeyboardInterrupt:
        return 130
