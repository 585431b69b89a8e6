"""Drawings made on the server: the bars of a label, and where a value lies on its line. Colours are in `lab.css`."""

from __future__ import annotations

from decimal import Decimal

from barcode.codex import Code128
from django.utils.translation import gettext as _
from markupsafe import Markup

from polyclinic.laboratory.flags import NAMES, Flag
from polyclinic.laboratory.reports import Report

_TALL, _QUIET = 40, 10
_WIDE, _LINE, _THICK = 320.0, 22.0, 10.0


def bars(text: str) -> Markup:
    """`text` in Code 128 as SVG, with the quiet zones a scanner needs."""
    modules = Code128(text).build()[0]
    parts, at = [], 0
    while at < len(modules):
        wide = 1
        while at + wide < len(modules) and modules[at + wide] == modules[at]:
            wide += 1
        if modules[at] == "1":
            parts.append(f"M{at + _QUIET} 0h{wide}v{_TALL}h-{wide}z")
        at += wide
    whole = len(modules) + 2 * _QUIET
    return Markup(
        '<svg class="bars" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">'
        '<path d="{}" fill="#000"/></svg>'
    ).format(whole, _TALL, text, "".join(parts))


def line(report: Report, words: str) -> Markup:
    """A value on its number line: the usual range green, beside it amber. Empty without a number or a range.

    `words` say the same to who cannot see it. The line runs from left to right in every language, as numbers do.
    """
    value = report.read().number
    low, high = (None if end is None else Decimal(end) for end in (report.low, report.high))
    if value is None or (low is None and high is None):
        return Markup("")
    first, last = _scale(low, high)
    start, end = (
        _at(edge, first, last) for edge in (low if low is not None else first, high if high is not None else last)
    )
    spot = _at(min(max(value, first), last), first, last)
    outside = report.flag not in ("", Flag.NONE.value)
    labels = Markup("").join(
        Markup('<text x="{}" y="46" text-anchor="{}">{}</text>').format(
            round(_at(edge, first, last), 1), "middle", edge
        )
        for edge in (low, high)
        if edge is not None
    )
    return Markup(
        '<svg class="line" viewBox="0 0 320 50" role="img" aria-label="{}" direction="ltr">'
        '<rect class="line-out" x="0" y="{}" width="320" height="{}" rx="5"/>'
        '<rect class="line-in" x="{}" y="{}" width="{}" height="{}"/>'
        '<path class="{}" d="M{} {}l-7 -12h14z"/>{}</svg>'
    ).format(
        words, _LINE, _THICK, round(start, 1), _LINE, round(max(2.0, end - start), 1), _THICK,
        "line-spot outside" if outside else "line-spot", round(spot, 1), _LINE + 2, labels,
    )  # fmt: skip


def _scale(low: Decimal | None, high: Decimal | None) -> tuple[Decimal, Decimal]:
    """The ends of the drawn line. Where a range is open the line ends with it, at nothing or at twice the limit."""
    if low is None:
        assert high is not None
        return Decimal(0), high * 2 or Decimal(1)
    if high is None:
        return Decimal(0), low * 2 or Decimal(1)
    beside = (high - low) * Decimal("0.6") or Decimal(1)
    return low - beside, high + beside


def _at(value: Decimal, first: Decimal, last: Decimal) -> float:
    return 8 + (_WIDE - 16) * float((value - first) / (last - first))


def plain_words(report: Report) -> str:
    """What a result means to its patient, without judging it."""
    if report.why_none:
        return report.why_none
    flag = Flag(report.flag)
    if flag in (Flag.CRITICAL_LOW, Flag.CRITICAL_HIGH):
        return _("Far outside the usual range. Your care team has been told; ask them what it means for you.")
    if flag == Flag.LOW:
        return _("Below the usual range. There can be many reasons; your doctor can say what it means for you.")
    if flag == Flag.HIGH:
        return _("Above the usual range. There can be many reasons; your doctor can say what it means for you.")
    if flag == Flag.ABNORMAL:
        return _("Not the usual answer. Your doctor can say what it means for you.")
    if report.low is None and report.high is None:
        return _("There is no usual range to compare with.") if report.read().number is not None else _("As expected.")
    return _("Inside the usual range.")


__all__ = ["NAMES", "bars", "line", "plain_words"]
