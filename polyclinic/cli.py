"""The `polyclinic` command. Each subcommand lives in `polyclinic.commands` and is loaded when it is called.

Exit codes: 0 done, 1 it did not work and the message says why, 2 the command line was wrong.
"""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Final, NoReturn

from polyclinic import __version__

_MAIN_EXAMPLES: Final = """\
Start here:
  polyclinic demo --serve          a demo hospital on http://localhost:8000
  polyclinic createuser --help     an account for a real one
  polyclinic doctor                is this installation in order?

Settings come from the environment; `polyclinic serve --help` names the usual ones.
"""


def fail(message: str) -> NoReturn:
    """Say why it did not work and stop with exit code 1."""
    print(f"polyclinic: {message}", file=sys.stderr)
    raise SystemExit(1)


def _port(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = -1
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535 (0 takes any free one)")
    return number


def _positive(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError("write a whole number from 1")
    return number


def _serving(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--port", type=_port, default=8000, help="port, 0 for any free one (default %(default)s)")
    parser.add_argument("--workers", type=_positive, default=1, help="processes; more than one needs PostgreSQL")
    parser.add_argument("--no-migrate", action="store_true", help="do not bring the database up to date first")
    parser.add_argument(
        "--trust-proxy", metavar="ADDRESS", default="", help="take X-Forwarded-* from this proxy's address"
    )


def _add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, summary: str, examples: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name,
        help=summary,
        description=summary,
        epilog=f"Examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(command=name)
    return parser


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(
        prog="polyclinic",
        description="A clinic, a hospital or a network of them as one live system.",
        epilog=_MAIN_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"polyclinic {__version__}")
    top.add_argument("--data", type=Path, metavar="FOLDER", help="data folder (the setting POLYCLINIC_DATA)")
    commands = top.add_subparsers(metavar="command", required=True)

    serve = _add(
        commands,
        "serve",
        "Run the server.",
        "  polyclinic serve\n  polyclinic serve --host 0.0.0.0 --port 80\n"
        "  DATABASE_URL=postgres://user:password@host/name polyclinic serve --workers 4\n\n"
        "Settings: POLYCLINIC_DATA, DATABASE_URL, ALLOWED_HOSTS, PUBLIC_URL, POLYCLINIC_MODE, EMAIL_URL.",
    )
    _serving(serve)

    _add(commands, "migrate", "Bring the database up to date.", "  polyclinic migrate")

    demo = _add(
        commands,
        "demo",
        "Load the demo hospital, unless it is there already.",
        "  polyclinic demo\n  polyclinic demo --serve\n  polyclinic --data /tmp/trial demo --serve --port 8080",
    )
    demo.add_argument("--serve", action="store_true", help="run the server afterwards")
    _serving(demo)

    user = _add(
        commands,
        "createuser",
        "Make an account, with a role at a facility if you name one.",
        '  polyclinic createuser ana@example.org "Ana Silva"\n'
        '  polyclinic createuser desk@example.org "Front Desk" --role receptionist --facility riverside\n'
        "  echo 'a long enough password' | polyclinic createuser … --password-stdin",
    )
    user.add_argument("email")
    user.add_argument("name")
    user.add_argument("--role", choices=["receptionist", "manager", "admin"])
    user.add_argument("--facility", metavar="SLUG", help="short name of the facility the role is held at")
    user.add_argument("--language", default="", help="language code such as en or ar")
    user.add_argument("--password-stdin", action="store_true", help="read the password from standard input")

    _add(commands, "doctor", "Check this installation and name the remedy for what is wrong.", "  polyclinic doctor")

    audit = _add(commands, "audit", "The audit trail.", "  polyclinic audit verify")
    audit.add_argument("what", choices=["verify"], help="verify: recompute every chain and report each break")

    bench = _add(commands, "bench", "Measure this machine (needs the source tree).", "  polyclinic bench")
    bench.add_argument("rest", nargs=argparse.REMAINDER, help="passed on to the benchmark")

    docs = _add(commands, "docs", "Write the generated tables (needs the source tree).", "  polyclinic docs --check")
    docs.add_argument("--check", action="store_true", help="write nothing; fail when a table is out of date")
    return top


# Which module runs a command, and whether Django is needed for it.
_MODULES: Final = {
    "serve": "polyclinic.commands.serve",
    "demo": "polyclinic.commands.serve",
    "migrate": "polyclinic.commands.database",
    "createuser": "polyclinic.commands.accounts",
    "doctor": "polyclinic.commands.doctor",
    "audit": "polyclinic.commands.database",
    "bench": "polyclinic.commands.source",
    "docs": "polyclinic.commands.source",
}


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    given = parser().parse_args(arguments)
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
