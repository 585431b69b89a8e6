"""What those who look after webhooks are told of them."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from polyclinic.notify.kinds import KINDS, Kind

KINDS["webhook_disabled"] = Kind(
    _("A webhook was switched off"),
    _("The system behind the webhook “%(name)s” no longer takes messages, so nothing more is sent there. What was to "
      "be sent is kept: look into it, then switch it on again."),
    "/admin/webhooks",
)  # fmt: skip
KINDS["webhook_dead"] = Kind(
    _("A message could not be delivered"),
    _("The system behind the webhook “%(name)s” refused a message for three days. It is set aside: look into it, then "
      "send it again or discard it."),
    "/admin/webhooks",
)  # fmt: skip
