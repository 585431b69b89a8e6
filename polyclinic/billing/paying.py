"""The write door of payments and refunds. A key makes a repeated request one payment, in the payment's own transaction.

Money held by somebody else (a card terminal, a bank) is first asked for and then confirmed. Providers are asked outside
transactions, by `billing.online`.
"""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext_lazy as _

from polyclinic.billing import books, hooks, money, notices, taxes, tills
from polyclinic.billing.models import Invoice, LedgerEntry, Payment, Refund
from polyclinic.billing.states import DONE, FAILED, PAYMENT, PENDING, REFUND, SURPLUS, TAKEN, invoice_subject
from polyclinic.billing.sums import locked, move, pending_minor, reason_of
from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.actors import Actor, Person, SystemActor
from polyclinic.core.db import transactional
from polyclinic.core.errors import Conflict, Invalid, NotFound, Unauthenticated

Side, Method = LedgerEntry.Side, Payment.Method
DESK = "desk"
MAX_KEY = 255


@transactional
def take_payment(*, actor: Actor, invoice_id: UUID, method: str, amount_minor: int, key: str) -> Payment:
    """Take cash now, or ask the card terminal at the desk (then `confirm_card`). The same key is the same payment.

    Raises NotFound, Forbidden, Invalid (`method`, `amount`: more than is owed; a key used for another payment).
    """
    if method not in (Method.CASH, Method.CARD):
        raise Invalid(_("Choose cash or card."), field="method", possible=[Method.CASH, Method.CARD])
    row, found = _asked(actor, invoice_id, method, amount_minor, key)
    if found is not None:
        return found
    made = Payment(invoice=row, facility_id=row.facility_id, method=method, amount_minor=amount_minor, key=key)
    if method == Method.CARD:
        made.provider = DESK
        ledger.create(PAYMENT, "start", made, actor=actor)
        return made
    made.till = tills.current(actor, row.facility_id)
    made.taken_at, made.taken_by = clock.now(), actor.label
    made.receipt = books.next_number(row.facility_id, "receipts")
    ledger.create(PAYMENT, "take", made, actor=actor)
    _into_books(made, row, actor)
    return made


@transactional
def start_online(*, actor: Actor, invoice_id: UUID, amount_minor: int, key: str, provider: str) -> Payment:
    """Write down that this is about to be asked of a bank; raises as `take_payment` does."""
    row, found = _asked(actor, invoice_id, Method.ONLINE, amount_minor, key)
    if found is not None:
        return found
    made = Payment(
        invoice=row, facility_id=row.facility_id, method=Method.ONLINE, amount_minor=amount_minor, key=key,
        provider=provider,
    )  # fmt: skip
    ledger.create(PAYMENT, "start_online", made, actor=actor)
    return made


def _asked(actor: Actor, invoice_id: UUID, method: str, amount: int, key: str) -> tuple[Invoice, Payment | None]:
    """The invoice, held, and the payment that this key has made of it already, if any."""
    if not 0 < len(key) <= MAX_KEY or "\0" in key:
        raise Invalid(_("The idempotency key must have 1 to 255 characters."), field="key")
    row = locked(actor, invoice_id, *(_till_keys(actor, invoice_id) if method == Method.CASH else ()))
    wanted = "payment.pay_online" if method == Method.ONLINE else "payment.take"
    policy.require(actor, wanted, invoice_subject(row))
    found = Payment.objects.filter(invoice=row, key=key).first()
    if found is not None:
        if (found.method, found.amount_minor) != (method, amount):
            raise Invalid(
                _("This form was already used for another payment. Open it again."), code="idempotency_key_reused",
                field="key",
            )  # fmt: skip
        found.invoice = row
        return row, found
    if amount < 1 or amount > money.MOST:
        raise Invalid(_("Write an amount above nothing."), field="amount")
    open_ = row.due_minor - pending_minor(row)
    if amount > open_:
        raise Invalid(
            _("This is more than is owed. Take at most %(amount)s.") % {"amount": money.shown(open_, row.currency)},
            code="overpayment", field="amount", dueMinor=open_,
        )  # fmt: skip
    return row, None


