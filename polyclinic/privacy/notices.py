"""What people are told besides requests and break-glass: rows of the notices' own table, and one letter."""

from __future__ import annotations

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from polyclinic.notify.kinds import KINDS, Kind
from polyclinic.notify.letters import LETTERS, Letter
from polyclinic.notify.models import Delivery


def register() -> None:
    """Add them. Doing it twice changes nothing."""
    KINDS["retention_due"] = Kind(
        _("Records are past their time"),
        _("At %(place)s there are records that need not be kept any longer. Please decide which are erased."),
        "/privacy/retention",
    )
    KINDS["restriction_lifted"] = Kind(
        _("A restriction of your record was lifted"),
        _("Your record is no longer restricted. What you share counts again."),
        "/my/privacy",
    )
    LETTERS["record_erased"] = _erased


def _erased(delivery: Delivery) -> Letter:
    """To an address whose account is gone: nothing in it leads back."""
    return Letter(
        gettext("Your record was erased"),
        gettext(
            "As you asked, %(place)s has erased your record for good: what was written there can be read by nobody any "
            "more. Your account is closed, and we do not write to this address again."
        ) % {"place": delivery.detail.get("place", "")}
        + "\n",
    )  # fmt: skip
