"""Every setting an administrator can give, in one table.

The table is what `docs/generated/settings.md` is made from, so a setting that is not here does not exist.
Values come from the environment; a name ending in `_FILE` may hold a path instead, for secrets kept in files.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


def boolean(text: str) -> bool:
    """Read yes or no as people write them; anything else is an error that names the choices."""
    lowered = text.strip().lower()
    if lowered in {"1", "true", "yes", "on"}:
        return True
    if lowered in {"0", "false", "no", "off", ""}:
        return False
    raise ValueError("write yes or no")


def chosen(text: str) -> bool | None:
    """Yes or no; nothing when it is left to the mode."""
    return boolean(text) if text.strip() else None


def names(text: str) -> list[str]:
    """A comma-separated list; spaces around names do not count."""
    return [part.strip() for part in text.split(",") if part.strip()]


def mode(text: str) -> str:
    if text not in {"demo", "production"}:
        raise ValueError("write demo or production")
    return text


def count(text: str) -> int:
    """A whole number from 1."""
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 2**31):
        raise ValueError("write a whole number from 1")
    return int(text)


def folder(text: str) -> Path | None:
    """A folder, or nothing."""
    return Path(text) if text else None


def database(text: str) -> str:
    """An address of PostgreSQL, or nothing."""
    if text and urlsplit(text).scheme not in {"postgres", "postgresql", "sqlite"}:
        raise ValueError("write postgres://user:password@host/name, or leave it empty")
    _check_port(text)
    return text


def mail(text: str) -> str:
    """How mail leaves: printed, or by a server."""
    if urlsplit(text).scheme not in {"console", "smtp"}:
        raise ValueError("write console: or smtp://user:password@host:587")
    _check_port(text)
    return text


def texting(text: str) -> str:
    """How text messages leave: printed, or by a gateway's address."""
    if urlsplit(text).scheme != "console":
        try:
            origin(text)
        except ValueError:
            raise ValueError("write console: or the gateway's address, https://…") from None
    return text


def origin(text: str) -> str:
    """An http(s) address with a host."""
    if urlsplit(text).scheme not in {"http", "https"} or not urlsplit(text).hostname:
        raise ValueError("write an address such as https://clinic.example.org")
    _check_port(text)
    return text


def key_service(text: str) -> str:
    """An http(s) address with mount and key name, or nothing."""
    if text and (urlsplit(text).scheme not in {"http", "https"} or urlsplit(text).path.strip("/").count("/") < 1):
        raise ValueError("write an address such as https://kms.example.org:8200/v1/transit/polyclinic")
    _check_port(text)
    return text


def broker(text: str) -> str:
    """An address of RabbitMQ, or nothing."""
    if text and (urlsplit(text).scheme not in {"amqp", "amqps"} or not urlsplit(text).hostname):
        raise ValueError("write amqp://user:password@host:5672/vhost (amqps:// for TLS), or leave it empty")
    _check_port(text)
    return text


def channel(text: str) -> str:
    """A name that exchanges and queues may have."""
    if not (0 < len(text) <= 120 and text.isascii() and text.replace(".", "").replace("-", "").isalnum()):
        raise ValueError("write letters, digits, dots and hyphens such as polyclinic.events")
    return text


def scanner(text: str) -> str:
    """An address of clamd, or nothing."""
    if text and urlsplit(text).scheme not in {"tcp", "unix"}:
        raise ValueError("write tcp://host:3310 or unix:///path/to/clamd.sock, or leave it empty")
    _check_port(text)
    return text


def sink(text: str) -> str:
    """Where copies of the audit's checkpoints go, or nothing."""
    if text and (urlsplit(text).scheme not in {"https", "http", "syslog"} or not urlsplit(text).hostname):
        raise ValueError("write https://… or syslog://host:port, or leave it empty")
    _check_port(text)
    return text


def language(text: str) -> str:
    if text not in LANGUAGE_CODES:
        raise ValueError(f"write one of {', '.join(LANGUAGE_CODES)}")
    return text


def log_level(text: str) -> str:
    level = text.upper()
    if level not in _LEVELS:
        raise ValueError(f"write one of {', '.join(_LEVELS)}")
    return level


def log_format(text: str) -> str:
    if text not in {"lines", "json"}:
        raise ValueError("write lines or json")
    return text


def currency(text: str) -> str:
    if not (len(text) == 3 and text.isascii() and text.isalpha() and text.isupper()):
        raise ValueError("write three letters such as EUR")
    return text


def consent_rule(text: str) -> str:
    if text not in {"opt-in", "opt-out"}:
        raise ValueError("write opt-in or opt-out")
    return text


