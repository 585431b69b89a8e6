"""What is asked when signing in, signing up and resetting a password. Forms read and explain; actions decide."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

MONTHS = (
    pgettext_lazy("month", "January"),
    pgettext_lazy("month", "February"),
    pgettext_lazy("month", "March"),
    pgettext_lazy("month", "April"),
    pgettext_lazy("month", "May"),
    pgettext_lazy("month", "June"),
    pgettext_lazy("month", "July"),
    pgettext_lazy("month", "August"),
    pgettext_lazy("month", "September"),
    pgettext_lazy("month", "October"),
    pgettext_lazy("month", "November"),
    pgettext_lazy("month", "December"),
)
_ENGLISH = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
SEXES = (
    ("female", _("Female")),
    ("male", _("Male")),
    ("other", _("Other")),
    ("unknown", _("I would rather not say")),
)


def month_number(text: str) -> int | None:
    """The month meant by "7", "07", "Jul" or "July", in English or the language of the page."""
    text = text.strip().rstrip(".").lower()
    if text.isdecimal() and len(text) <= 2:
        return int(text)
    if len(text) < 3:
        return None
    for number, (name, short) in enumerate(zip(MONTHS, _ENGLISH, strict=True), start=1):
        if str(name).lower().startswith(text) or text.startswith(short):
            return number
    return None


class SignInForm(forms.Form):
    email = forms.CharField(label=_("Email address"), max_length=254)
    password = forms.CharField(label=_("Password"), max_length=128, strip=False)


class DateOfBirthMixin(forms.Form):
    """A date of birth in three fields, as people know it by heart; `born` is the date in cleaned_data."""

    born = forms.DateField(required=False)
    born_day = forms.CharField(label=_("Day"), max_length=2, required=False)
    born_month = forms.CharField(label=_("Month"), max_length=12, required=False)
    born_year = forms.CharField(label=_("Year"), max_length=4, required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        parts = [cleaned.get(name, "") for name in ("born_day", "born_month", "born_year")]
        if not all(parts):
            self.add_error("born", _("Enter your date of birth: day, month and year."))
            return cleaned
        day, month, year = parts
        number = month_number(month)
        if number is None:
            self.add_error("born", _("Write the month as a number or a name, for example 7 or July."))
        elif not (day.isdecimal() and year.isdecimal() and len(year) == 4):
            self.add_error("born", _("Write the day and a four-digit year, for example 14 July 1985."))
        else:
            try:
                cleaned["born"] = date(int(year), number, int(day))
            except ValueError:
                self.add_error("born", _("There is no such day in that month."))
        return cleaned


class SignUpForm(DateOfBirthMixin):
    given_name = forms.CharField(label=_("First name"), max_length=80)
    family_name = forms.CharField(label=_("Last name"), max_length=80)
    sex = forms.ChoiceField(label=_("Sex"), choices=SEXES, required=False)
    phone = forms.CharField(label=_("Phone number"), max_length=32, required=False)
    email = forms.EmailField(label=_("Email address"), max_length=254)
    # How long it must and may be is decided by `people.passwords`, which says so in words of its own.
    password = forms.CharField(label=_("Password"), strip=False)

    field_order = ("given_name", "family_name", "born_day", "born_month", "born_year", "sex", "phone", "email")


class ConfirmSignUpForm(forms.Form):
    password = forms.CharField(label=_("Password"), strip=False, required=False)


class ResetRequestForm(forms.Form):
    email = forms.EmailField(label=_("Email address"), max_length=254)


class NewPasswordForm(forms.Form):
    password = forms.CharField(label=_("New password"), strip=False)


class ChangePasswordForm(NewPasswordForm):
    current = forms.CharField(label=_("Present password"), max_length=128, strip=False)
    keep_keys = forms.BooleanField(label=_("Keep the keys of my programs"), required=False)


class EmailForm(forms.Form):
    email = forms.CharField(label=_("New email address"), max_length=254)
    password = forms.CharField(label=_("Present password"), max_length=128, strip=False)
