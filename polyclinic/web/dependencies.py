"""What an installation leans on, and what to do where it gives way: for `polyclinic doctor` and the system's page."""

from __future__ import annotations

import shutil
import smtplib
import tempfile
from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from typing import Final

import msgspec
from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone
from django.utils.translation import gettext as _

from polyclinic.core.crypto.problems import CryptoError
from polyclinic.core.crypto.ring import ring
from polyclinic.relay import broker as brokers
from polyclinic.relay import status as relaying

LEAST_FREE: Final = 512 * 1024 * 1024
MOST_SKEW: Final = 2.0
MAIL_SECONDS: Final = 5


class Finding(msgspec.Struct, frozen=True, rename="camel"):
    """What one check found; `remedy` is empty when all is well."""

    what: str
    remedy: str = ""


def disk() -> Finding:
    folder = settings.DATA if settings.DATA.exists() else settings.DATA.resolve().parent
    if not folder.exists():
        return Finding(
            _("Data folder %(folder)s is missing") % {"folder": settings.DATA},
            _("create it, or name another with --data"),
        )
    free = shutil.disk_usage(folder).free
    told = _("%(free).1f GiB free at %(folder)s") % {"free": free / 2**30, "folder": settings.DATA}
    remedy = _("make room: at least 0.5 GiB is needed to keep booking")
    return Finding(told, "" if free >= LEAST_FREE else remedy)


def storage() -> Finding:
    """Write something where files and the audit's checkpoints go, and take it away again."""
    for folder in (settings.DATA, settings.AUDIT_CHECKPOINTS):
        if folder is None:
            continue
        try:
            with tempfile.TemporaryFile(dir=Path(folder)) as file:
                file.write(b"polyclinic")
                file.flush()
        except OSError as failure:
            return Finding(
                _("Files cannot be written to %(folder)s (%(why)s)")
                % {"folder": folder, "why": failure.strerror or type(failure).__name__},
                _("make the folder, let the server's user write to it; look for a disk that is full or read-only"),
            )
    return Finding(_("Files can be written"))


def time() -> Finding:
    """This machine's clock beside the database's: tokens, leases and the order of things rest on them."""
    if connection.vendor != "postgresql":
        return Finding(_("Clock: the database is on this machine"))
    try:
        with connection.cursor() as cursor:
            before = timezone.now()
            cursor.execute("SELECT clock_timestamp()")
            theirs = cursor.fetchone()[0].astimezone(UTC)
            after = timezone.now()
    except DatabaseError:
        return Finding(_("Clock: not known, the database cannot be used"), _("repair the database first"))
    skew = max((before - theirs).total_seconds(), (theirs - after).total_seconds(), 0.0)
    if skew > MOST_SKEW:
        return Finding(
            _("Clock: %(seconds).0f s apart from the database's") % {"seconds": skew},
            _("let both machines follow a time server (chrony, systemd-timesyncd)"),
        )
    return Finding(_("Clock agrees with the database's"))


def keys() -> Finding:
    """The keys open what is sealed."""
    try:
        ring.root()
    except CryptoError as problem:
        return Finding(
            _("Keys cannot be used: %(why)s") % {"why": problem}, _("put the key file and vault of this database back")
        )
    except DatabaseError:
        return Finding(_("Keys: not known, the database cannot be used"), _("repair the database first"))
    return Finding(_("Keys can be used"))


def mail() -> Finding:
    """Ask the mail server whether it is there; nothing is sent."""
    if not settings.EMAIL_BACKEND.endswith("smtp.EmailBackend"):
        return Finding(_("Mails are printed, not sent"))
    place = f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
    try:
        with smtplib.SMTP(settings.EMAIL_HOST, settings.EMAIL_PORT, timeout=MAIL_SECONDS) as line:
            line.noop()
    except (OSError, smtplib.SMTPException) as failure:
        return Finding(
            _("Mail server %(place)s does not answer (%(why)s)") % {"place": place, "why": type(failure).__name__},
            _("start it or correct EMAIL_URL; mails wait meanwhile and are sent when it is back"),
        )
    return Finding(_("Mail server %(place)s answers") % {"place": place})


def broker() -> Finding:
    """Open a line to the broker and declare what events go to."""
    if not settings.BROKER_URL:
        return Finding(_("Broker: none is set"))
    place = brokers.place(settings.BROKER_URL)
    try:
        why = relaying.reach()
    except brokers.NotInstalled:
        return Finding(
            _("Broker: the library for it is not installed"), "pip install 'polyclinic[rabbitmq]'"
        )  # fmt: skip
    if why:
        return _broker_away(place, why)
    return Finding(_("Broker %(place)s answers") % {"place": place})


def relayed() -> Finding:
    """The broker as the relay last met it, without asking anew: for a page that must not wait."""
    now = relaying.relay()
    if now.state == "off":
        return Finding(_("Broker: none is set"))
    place = brokers.place(settings.BROKER_URL)
    if now.state == "waiting":
        return _broker_away(place, now.failure)
    return Finding(
        _("Broker %(place)s has all events but %(waiting)s") % {"place": place, "waiting": now.waiting}
    )  # fmt: skip


def _broker_away(place: str, why: str) -> Finding:
    try:
        waiting: object = relaying.relay().waiting
    except DatabaseError:
        waiting = "?"
    if "PreconditionFailed" in why:
        remedy = _("its queue exists with other properties: take it away there, or name another BROKER_EXCHANGE")
    elif "Authentication" in why or "AccessRefused" in why or "NotAllowed" in why:
        remedy = _("correct user, password and virtual host in BROKER_URL, and the user's rights there")
    else:
        remedy = _("start it or correct BROKER_URL; events wait in the log meanwhile and none is lost")
    told = _("Broker %(place)s does not answer (%(why)s); %(waiting)s events wait")
    return Finding(told % {"place": place, "why": why, "waiting": waiting}, remedy)


# Without a question to another machine that may take its time.
QUICK: Final[tuple[Callable[[], Finding], ...]] = (keys, storage, disk, time, relayed)
ASKING: Final[tuple[Callable[[], Finding], ...]] = (keys, storage, disk, time, mail, broker)


def quick() -> list[Finding]:
    """Each dependency as it is known at once."""
    return [check() for check in QUICK]
