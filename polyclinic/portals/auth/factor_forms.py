"""What is asked about second factors. Forms read whatever is sent; `factors.proofs` decides what it is worth."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _


class CodeForm(forms.Form):
    """Whatever somebody shows: a code, the password, a passkey's answer. Empty is as wrong as anything else."""

    code = forms.CharField(label=_("Code"), required=False)
    password = forms.CharField(label=_("Password"), required=False, strip=False)
    credential = forms.CharField(required=False)


class NameForm(forms.Form):
    name = forms.CharField(label=_("Name"), required=False)


class NewAppForm(NameForm):
    code = forms.CharField(label=_("Code"), required=False)


class NumberForm(NameForm):
    number = forms.CharField(label=_("Telephone number"), required=False)
