"""Paying online: what is asked of a provider, and what its answers change. No provider is asked inside a transaction.

A payment is written down before the provider hears of it, and its answer after. Whatever is cut off in between is found
again by the same key, by the patient coming back, by the provider's notice, or by `sweep`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from polyclinic.billing import paying, providers, sums
from polyclinic.billing.models import Payment, Refund
from polyclinic.billing.providers import Outcome, Provider, ProviderSilent, Wanted
from polyclinic.billing.states import PENDING
from polyclinic.core import clock
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor, Person, SystemActor
from polyclinic.core.db import transactional
from polyclinic.core.errors import Conflict, NotFound, Problem, Unauthenticated

_log = logging.getLogger(__name__)
BANK: Final = SystemActor("payments")
# After this long without word the provider is asked by ourselves, and after a day nobody will come back.
_ASK_AFTER: Final = timedelta(minutes=2)
_FORGET_AFTER: Final = timedelta(hours=25)


def offered() -> bool:
    """Whether this installation takes payments online."""
    return providers.online() is not None


def pay(*, actor: Actor, invoice_id: UUID, amount_minor: int, key: str) -> tuple[UUID, str]:
    """Begin a payment of one's own invoice. Gives its id and the address to send the patient to.

    Sent again with the same key it is the same payment and address. Raises Conflict (not_offered), ProviderSilent, and
    what `paying.take_payment` raises.
    """
    sums.seen(actor, invoice_id)
    provider = providers.online()
    if provider is None:
        raise Conflict(_("Nothing can be paid online here. Please pay at the desk."), code="not_offered")
    payment = paying.start_online(
        actor=actor, invoice_id=invoice_id, amount_minor=amount_minor, key=key, provider=provider.name
    )
    if payment.provider_url:
        return payment.pk, payment.provider_url
    invoice = payment.invoice
    back = f"{settings.PUBLIC_URL}/my/invoices/{invoice.pk}/back?payment={payment.pk}"
    started = provider.start(Wanted(payment.pk, amount_minor, invoice.currency, invoice.number, back))
    Payment.objects.filter(pk=payment.pk).update(provider_ref=started.ref, provider_url=started.url)
    return payment.pk, started.url


def refresh(*, actor: Actor, payment_id: UUID) -> str:
    """Ask the provider what became of a payment and write it down. Gives the payment's state. Raises NotFound.

    What it answers is written as the bank's word, whoever caused the question.
    """
    payment, provider = _known(actor, payment_id)
    if payment.state == PENDING and provider is not None and payment.provider_ref:
        outcome = provider.outcome(payment.provider_ref, payment.amount_minor, payment.invoice.currency)
        return settle(payment.pk, outcome)
    return payment.state


@transactional
def settle(payment_id: UUID, outcome: Outcome) -> str:
    """Write down what a provider has said of a payment; the same word again changes nothing."""
    payment = paying.held(BANK, payment_id)
    if outcome == "taken":
        paying.arrived(payment, BANK)
    elif outcome == "failed":
        paying.given_up(payment, BANK)
    return payment.state


def local_answer(*, actor: Actor, payment_id: UUID, approved: bool) -> str:
    """What the patient said on the demo bank's page. Raises NotFound for a payment that is not that bank's."""
    payment, _provider = _known(actor, payment_id)
    if payment.provider != providers.Local.name or not settings.DEMO:
        raise NotFound()
    policy.require(actor, "payment.pay_online", Subject(payment.invoice.patient_id, None, payment.facility_id))
    return settle(payment.pk, "taken" if approved else "failed")


def give_up(*, actor: Actor, payment_id: UUID) -> str:
    """Wait no longer for a payment online, so that it can be paid otherwise; one that has come meanwhile stays.

    Raises NotFound, ProviderSilent. Gives the payment's state.
    """
    payment, provider = _known(actor, payment_id)
    policy.require(actor, "payment.settle", Subject(payment.invoice.patient_id, None, payment.facility_id))
    if payment.state != PENDING or payment.provider == paying.DESK:
        return payment.state
    outcome: Outcome = "pending"
    if provider is not None and payment.provider_ref:
        provider.cancel(payment.provider_ref)
        outcome = provider.outcome(payment.provider_ref, payment.amount_minor, payment.invoice.currency)
    return settle(payment.pk, "taken" if outcome == "taken" else "failed")


def heard(provider_name: str, body: bytes, headers: Mapping[str, str]) -> None:
    """A notice of a provider: its signature is checked, and then the provider is asked itself.

    Notices come late, twice and out of order; asking makes that harmless. One about nothing of ours is let be. Raises
    NotFound for an unknown provider, BadSignature, ProviderSilent (and then the provider sends it again).
    """
    provider = providers.named(provider_name)
    if provider is None:
        raise NotFound()
    ref = provider.notice(body, headers)
    payment = Payment.objects.select_related("invoice").filter(provider=provider.name, provider_ref=ref or "-").first()
    if payment is not None:
        settle(payment.pk, provider.outcome(payment.provider_ref, payment.amount_minor, payment.invoice.currency))


def refund(*, actor: Actor, payment_id: UUID, amount_minor: int, reason: str, key: str, credits: bool = True) -> Refund:
    """Give money of any payment back: `paying.refund`, and for one made online its provider does it now.

    Raises what that raises. When the provider does not answer the refund waits, and `sweep` asks again.
    """
    made = paying.refund(
        actor=actor, payment_id=payment_id, amount_minor=amount_minor, reason=reason, key=key, credits=credits
    )
    if made.state == PENDING:
        try:
            return _ask_refund(made)
        except ProviderSilent:
            _log.warning("a refund waits: the payment service does not answer")
    return made


def _ask_refund(made: Refund) -> Refund:
    payment = made.payment
    provider = providers.named(payment.provider)
    if provider is None:
        raise ProviderSilent()
    ref, done = provider.refund(payment.provider_ref, made.pk, made.amount_minor)
    return paying.refund_answered(actor=BANK, refund_id=made.pk, ref=ref, done=done)


def sweep() -> int:
    """Ask about payments and refunds of which nothing was heard. Returns how many were answered."""
    answered, now = 0, clock.now()
    waiting = Payment.objects.filter(state=PENDING, method=Payment.Method.ONLINE, started_at__lt=now - _ASK_AFTER)
    for payment in waiting.select_related("invoice")[:100]:
        try:
            answered += _ask_again(payment, old=payment.started_at < now - _FORGET_AFTER)
        except Problem:
            continue
    for made in Refund.objects.filter(state=PENDING).select_related("payment")[:100]:
        try:
            answered += _ask_refund(made).state != PENDING
        except Problem:
            continue
    return answered


def _ask_again(payment: Payment, *, old: bool) -> bool:
    provider: Provider | None = providers.named(payment.provider)
    outcome: Outcome = "pending"
    if provider is not None and payment.provider_ref:
        outcome = provider.outcome(payment.provider_ref, payment.amount_minor, payment.invoice.currency)
    if outcome == "pending" and old:
        outcome = "failed"
    return settle(payment.pk, outcome) != PENDING


def _known(actor: Actor, payment_id: UUID) -> tuple[Payment, Provider | None]:
    payment = Payment.objects.select_related("invoice").filter(pk=payment_id).first()
    if payment is None:
        raise NotFound() if isinstance(actor, Person | SystemActor) else Unauthenticated()
    subject = Subject(payment.invoice.patient_id, None, payment.facility_id)
    policy.require_sight(actor, "invoice.view", subject)
    return payment, providers.named(payment.provider)
