"""Refusals of tokens and keys."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from polyclinic.core.errors import Unauthenticated


class RefreshRefused(Unauthenticated):
    """The refresh token is unknown, used, expired, of another device, or its sign-in has ended: one answer for all."""

    code = "refresh_refused"
    sentence = _("This sign-in cannot be renewed. Sign in again.")