def years(text: str) -> dict[str, int]:
    """Years by kind: `record=10,requests=6`."""
    found = {}
    for part in names(text):
        kind, _sign, number = part.partition("=")
        if kind.strip() not in RETENTION_KINDS:
            raise ValueError(f"{kind.strip()} is none of {', '.join(RETENTION_KINDS)}")
        found[kind.strip()] = count(number.strip())
    return found


def bases(text: str) -> dict[str, str]:
    """The law behind each kind's years: `record=BGB 630f (3); notices=GDPR 5 (1) e`, parted by semicolons."""
    found = {}
    for part in filter(None, (one.strip() for one in text.split(";"))):
        kind, _sign, law = part.partition("=")
        if kind.strip() not in RETENTION_KINDS or not law.strip():
            raise ValueError(f"write one of {', '.join(RETENTION_KINDS)}, an equals sign and the law")
        found[kind.strip()] = law.strip()
    return found


def _check_port(text: str) -> None:
    try:
        urlsplit(text).port  # noqa: B018 - raises when it is no port
    except ValueError:
        raise ValueError("the port is not a number from 0 to 65535") from None


LANGUAGE_CODES = ("en",)
# What has a time of its own in `privacy.retention`.
RETENTION_KINDS = ("record", "notices", "invitations")
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its environment name, its default as text, how the text is read, what it means, if it is secret."""

    name: str
    default: str
    parse: Callable[[str], Any]
    meaning: str
    secret: bool = False


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "POLYCLINIC_MODE",
        "production",
        mode,
        "`demo` shows the demo accounts on the sign-in page and allows plain HTTP; `production` does neither.",
    ),
    Setting("POLYCLINIC_DATA", "var", Path, "Folder for the SQLite database, keys and files."),
    Setting(
        "AUDIT_CHECKPOINTS",
        "",
        folder,
        "Folder for the audit's signed checkpoints, best on another disk; empty means one in the data folder.",
    ),
    Setting(
        "AUDIT_SINK",
        "",
        sink,
        "Another machine that gets each signed checkpoint: `https://…` as a signed POST of JSON lines (a host inside "
        "also in OUTGOING_ALLOW), or `syslog://host:port` over TCP.",
    ),
    Setting("DATABASE_URL", "", database, "PostgreSQL address; empty means SQLite in the data folder."),
    Setting("SECRET_KEY", "", str, "Signing secret; empty means one is made in the data folder at first start.", True),
    Setting("KEYS_FOLDER", "", str, "Folder of the key file and the key vault; empty means `keys` in the data folder."),
    Setting(
        "MASTER_KEY",
        "",
        str,
        "Master key as `k1=` and 32 bytes in base64, newest first; empty means a key file made at first start.",
        True,
    ),
    Setting("KEY_VAULT_URL", "", database, "PostgreSQL database for wrapped keys; empty means a file in KEYS_FOLDER."),
    Setting(
        "KMS_URL", "", key_service, "Key service (transit protocol) that keeps the master key: address with key name."
    ),
    Setting("KMS_TOKEN", "", str, "Token for the key service.", True),
    Setting(
        "BACKUP_FOLDER",
        "",
        folder,
        "Folder the server makes backups in by itself, on another machine's disk; empty means none are made.",
    ),
    Setting("BACKUP_EVERY_MINUTES", "1440", count, "Minutes from one backup to the next."),
    Setting("BACKUP_KEEP_DAYS", "30", count, "Days for which backups are kept; the newest always is."),
    Setting(
        "BACKUP_KEY",
        "",
        str,
        "What opens backups, for restore and verify alone; never set where the server runs.",
        True,
    ),
    Setting("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]", names, "Host names this server answers to."),
    Setting("PUBLIC_URL", "http://localhost:8000", origin, "Address people reach the server at, used in mails."),
    Setting(
        "CORS_ORIGINS",
        "",
        names,
        "Origins of other portals that may call the API with cookies, for example http://localhost:5173.",
    ),
    Setting("DEFAULT_LANGUAGE", "en", language, "Language shown when a person has not chosen one."),
    Setting("EMAIL_URL", "console:", mail, "`console:` prints mails; `smtp://user:password@host:587` sends them."),
    Setting("EMAIL_FROM", "Polyclinic <no-reply@localhost>", str, "Sender of mails."),
    Setting("WORKER_THREADS", "3", count, "Threads that run pages and API calls; 2 to 4 suit one process."),
    Setting("MAX_BODY_BYTES", "2097152", count, "Largest request body accepted, in bytes."),
    Setting("MAX_UPLOAD_BYTES", "10485760", count, "Largest file accepted where files can be sent, in bytes."),
    Setting("IMPORT_MAX_ROWS", "100000", count, "Most rows of a list that is imported."),
    Setting("IMPORT_KEEP_DAYS", "30", count, "Days after which the file of an import is made unreadable."),
    Setting(
        "CLAMAV_URL", "", scanner, "Virus scanner clamd that sees every file first: tcp://host:3310 or unix:///path."
    ),
    Setting("INSECURE_HTTP", "no", boolean, "Take the risk of plain HTTP in production; logged at each start."),
    Setting(
        "PLAIN_LINES",
        "no",
        boolean,
        "Take the risk of unencrypted lines to a database, key vault or mail server on another machine.",
    ),
    Setting("MAIL_TO_CONSOLE", "no", boolean, "Take the risk that mails are printed and not sent in production."),
    Setting("DEMO_ACCOUNTS_IN_PRODUCTION", "no", boolean, "Take the risk of accounts whose password everybody knows."),
    Setting(
        "OUTGOING_ALLOW",
        "",
        names,
        "Hosts inside this network that the server may ask all the same, such as a text-message gateway: `host:port`.",
    ),
    Setting("CURRENCY", "EUR", currency, "Currency of a facility that has not charged anything yet (ISO 4217)."),
    Setting(
        "STRIPE_SECRET_KEY", "", str, "Stripe's secret key; empty means nothing is paid online, but in the demo.", True
    ),
    Setting("STRIPE_WEBHOOK_SECRET", "", str, "Secret that Stripe signs its notices with.", True),
    Setting("STRIPE_URL", "https://api.stripe.com", origin, "Where Stripe's API is."),
    Setting(
        "METRICS_TOKEN",
        "",
        str,
        "Who shows it as a bearer token may read `/metrics`; empty means this machine alone, and no proxy on it.",
        True,
    ),
    Setting(
        "LOG_FORMAT",
        "lines",
        log_format,
        "`lines` for people, `json` for collectors: one object a line with time, level, request id, where and what.",
    ),
    Setting("LOG_FILE", "", folder, "File the log goes to instead of standard error; empty means standard error."),
    Setting("LOG_FILE_BYTES", "10485760", count, "Size at which the log file is put aside and begun anew."),
    Setting("LOG_FILES", "10", count, "Log files put aside that are kept."),
    Setting(
        "SLOW_QUERY_MS",
        "500",
        count,
        "Statements of the database that take longer are logged: time, place and words, never a value.",
    ),
    Setting(
        "BROKER_URL",
        "",
        broker,
        "RabbitMQ that gets every event of the log: `amqps://user:password@host/vhost`; empty means none. Needs the "
        "extra `polyclinic[rabbitmq]`.",
    ),
    Setting(
        "BROKER_EXCHANGE",
        "polyclinic.events",
        channel,
        "Name of the broker's exchange and of the queue behind it; dead letters are in the same with `.dead`.",
    ),
    Setting("RATE_LIMITS", "yes", boolean, "Whether request rate limits are enforced."),
    Setting("SESSION_IDLE_MINUTES", "15", count, "Minutes without a request after which a person is signed out."),
    Setting(
        "STAFF_SECOND_FACTOR",
        "",
        chosen,
        "Whether everyone but patients needs a second factor; empty means yes, except in demo mode.",
    ),
    Setting(
        "SMS_URL",
        "console:",
        texting,
        "`console:` prints text messages; `https://…` gets each as JSON with `to` and `text`, `#number,body` after the "
        "address names the two otherwise.",
    ),
    Setting(
        "RESEARCH_CONSENT",
        "opt-out",
        consent_rule,
        "Whose data a research export takes: `opt-out` everyone's but of those who took their word back, `opt-in` only "
        "of those who share for research.",
    ),
    Setting(
        "RETENTION_YEARS",
        "",
        years,
        "Years for which a kind is kept, where not the usual ones: `record=30,notices=1`. `polyclinic retention table` "
        "says them.",
    ),
    Setting("RETENTION_BASIS", "", bases, "The law behind it, by kind: `record=BGB 630f (3); notices=GDPR 5 (1) e`."),
    Setting("LOG_LEVEL", "INFO", log_level, "Least severe log level that is written."),
)

_BY_NAME = {setting.name: setting for setting in SETTINGS}


def read(name: str) -> Any:  # noqa: ANN401 - the kind is the setting's own
    """The parsed value of a declared setting.

    Raises SystemExit with the setting's name and the way out when the text cannot be read, so that a typing
    mistake in the environment is one clear line and not a traceback.
    """
    setting = _BY_NAME[name]
    text = os.environ.get(name)
    path = os.environ.get(f"{name}_FILE")
    if text is None and path:
        try:
            text = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as problem:
            raise SystemExit(f"Setting {name}_FILE: {path} cannot be read ({problem}).") from None
    try:
        return setting.parse(setting.default if text is None else text)
    except ValueError as problem:
        raise SystemExit(f"Setting {name} cannot be read: {problem}. It means: {setting.meaning}") from None
