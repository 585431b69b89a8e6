"""What may be typed after `polyclinic`: one function for each family of commands."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final, TypeAlias

from polyclinic import __version__

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

_MAIN_EXAMPLES: Final = """\
Start here:
  polyclinic demo --serve          a demo hospital on http://localhost:8000
  polyclinic createuser --help     an account for a real one
  polyclinic doctor                is this installation in order?

Settings come from the environment; `polyclinic serve --help` names the usual ones.
"""


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


def _speed(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1
    if not 0 <= number <= 100_000:
        raise argparse.ArgumentTypeError("a speed is a number from 0 (as fast as it goes) to 100000")
    return number


def _playing(demo: argparse.ArgumentParser) -> None:
    demo.add_argument(
        "what", nargs="?", choices=["day"], help="day: play a simulated day into the demo, while the server runs"
    )
    demo.add_argument("--speed", type=_speed, default=60, help="day: times as fast as the clock, 0: at once (60)")
    demo.add_argument("--visits", type=_positive, default=300, help="day: how many come (default %(default)s)")
    demo.add_argument("--seed", type=int, default=1, help="day: the same seed gives the same day (default %(default)s)")
    demo.add_argument("--facility", metavar="SLUG", default="", help="day: where (default: that of the demo accounts)")


def _serving(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--port", type=_port, default=8000, help="port, 0 for any free one (default %(default)s)")
    parser.add_argument("--workers", type=_positive, default=1, help="processes; more than one needs PostgreSQL")
    parser.add_argument("--no-migrate", action="store_true", help="do not bring the database up to date first")
    parser.add_argument(
        "--trust-proxy", metavar="ADDRESS", default="", help="take X-Forwarded-* from this proxy's address"
    )


def _add(commands: Commands, name: str, summary: str, examples: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name,
        help=summary,
        description=summary,
        epilog=f"Examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(command=name)
    return parser


def _audit(commands: Commands) -> None:
    audit = _add(
        commands,
        "audit",
        "The audit trail.",
        "  polyclinic audit verify\n  polyclinic audit sign\n"
        '  polyclinic audit restart "restored the backup of Monday after the disk failed"\n'
        "  polyclinic audit protect --role polyclinic --print",
    )
    audit.add_argument(
        "what",
        choices=["verify", "sign", "restart", "protect"],
        help="verify: recompute every chain, compare it with the signed checkpoints, report each break; "
        "sign: write a checkpoint now; restart: begin checkpoints anew after a backup was restored; "
        "protect: take the audit's tables out of the application's hands (PostgreSQL)",
    )
    audit.add_argument("reason", nargs="?", default="", help="why checkpoints begin anew (restart)")
    audit.add_argument("--role", default="", help="the database role the application signs in with (protect)")
    audit.add_argument("--owner", default="polyclinic_audit", help="who will own the tables (default %(default)s)")
    audit.add_argument("--print", action="store_true", dest="show", help="only print the statements (protect)")


def _research(commands: Commands) -> None:
    research = _add(
        commands,
        "research",
        "Anonymised data for research.",
        "  polyclinic research export --facility riverside-clinic --from 2026-01-01 --to 2026-06-30 \\\n"
        '      --purpose "waiting times" --approval "ethics board 17/2026" --out visits.zip',
    )
    research.add_argument("what", choices=["export"], help="export: a zip with the visits and a report of k-anonymity")
    research.add_argument("--facility", action="append", required=True, metavar="SLUG", help="may be given again")
    research.add_argument("--from", dest="first", required=True, metavar="DAY", help="first day, year-month-day")
    research.add_argument("--to", dest="last", required=True, metavar="DAY", help="last day, year-month-day")
    research.add_argument("--purpose", required=True, help="what for; kept on record")
    research.add_argument("--approval", required=True, help="who approved it, for example the ethics board's number")
    research.add_argument("--k", type=_positive, default=5, help="least people in a class (default %(default)s)")
    research.add_argument("--weekdays", action="store_true", help="shift dates by whole weeks")
    research.add_argument(
        "--years-only", action="store_true", help="tell of dates the year alone (Safe Harbor's letter)"
    )
    # A file, since a command line can be read by everyone on the machine.
    research.add_argument(
        "--seed-key",
        type=Path,
        metavar="FILE",
        help="32 bytes or more; the same key gives the same pseudonyms and shifts",
    )
    research.add_argument("--out", type=Path, default=Path("research.zip"), help="file to write (default %(default)s)")


def _watching(commands: Commands) -> None:
    """What is kept for how long, and which rules of others are met."""
    retention = _add(
        commands,
        "retention",
        "How long what is kept.",
        "  polyclinic retention table\n  polyclinic retention due\n  polyclinic retention run",
    )
    retention.add_argument(
        "what",
        choices=["table", "due", "run"],
        help="table: kinds, years and laws; due: how many records are past their time; "
        "run: remove what goes by itself now (never a patient's record)",
    )
    figures = _add(
        commands,
        "analytics",
        "The figures of past days.",
        "  polyclinic analytics follow\n  polyclinic analytics rebuild --facility riverside",
    )
    figures.add_argument(
        "what",
        choices=["follow", "rebuild"],
        help="follow: count what is not counted yet (the server does so by itself); "
        "rebuild: forget what was counted and count every day again, as after a facility's time zone was changed",
    )
    figures.add_argument(
        "--facility", action="append", metavar="SLUG", help="rebuild: only this one; may be given again"
    )
    compliance = _add(
        commands,
        "compliance",
        "OWASP ASVS 5 and HIPAA 164.312, row by row, with the tests that show them.",
        "  polyclinic compliance\n  polyclinic compliance --html report.html --csv report.csv",
    )
    compliance.add_argument("--html", type=Path, metavar="FILE", help="write it as a page")
    compliance.add_argument("--csv", type=Path, metavar="FILE", help="write it as a table")
    compliance.add_argument("--sbom", type=Path, metavar="FILE", help="write what is installed here (CycloneDX)")


def _running(commands: Commands) -> None:
    """The server, its database and the demo hospital."""
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
        "Load the demo hospital, unless it is there already, or play a day in it.",
        "  polyclinic demo\n  polyclinic demo --serve\n  polyclinic --data /tmp/trial demo --serve --port 8080\n"
        "  polyclinic demo day --speed 60       ten hours in ten minutes, on every open board",
    )
    _playing(demo)
    demo.add_argument("--serve", action="store_true", help="run the server afterwards")
    _serving(demo)
    _add(commands, "doctor", "Check this installation and name the remedy for what is wrong.", "  polyclinic doctor")


def _people(commands: Commands) -> None:
    """Accounts, before there is anybody who could sign in and make them."""
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

    lost = _add(
        commands,
        "resetfactors",
        "Take every second factor off an account whose owner has lost them all and has shown who they are.",
        '  polyclinic resetfactors ana@example.org --reason "telephone stolen, identity card seen"',
    )
    lost.add_argument("email")
    lost.add_argument("--reason", required=True, help="why, for the audit trail")


def _keys(commands: Commands) -> None:
    """What seals patients' texts and signs tokens."""
    keys = _add(
        commands,
        "keys",
        "The keys that seal what is kept about patients.",
        "  polyclinic keys status\n  polyclinic keys rotate\n  polyclinic keys rotate --data-keys\n"
        '  polyclinic keys shred MRN0010007 --reason "request 2026-17" --yes',
    )
    keys.add_argument(
        "what",
        choices=["status", "rotate", "rewrap", "shred"],
        help="status: what there is; rotate: a new master key; rewrap: end a rotation that was broken off; "
        "shred: destroy a patient's key, for good",
    )
    keys.add_argument("mrn", nargs="?", default="", help="shred: the patient's record number")
    keys.add_argument("--data-keys", action="store_true", help="rotate: new data keys too, every text sealed anew")
    keys.add_argument("--reason", default="", help="shred: why, for the audit trail; name nobody")
    keys.add_argument("--yes", action="store_true", help="shred: really")

    tokens = _add(commands, "tokens", "The keys that sign access tokens.", "  polyclinic tokens rotate")
    tokens.add_argument("what", choices=["status", "rotate"], help="list the keys, or make a new one")


