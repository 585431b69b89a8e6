"""The queue of the first check and the pages of a visit."""

from __future__ import annotations

from django.urls import path

from polyclinic.portals.checker import board, notes, signs, views

urlpatterns = [
    path("checker", board.board),
    path("checker/row/<str:visit_id>", board.row),
    path("checker/visits/<str:visit_id>", views.visit),
    path("checker/visits/<str:visit_id>/banner", views.banner),
    path("checker/visits/<str:visit_id>/tests", views.order),
    path("checker/visits/<str:visit_id>/done", views.done_with),
    path("checker/visits/<str:visit_id>/vitals", signs.vitals),
    path("checker/visits/<str:visit_id>/vitals/<str:vitals_id>/withdraw", signs.withdraw),
    path("checker/visits/<str:visit_id>/allergies", signs.allergies),
    path("checker/visits/<str:visit_id>/allergies/none-known", signs.none_known),
    path("checker/visits/<str:visit_id>/allergies/<str:allergy_id>/remove", signs.remove_allergy),
    path("checker/visits/<str:visit_id>/notes/<str:note_kind>", notes.save),
    path("checker/visits/<str:visit_id>/notes/<str:note_kind>/draft", notes.draft),
    path("checker/visits/<str:visit_id>/notes/<str:note_kind>/draft/discard", notes.discard),
    path("checker/visits/<str:visit_id>/notes/<str:note_kind>/beside", notes.beside),
]
