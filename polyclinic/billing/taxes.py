"""The tax inside prices: how much of an amount it is, and how it moves when an invoice grows or becomes less.

Prices on the list include their tax, as what is shown to a patient must (in the EU: Directive 98/6/EC, article 2(a)).
The tax of a line is amount × rate ÷ (100 % + rate), rounded half up to the currency's smallest unit, once for each
line; an invoice's tax is the sum of its lines', so that the paper adds up. Why so: `docs/adr/029-prices-with-tax.md`.
Much of health care is exempt (Directive 2006/112/EC, article 132(1)(b) and (c)): a price has no tax unless told so.
"""

from __future__ import annotations

from typing import Final

from polyclinic.billing.models import Invoice, LedgerEntry

Side = LedgerEntry.Side
Movement = tuple[str, str, int]
# A rate is a whole number of hundredths of a per cent: 1900 is 19 %.
WHOLE: Final = 10_000


def share(part: int, whole: int, amount: int) -> int:
    """amount × part ÷ whole, rounded half up. All are at least 0, `whole` above."""
    return (2 * amount * part + whole) // (2 * whole)


def contained(amount_minor: int, rate: int) -> int:
    """How much of an amount is tax at a rate, in the smallest unit."""
    return share(rate, WHOLE + rate, amount_minor)


def charged(row: Invoice, amount: int, tax: int) -> tuple[list[Movement], dict[str, int]]:
    """A line more: the movements into the books, and the invoice's new sums."""
    return (
        [(Side.RECEIVABLE, Side.REVENUE, amount - tax), (Side.RECEIVABLE, Side.TAX, tax)],
        {"total_minor": row.total_minor + amount, "tax_minor": row.tax_minor + tax},
    )


def lessened(row: Invoice, into: str, amount: int, tax: int) -> tuple[list[Movement], dict[str, int]]:
    """Lines that come to `amount` less and hold `tax` less: what is owed to the tax office falls with them."""
    total_tax = row.tax_minor - tax
    # Credits may have given back tax of the very line that goes now.
    given = min(row.credited_tax_minor, total_tax)
    back = (row.tax_minor - row.credited_tax_minor) - (total_tax - given)
    return (
        [(into, Side.RECEIVABLE, amount - back), (Side.TAX, Side.RECEIVABLE, back)],
        {"total_minor": row.total_minor - amount, "tax_minor": total_tax, "credited_tax_minor": given},
    )


def credited(row: Invoice, amount: int) -> tuple[list[Movement], dict[str, int]]:
    """An amount that falls away without naming lines takes its share of the tax that is left; all of it, all."""
    rest, whole = row.tax_minor - row.credited_tax_minor, row.total_minor - row.credited_minor
    part = min(share(rest, whole, amount), rest, amount) if whole else 0
    return (
        [(Side.CREDITED, Side.RECEIVABLE, amount - part), (Side.TAX, Side.RECEIVABLE, part)],
        {
            "credited_minor": row.credited_minor + amount,
            "credited_tax_minor": row.credited_tax_minor + part,
        },
    )