def _backups(commands: Commands) -> None:
    """Copies of everything, bringing them back, and what is done with a copy in hand."""
    made = _add(
        commands,
        "backup",
        "Make a sealed backup while people work.",
        "  polyclinic backup key > /safe/place/backup.key      once; keep it away from this machine\n"
        "  BACKUP_FOLDER=/mnt/backups polyclinic backup\n  polyclinic backup list --to /mnt/backups",
    )
    made.add_argument(
        "what", nargs="?", choices=["make", "key", "list"], default="make",
        help="make: a backup now (the server makes one a day by itself); key: what opens backups, told once; "
        "list: those that are complete",
    )  # fmt: skip
    made.add_argument("--to", type=Path, metavar="FOLDER", help="folder of backups (the setting BACKUP_FOLDER)")
    made.add_argument("--renew", action="store_true", help="key: a new one; older backups still need the old one")

    back = _add(
        commands,
        "restore",
        "Bring a backup back, into an empty place or with --replace over this one.",
        "  polyclinic --data /srv/polyclinic restore --from /mnt/backups --key /media/stick/backup.key\n"
        "  polyclinic restore 20261122T030000000-1a2b3c --from /mnt/backups --key backup.key --replace",
    )
    drill = _add(
        commands,
        "verify",
        "Check backups: their bytes, or with the key everything, restored to a temporary place and checked there.",
        "  polyclinic verify --from /mnt/backups\n  polyclinic verify --from /mnt/backups --key backup.key",
    )
    for one in (back, drill):
        one.add_argument("id", nargs="?", default="latest", help="which backup (default: the newest)")
        one.add_argument("--from", dest="to", type=Path, metavar="FOLDER", help="folder of backups (BACKUP_FOLDER)")
        one.add_argument(
            "--key", type=Path, metavar="FILE", help="file with the backup key (or the setting BACKUP_KEY)"
        )
    back.add_argument("--replace", action="store_true", help="take the place of what is here, which is moved aside")
    back.add_argument("--check", action="store_true", help="afterwards check everything, as `verify` does")
    drill.add_argument("--into", metavar="URL", default="", help="an empty PostgreSQL database to restore into")

    newer = _add(
        commands,
        "upgrade",
        "Bring the database up to this version: copy, migrate, check, and the copy back if anything fails.",
        "  polyclinic upgrade",
    )
    newer.add_argument("--back", action="store_true", help="only put back what an upgrade that was broken off left")

    moving = _add(
        commands,
        "db",
        "Move from SQLite to PostgreSQL; broken off, the same command goes on.",
        "  polyclinic db move --to postgres://user:password@host/polyclinic",
    )
    moving.add_argument("what", choices=["move"])
    moving.add_argument("--to", required=True, metavar="URL", help="an empty PostgreSQL database")


def _relaying(commands: Commands) -> None:
    """Events to a message broker."""
    relay = _add(
        commands,
        "relay",
        "Events to the message broker of BROKER_URL. A running server sends them by itself.",
        "  polyclinic relay status\n  polyclinic relay run\n  polyclinic relay rewind --to 0",
    )
    relay.add_argument(
        "what",
        choices=["status", "run", "rewind"],
        help="status: how far it is; run: send here, as a process of its own; rewind: send what is in the log after a "
        "position again",
    )
    relay.add_argument("--to", type=int, metavar="POSITION", help="rewind: the last position that is not sent again")


def _source(commands: Commands) -> None:
    """What works on the source tree alone."""
    bench = _add(commands, "bench", "Measure this machine (needs the source tree).", "  polyclinic bench")
    bench.add_argument("rest", nargs=argparse.REMAINDER, help="passed on to the benchmark")

    docs = _add(commands, "docs", "Write the generated tables (needs the source tree).", "  polyclinic docs --check")
    docs.add_argument("--check", action="store_true", help="write nothing; fail when a table is out of date")


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
    for family in (_running, _backups, _people, _keys, _audit, _research, _watching, _relaying, _source):
        family(commands)
    return top
