"""The front desk's pages."""

from __future__ import annotations

from django.urls import path

from polyclinic.portals.reception import board, find, merging, photos, visits

urlpatterns = [
    path("reception", board.board),
    path("reception/row/<str:visit_id>", board.row),
    path("reception/figures", board.figures),
    path("reception/calls", board.calls),
    path("reception/counter", board.choose_counter),
    path("reception/queue/<str:waiting_id>/<str:step>", board.take),
    path("reception/find", find.find),
    path("reception/register", find.register),
    path("reception/unknown", find.unknown),
    path("reception/identify/<str:patient_id>", find.identify),
    path("reception/merge", merging.begin),
    path("reception/merge/<str:patient_id>/<str:other_id>", merging.pair),
    path("reception/merged/<str:merge_id>/undo", merging.part),
    path("reception/photo/<str:patient_id>", photos.photo),
    path("reception/photo/<str:patient_id>/remove", photos.remove),
    path("files/portraits/<str:portrait_id>", photos.give),
    path("reception/open/<str:patient_id>", visits.open_),
    path("reception/visits/<str:visit_id>", visits.visit),
    path("reception/visits/<str:visit_id>/state", visits.state),
    path("reception/visits/<str:visit_id>/slip", visits.slip),
    path("reception/visits/<str:visit_id>/slip.pdf", visits.slip_pdf),
    path("reception/visits/<str:visit_id>/<str:what>", visits.act),
    path("reception/arrange", visits.arrange),
]
