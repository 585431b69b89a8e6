"""What T15 needs of webhooks: one of each side, with a message; its readers."""

from __future__ import annotations

from typing import Any

from polyclinic.core import clock
from polyclinic.core.ids import new_id
from polyclinic.people.models import Account
from polyclinic.webhooks import selectors
from polyclinic.webhooks.models import Message, Webhook


class Hooks:
    def __init__(self, side: Any) -> None:
        chief = Account.objects.get(email=f"chief@{side.slug}.example.net")
        row = Webhook.objects.create(
            facility_id=side.facility, name=f"Partner of {side.slug}", url=f"https://{side.slug}.example/x",
            host=f"{side.slug}.example", events=["appointment.booked"], state="active", secret="whsec_AAAA",
            position=0, made_by=chief,
        )  # fmt: skip
        sent = Message.objects.create(
            id=new_id(), webhook=row, position=1, stream=f"appointment:{side.slug}", type="appointment.booked",
            at=clock.now(), body=f'{{"data":"{side.slug}"}}',
        )  # fmt: skip
        self.made = row.pk
        self.secret = {str(row.pk), row.name, row.url, str(sent.pk)}


CLOSED: dict[str, Any] = {
    "webhooks.selectors.webhooks": lambda v, s: selectors.webhooks(v, s.facility),
    "webhooks.selectors.one": lambda v, s: selectors.one(v, s.hooks.made),
    "webhooks.selectors.deliveries": lambda v, s: selectors.deliveries(v, s.hooks.made),
}
