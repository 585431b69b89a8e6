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


def origin(text: str) -> str:
    """An http(s) address with a host."""
    if urlsplit(text).scheme not in {"http", "https"} or not urlsplit(text).hostname:
        raise ValueError("write an address such as https://clinic.example.org")
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


def _check_port(text: str) -> None:
    try:
        urlsplit(text).port  # noqa: B018 - raises when it is no port
    except ValueError:
        raise ValueError("the port is not a number from 0 to 65535") from None


LANGUAGE_CODES = ("en",)
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its environment name, its default as text, how the text is read, and what it means."""

    name: str
    default: str
    parse: Callable[[str], Any]
    meaning: str


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "POLYCLINIC_MODE",
        "production",
        mode,
        "`demo` shows the demo accounts on the sign-in page and allows plain HTTP; `production` does neither.",
    ),
    Setting("POLYCLINIC_DATA", "var", Path, "Folder for the SQLite database, keys and files."),
    Setting("DATABASE_URL", "", database, "PostgreSQL address; empty means SQLite in the data folder."),
    Setting("SECRET_KEY", "", str, "Signing secret; empty means one is made in the data folder at first start."),
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
    Setting("RATE_LIMITS", "yes", boolean, "Whether request rate limits are enforced."),
    Setting("SESSION_IDLE_MINUTES", "60", count, "Minutes without a request after which a person is signed out."),
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
