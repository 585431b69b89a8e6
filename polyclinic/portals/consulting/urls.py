"""The doctor's queue and the pages of a visit."""

from __future__ import annotations

from django.urls import path

from polyclinic.portals.consulting import board, following, preparing, refills, signing, views

_VISIT = "consulting/<str:visit_id>"
urlpatterns = [
    path("consulting", board.board),
    path("consulting/next", board.call_next),
    path("consulting/row/<str:visit_id>", board.row),
    path("consulting/refills", refills.waiting),
    path("consulting/refills/list", refills.lines),
    path("consulting/refills/number", refills.number),
    path("consulting/refills/<str:refill_id>", refills.one),
    path("consulting/refills/<str:refill_id>/approve", refills.approve),
    path("consulting/refills/<str:refill_id>/decline", refills.decline),
    path(_VISIT, views.visit),
    path(f"{_VISIT}/banner", views.banner),
    path(f"{_VISIT}/state", views.state),
    path(f"{_VISIT}/results", views.results),
    path(f"{_VISIT}/results/seen", signing.results_seen),
    path(f"{_VISIT}/results/release", signing.release),
    path(f"{_VISIT}/prescriptions", views.prescriptions),
    path(f"{_VISIT}/prescriptions/<str:prescription_id>/cancel", signing.cancel),
    path(f"{_VISIT}/diagnosis/search", preparing.find_diagnosis),
    path(f"{_VISIT}/diagnosis/add", preparing.add_diagnosis),
    path(f"{_VISIT}/diagnosis/remove", preparing.remove_diagnosis),
    path(f"{_VISIT}/medicine/search", preparing.find_medicine),
    path(f"{_VISIT}/medicine/choose", preparing.choose),
    path(f"{_VISIT}/medicine/preview", preparing.preview),
    path(f"{_VISIT}/medicine/add", preparing.add_medicine),
    path(f"{_VISIT}/medicine/remove", preparing.remove_medicine),
    path(f"{_VISIT}/medicine/star", preparing.star),
    path(f"{_VISIT}/sign", signing.sign),
    path(f"{_VISIT}/follow-up", following.follow_up),
    path(f"{_VISIT}/queue/<str:what>", signing.queue),
    path(f"{_VISIT}/notes/<str:note_kind>", signing.note),
    path(f"{_VISIT}/notes/<str:note_kind>/draft", signing.note_draft),
    path(f"{_VISIT}/notes/<str:note_kind>/draft/discard", signing.note_discard),
    path(f"{_VISIT}/notes/<str:note_kind>/beside", signing.note_beside),
]