def _till_keys(actor: Actor, invoice_id: UUID) -> tuple[str, ...]:
    facility = Invoice.objects.filter(pk=invoice_id).values_list("facility_id", flat=True).first()
    return () if facility is None else (tills.lock_name(actor, facility),)


@transactional
def confirm_card(*, actor: Actor, payment_id: UUID, approved: bool) -> Payment:
    """What the terminal at the desk says of a card payment, as the person in front of it reads it.

    Raises NotFound, Forbidden, Conflict when it is no payment of the desk. Saying the same twice changes nothing.
    """
    payment = held(actor, payment_id)
    policy.require(actor, "payment.take", invoice_subject(payment.invoice))
    if payment.provider != DESK:
        raise Conflict(_("The bank says itself whether this was paid."), code="not_at_the_desk")
    return arrived(payment, actor) if approved else given_up(payment, actor)


def arrived(payment: Payment, actor: Actor) -> Payment:
    """The money of a payment that was asked for is there. Called with the invoice held; twice is once."""
    if payment.state in (TAKEN, SURPLUS):
        return payment
    row = payment.invoice
    late = payment.amount_minor > row.due_minor
    ledger.apply(
        PAYMENT, "confirm_surplus" if late else "confirm", payment, actor=actor,
        changes={
            "taken_at": clock.now(), "taken_by": actor.label,
            "receipt": books.next_number(row.facility_id, "receipts"),
        },
    )  # fmt: skip
    if late:
        # Paid otherwise in the meantime: the money is the patient's and waits to be given back.
        held_in = books.HELD_IN[Method(payment.method)]
        books.post(
            row.facility_id, row.currency, (held_in, Side.SURPLUS, payment.amount_minor), invoice=row, payment=payment
        )
        # Their receipt is ready as well: the page says that the money goes back.
        notices.tell(row, "receipt_ready")
    else:
        _into_books(payment, row, actor)
    return payment


def given_up(payment: Payment, actor: Actor) -> Payment:
    """The money will not come. Called with the invoice held; one that has come stays."""
    if payment.state == PENDING:
        ledger.apply(PAYMENT, "fail", payment, actor=actor)
        hooks.failed(payment.invoice.subject_kind, actor, payment.invoice.subject_id)
    return payment


def held(actor: Actor, payment_id: UUID, *also: str) -> Payment:
    """A payment with its invoice, with nobody else writing to them. Raises NotFound for a foreign one."""
    found = Payment.objects.filter(pk=payment_id).values_list("invoice_id", flat=True).first()
    if found is None:
        raise NotFound() if isinstance(actor, Person | SystemActor) else Unauthenticated()
    row = locked(actor, found, *also)
    payment = Payment.objects.get(pk=payment_id)
    payment.invoice = row
    return payment


def _into_books(payment: Payment, row: Invoice, actor: Actor) -> None:
    held_in = books.HELD_IN[Method(payment.method)]
    amount = payment.amount_minor
    books.post(row.facility_id, row.currency, (held_in, Side.RECEIVABLE, amount), invoice=row, payment=payment)
    move(row, "pay", {"paid_minor": row.paid_minor + amount}, actor=actor)
    notices.tell(row, "receipt_ready")


