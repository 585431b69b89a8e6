"""What makes a production installation unsafe: one list, asked by `polyclinic serve` and shown by `polyclinic doctor`.

A finding stops the start, unless the setting that names its risk says yes; that is then written to the log each time.
"""

from __future__ import annotations

import ipaddress
import logging
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from django.conf import settings
from django.db import DatabaseError

from polyclinic.core.crypto import kms
from polyclinic.core.crypto.problems import CryptoError
from polyclinic.core.crypto.ring import ring
from polyclinic.settings.declared import read

_log = logging.getLogger("polyclinic.safety")
_LEAST_SECRET: Final = 32
# Passwords that come with images, tutorials and compose files.
_USUAL: Final = frozenset({
    "", "postgres", "password", "polyclinic", "admin", "root", "secret", "changeme", "change-me", "example", "test",
    "123456",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Risk:
    """One thing that is not safe, what to do, and the setting that would take the risk all the same ("" for none)."""

    what: str
    remedy: str
    override: str = ""


def _loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def http(listening: str) -> Iterator[Risk]:
    """Plain HTTP is for this machine alone."""
    parts = urlsplit(settings.PUBLIC_URL)
    if parts.scheme != "https" and not (_loopback(parts.hostname or "") and _loopback(listening)):
        yield Risk(
            f"PUBLIC_URL is {settings.PUBLIC_URL}: passwords and health data would travel unencrypted",
            "set PUBLIC_URL to the https:// address people use, with a proxy that ends TLS before this server",
            "INSECURE_HTTP",
        )


def secret_key(_listening: str) -> Iterator[Risk]:
    key: str = settings.SECRET_KEY
    if len(key) < _LEAST_SECRET or len(set(key)) < 10 or "insecure" in key.lower() or "changeme" in key.lower():
        yield Risk(
            "SECRET_KEY is short or easily guessed: sessions and links could be forged",
            "leave SECRET_KEY empty, or make one: python -c 'import secrets; print(secrets.token_urlsafe(48))'",
        )


def hosts(_listening: str) -> Iterator[Risk]:
    if any(name in {"*", "."} for name in settings.ALLOWED_HOSTS):
        yield Risk(
            "ALLOWED_HOSTS takes any host name: links in mails could be made to lead elsewhere",
            "name the host of PUBLIC_URL in ALLOWED_HOSTS",
        )


def debugging(_listening: str) -> Iterator[Risk]:
    if settings.DEBUG:
        yield Risk(
            "DEBUG is on: error pages would show what is in memory", "start without a settings module of your own"
        )


def mail(_listening: str) -> Iterator[Risk]:
    if settings.EMAIL_BACKEND.endswith("console.EmailBackend") and not _loopback(
        urlsplit(settings.PUBLIC_URL).hostname or ""
    ):
        yield Risk(
            "EMAIL_URL is console: mails with reset links would be printed and never sent",
            "set EMAIL_URL=smtp://user:password@host:587",
            "MAIL_TO_CONSOLE",
        )


def database(_listening: str) -> Iterator[Risk]:
    """Passwords of PostgreSQL that everybody tries first. On this machine alone a socket may need none."""
    for name in ("DATABASE_URL", "KEY_VAULT_URL"):
        parts = urlsplit(read(name))
        local = parts.hostname is None or _loopback(parts.hostname)
        if parts.scheme.startswith("postgres") and not local and unquote(parts.password or "").lower() in _USUAL:
            yield Risk(f"{name} has no password of its own", "give the database user a long random password")


def lines(_listening: str) -> Iterator[Risk]:
    """What leaves this machine for a database or a mail server is encrypted, and for one that shows who it is."""
    for name in ("DATABASE_URL", "KEY_VAULT_URL"):
        parts = urlsplit(read(name))
        checked = {"verify-full", "verify-ca"} & set(parse_qs(parts.query).get("sslmode", ()))
        if parts.scheme.startswith("postgres") and parts.hostname and not _loopback(parts.hostname) and not checked:
            yield Risk(
                f"{name} leads to another machine without checking who it is: data could travel unencrypted",
                "add ?sslmode=verify-full&sslrootcert=/path/to/ca.pem to it",
                "PLAIN_LINES",
            )
    broker = urlsplit(settings.BROKER_URL)
    if broker.scheme == "amqp" and not _loopback(broker.hostname or ""):
        yield Risk(
            "BROKER_URL leads to another machine unencrypted: who is a patient of whom could be read on the way",
            "use amqps:// for BROKER_URL",
            "PLAIN_LINES",
        )
    if not settings.EMAIL_BACKEND.endswith("smtp.EmailBackend") or _loopback(settings.EMAIL_HOST):
        return
    if not (settings.EMAIL_USE_TLS or settings.EMAIL_USE_SSL):
        yield Risk(
            "EMAIL_URL leads to another machine unencrypted: links that choose a password could be read",
            "use a mail server that speaks STARTTLS",
            "PLAIN_LINES",
        )


def folders(_listening: str) -> Iterator[Risk]:
    """Nobody else on this machine may look into data and keys."""
    if os.name == "nt":
        return
    data, keys = Path(settings.DATA), kms.folder()
    if data.exists() and data.stat().st_mode & stat.S_IRWXO:
        yield Risk(f"The data folder {data} can be entered by everybody on this machine", f"chmod 700 {data}")
    for path in [keys, *sorted(keys.glob("*")), *sorted(data.glob("*.key"))]:
        if path.exists() and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            yield Risk(f"{path} can be read by others", f"chmod {'700' if path.is_dir() else '600'} {path}")


def keys(_listening: str) -> Iterator[Risk]:
    """Without its keys a server would start and then fail at the first patient."""
    try:
        ring.root()
    except CryptoError as problem:
        yield Risk(f"The keys cannot be used: {problem}", "put the key file and vault of this database back")
    if urlsplit(settings.KMS_URL).scheme == "http" and not _loopback(urlsplit(settings.KMS_URL).hostname or ""):
        yield Risk("KMS_URL is not https: the root key would travel unencrypted", "use https:// for KMS_URL")


def demo_accounts(_listening: str) -> Iterator[Risk]:
    """Accounts whose password is printed on the sign-in page of every demo."""
    from polyclinic.demo import accounts
    from polyclinic.people.models import Account

    try:
        found = Account.objects.filter(email__in=[one.email for one in accounts.ACCOUNTS], is_active=True).exists()
    except DatabaseError:
        return  # not migrated yet, or not reachable: others say so
    if found:
        yield Risk(
            "The database holds the demo accounts, whose password everybody knows",
            "use an empty database, or start with POLYCLINIC_MODE=demo",
            "DEMO_ACCOUNTS_IN_PRODUCTION",
        )


CHECKS: Final[tuple[Callable[[str], Iterator[Risk]], ...]] = (
    http, secret_key, hosts, debugging, mail, database, lines, folders, keys, demo_accounts,
)  # fmt: skip


def risks(listening: str = "127.0.0.1") -> list[Risk]:
    """Everything unsafe about this installation; nothing is in demo mode, where all people are invented."""
    if settings.DEMO:
        return []
    return [risk for check in CHECKS for risk in check(listening)]


def taken(risk: Risk) -> bool:
    """Whether the administrator has said by a setting that this risk is taken."""
    return bool(risk.override) and bool(read(risk.override))


def require(listening: str) -> list[Risk]:
    """The risks that stop the start. Those taken on purpose are logged."""
    stopping = []
    for risk in risks(listening):
        if taken(risk):
            _log.warning("%s (taken on purpose: %s)", risk.what, risk.override)
        else:
            stopping.append(risk)
    return stopping
