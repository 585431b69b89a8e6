"""The pages of ambulances: the dispatcher's board, the fleet, the crew's telephone."""

from __future__ import annotations

from django.urls import path

from polyclinic.portals.ambulance import crew, desk, fleet
from polyclinic.portals.patient import ambulance as own

urlpatterns = [
    path("ambulances", desk.board),
    path("ambulances/board", desk.live),
    path("ambulances/request", desk.ask),
    path("ambulances/fleet", fleet.fleet),
    path("ambulances/station", fleet.station),
    path("ambulances/trips/<str:trip_id>", desk.trip),
    path("ambulances/trips/<str:trip_id>/state", desk.trip_state),
    path("ambulances/trips/<str:trip_id>/dispatch", desk.dispatch),
    path("ambulances/trips/<str:trip_id>/step", desk.step),
    path("ambulances/trips/<str:trip_id>/cancel", desk.cancel),
    path("ambulances/trips/<str:trip_id>/identify", desk.identify),
    path("ambulances/vehicles/<str:ambulance_id>/withdraw", fleet.withdraw),
    path("ambulances/vehicles/<str:ambulance_id>/restore", fleet.restore),
    path("ambulance", crew.page),
    path("ambulance/state", crew.state),
    path("ambulance/begin", crew.begin),
    path("ambulance/end", crew.end),
    path("ambulance/position", crew.position),
    path("ambulance/trips/<str:trip_id>/step", crew.step),
    path("my/ambulance", own.page),
    path("my/ambulance/state", own.state),
    path("my/ambulance/<str:trip_id>", own.one),
    path("my/ambulance/<str:trip_id>/state", own.one_state),
    path("my/ambulance/<str:trip_id>/cancel", own.cancel),
]
