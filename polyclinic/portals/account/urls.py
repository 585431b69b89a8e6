"""A person's own account: who they are here, where they are signed in, and what they were told."""

from __future__ import annotations

from django.urls import path

from polyclinic.portals.account import emails, keys, notices, sessions, views

urlpatterns = [
    path("account", views.home),
    path("account/language", views.language),
    path("account/password", views.password),
    path("password/choose", views.choose),
    path("account/email", emails.change),
    path("account/email/again", emails.again),
    path("email/verify/<str:token>", emails.verify),
    path("account/session", sessions.present),
    path("account/sessions", sessions.listing),
    path("account/sessions/others/end", sessions.end_others),
    path("account/sessions/<str:session_name>/end", sessions.end),
    path("account/keys", keys.listing),
    path("account/keys/<str:key_id>/end", keys.revoke),
    path("account/notices", notices.listing),
    path("account/notices/count", notices.count),
    path("account/notices/read", notices.read_all),
    path("account/notices/<str:notice_id>/read", notices.read),
]
