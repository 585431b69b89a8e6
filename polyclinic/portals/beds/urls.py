"""The bed board, stays and wards."""

from __future__ import annotations

from django.urls import path

from polyclinic.portals.beds import asking, board, stays, wards

urlpatterns = [
    path("beds", board.board),
    path("beds/figures", board.figures),
    path("beds/side", board.side),
    path("beds/tile/<str:bed_id>", board.tile),
    path("beds/request", asking.find),
    path("beds/request/<str:patient_id>", asking.for_patient),
    path("beds/visits/<str:visit_id>", asking.for_visit),
    path("beds/stays/<str:stay_id>", stays.stay),
    path("beds/stays/<str:stay_id>/state", stays.state),
    path("beds/stays/<str:stay_id>/take", stays.take),
    path("beds/stays/<str:stay_id>/admit", stays.admit),
    path("beds/stays/<str:stay_id>/release", stays.release),
    path("beds/stays/<str:stay_id>/plan", stays.plan),
    path("beds/stays/<str:stay_id>/order-discharge", stays.order_discharge),
    path("beds/stays/<str:stay_id>/stay-on", stays.stay_on),
    path("beds/stays/<str:stay_id>/depart", stays.depart),
    path("beds/stays/<str:stay_id>/leave", stays.leave),
    path("beds/stays/<str:stay_id>/cancel", stays.cancel),
    path("beds/wards", wards.wards),
    path("beds/wards/<str:ward_id>/beds", wards.add_bed),
    path("beds/wards/<str:ward_id>/end", wards.end_ward),
    path("beds/<str:bed_id>/cleaning", board.start_cleaning),
    path("beds/<str:bed_id>/cleaned", board.finish_cleaning),
    path("beds/<str:bed_id>/block", board.block),
    path("beds/<str:bed_id>/unblock", board.unblock),
    path("beds/<str:bed_id>/retire", wards.retire),
]
