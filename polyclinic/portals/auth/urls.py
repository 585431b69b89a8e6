"""Signing in and out, signing up, resetting a password."""

from __future__ import annotations

from django.urls import path

from polyclinic.portals.auth import factors, joining, passkeys, reset, second, stepup, views

urlpatterns = [
    path("sign-in", views.sign_in),
    path("sign-in/second", second.second),
    path("sign-in/second/text", second.text_me),
    path("sign-in/second/question", passkeys.question_halfway),
    path("sign-in/passkey", passkeys.sign_in),
    path("sign-in/passkey/question", passkeys.question_for_anyone),
    path("sign-up", joining.sign_up),
    path("sign-up/sent", joining.sent),
    path("sign-up/confirm/<str:token>", joining.confirm),
    path("sign-out", views.sign_out),
    path("home", views.home),
    path("work", views.work),
    path("password/reset", reset.ask),
    path("password/reset/sent", reset.sent),
    path("password/reset/<str:account>/<str:token>", reset.choose),
    path("step-up", stepup.step_up),
    path("step-up/text", stepup.text_me),
    path("step-up/question", passkeys.question_for_step_up),
    path("account/security", factors.security),
    path("account/security/app", factors.new_app),
    path("account/security/app/<str:app_id>", factors.app),
    path("account/security/number", factors.new_number),
    path("account/security/number/<str:number_id>", factors.number),
    path("account/security/number/<str:number_id>/again", factors.number_again),
    path("account/security/passkey", factors.new_passkey),
    path("account/security/passkey/question", passkeys.question_for_new),
    path("account/security/codes", factors.new_codes),
    path("account/security/devices/forget", factors.forget_devices),
    path("account/security/devices/<str:device_id>/forget", factors.forget_device),
    path("account/security/<str:kind>/<str:factor_id>", factors.factor),
    path("account/security/<str:kind>/<str:factor_id>/remove", factors.remove),
]