@transactional
def refund(*, actor: Actor, payment_id: UUID, amount_minor: int, reason: str, key: str, credits: bool = True) -> Refund:
    """Give money of one payment back: cash and card at the desk now, online by the bank (`billing.online`).

    With `credits` what it paid for falls away; without, the payment was a mistake and is owed again. The same key is
    the same refund. Raises NotFound, Forbidden, Invalid (`reason`, `amount`: more than was paid), Conflict.
    """
    facility = Payment.objects.filter(pk=payment_id).values_list("facility_id", flat=True).first()
    payment = held(actor, payment_id, *((tills.lock_name(actor, facility),) if facility else ()))
    policy.require(actor, "payment.refund", invoice_subject(payment.invoice))
    if not 0 < len(key) <= MAX_KEY or "\0" in key:
        raise Invalid(_("The idempotency key must have 1 to 255 characters."), field="key")
    found = Refund.objects.filter(payment=payment, key=key).first()
    if found is not None:
        if (found.amount_minor, found.credits) != (amount_minor, credits):
            raise Invalid(
                _("This form was already used for another refund. Open it again."), code="idempotency_key_reused",
                field="key",
            )  # fmt: skip
        return found
    if payment.state not in (TAKEN, SURPLUS):
        raise Conflict(_("This payment has not been taken."), code="not_taken")
    left = payment.amount_minor - payment.refunded_minor
    if not 1 <= amount_minor <= left:
        raise Invalid(
            _("At most %(amount)s of this payment can be given back.")
            % {"amount": money.shown(left, payment.invoice.currency)},
            code="refund_above_paid", field="amount", maximum=left,
        )  # fmt: skip
    made = Refund(
        payment=payment, facility_id=payment.facility_id, amount_minor=amount_minor, key=key, reason=reason_of(reason),
        # A surplus was never for anything: there is nothing to fall away.
        credits=credits,
    )  # fmt: skip
    # Kept back at once, so that two refunds cannot promise the same money.
    payment.refunded_minor += amount_minor
    Payment.objects.filter(pk=payment.pk).update(refunded_minor=payment.refunded_minor)
    if payment.method == Method.ONLINE:
        ledger.create(REFUND, "ask", made, actor=actor, reason=reason)
        return made
    if payment.method == Method.CASH:
        made.till = tills.current(actor, payment.facility_id)
    made.done_at, made.done_by = clock.now(), actor.label
    made.receipt = books.next_number(payment.facility_id, "receipts")
    ledger.create(REFUND, "give", made, actor=actor, reason=reason)
    _out_of_books(made, payment, actor)
    return made


@transactional
def refund_answered(*, actor: Actor, refund_id: UUID, ref: str, done: bool) -> Refund:
    """What the bank says of a refund it was asked for. Saying it twice changes nothing. Raises NotFound."""
    payment_id = Refund.objects.filter(pk=refund_id).values_list("payment_id", flat=True).first()
    if payment_id is None:
        raise NotFound()
    payment = held(actor, payment_id)
    made = Refund.objects.get(pk=refund_id)
    made.payment = payment
    if made.state != PENDING:
        return made
    if not done:
        ledger.apply(REFUND, "fail", made, actor=actor, changes={"provider_ref": ref})
        Payment.objects.filter(pk=payment.pk).update(refunded_minor=payment.refunded_minor - made.amount_minor)
        return made
    number = books.next_number(payment.facility_id, "receipts")
    ledger.apply(
        REFUND, "finish", made, actor=actor,
        changes={"provider_ref": ref, "done_at": clock.now(), "done_by": actor.label, "receipt": number},
    )  # fmt: skip
    _out_of_books(made, payment, actor)
    return made


def _out_of_books(made: Refund, payment: Payment, actor: Actor) -> None:
    """The money leaves; what was owed falls away with it, or is owed again."""
    row, amount = payment.invoice, made.amount_minor
    held_in = books.HELD_IN[Method(payment.method)]
    source = Side.SURPLUS if payment.state == SURPLUS else Side.RECEIVABLE
    movements: list[taxes.Movement] = [(source, held_in, amount)]
    changes: dict[str, int] = {}
    if payment.state == TAKEN and made.credits:
        fallen, changes = taxes.credited(row, amount)
        movements += fallen
    books.post(row.facility_id, row.currency, *movements, invoice=row, payment=payment, refund=made)
    if payment.state == TAKEN:
        move(row, "refund", {"refunded_minor": row.refunded_minor + amount, **changes}, actor=actor)
    notices.tell(row, "payment_refunded")


__all__ = [
    "DONE", "FAILED", "arrived", "confirm_card", "given_up", "held", "refund", "refund_answered", "start_online",
    "take_payment",
]  # fmt: skip
