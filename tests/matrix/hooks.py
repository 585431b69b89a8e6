"""What the matrix needs of dead letters: a webhook with a message that was given up, and a mail."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from polyclinic.core import clock
from polyclinic.core.ids import new_id
from polyclinic.notify.models import Delivery
from polyclinic.webhooks.models import Message, Webhook
from tests.house import House

# An address of the open internet that no name server is asked about. Nothing is sent there.
URL = "https://93.184.216.34/hook"
WISH: dict[str, Any] = {"name": "A partner", "url": URL, "events": ["appointment.booked"]}


def parts(house: House) -> dict[str, str]:
    """Parts of addresses."""
    row = Webhook.objects.create(
        facility=house.facility, name="Partner", url=URL, host="93.184.216.34", events=["appointment.booked"],
        state="active", secret="whsec_AAAA", position=0, made_by=house.staff["admin"],
    )  # fmt: skip
    dead = Message.objects.create(
        id=new_id(), webhook=row, position=1, stream="appointment:1", type="appointment.booked", at=clock.now(),
        body="{}", progress="dead",
    )  # fmt: skip
    lost = str(Delivery.objects.create(kind="password_changed", to="", state="failed").pk)
    return {
        "webhook_id": str(row.pk), "webhookId": str(row.pk), "delivery_id": str(dead.pk), "deliveryId": str(dead.pk),
        "mailId": lost, "mail_id": lost, "mail_deed": "discard", "webhook_deed": "pause", "delivery_deed": "discard",
    }  # fmt: skip


def bodies(house: House) -> dict[str, Callable[[], Any]]:
    """What is sent to the API."""
    hook = "/api/webhooks/<webhookId>"
    return {
        "POST /api/hospitals/<hospitalId>/webhooks": lambda: WISH,
        f"PATCH {hook}": lambda: {"name": "Another"},
        f"PUT {hook}/status": lambda: {"action": "pause"},
        f"POST {hook}/replay": lambda: {"since": clock.now() - timedelta(hours=1)},
        "PUT /api/admin/failed-mails/<mailId>/status": lambda: {"action": "discard"},
        "PUT /api/webhook-deliveries/<deliveryId>/status": lambda: {"action": "replay"},
    }


def forms() -> dict[str, Any]:
    """What a form on a page sends."""
    since = (clock.now() - timedelta(hours=1)).isoformat()
    return {
        "POST /admin/webhooks/new/<str:facility_id>": WISH,
        "POST /admin/webhooks/<str:webhook_id>/edit": {**WISH, "version": "1"},
        "POST /admin/webhooks/<str:webhook_id>/again": {"since": since},
    }
