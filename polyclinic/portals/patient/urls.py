"""The patient's pages: home, booking in short pages, appointments."""

from __future__ import annotations

from django.urls import path

from polyclinic.portals.patient import booking, changes, confirm, views

urlpatterns = [
    path("my", views.home),
    path("my/next", views.next_appointment),
    path("my/appointments", views.appointments),
    path("my/appointments/coming", views.coming),
    path("my/appointments/<str:appointment_id>", views.appointment),
    path("my/appointments/<str:appointment_id>/state", views.appointment_state),
    path("my/appointments/<str:appointment_id>/booked", views.booked),
    path("my/appointments/<str:appointment_id>/calendar.ics", views.calendar),
    path("my/appointments/<str:appointment_id>/cancel", changes.cancel),
    path("my/appointments/<str:appointment_id>/reschedule", changes.reschedule),
    path("book", booking.why),
    path("book/where", booking.where),
    path("book/time", booking.time),
    path("book/slots", booking.slots),
    path("book/hold", confirm.hold),
    path("book/check/<str:hold_id>", confirm.check),
    path("book/check/<str:hold_id>/extend", confirm.extend),
    path("book/check/<str:hold_id>/release", confirm.release),
]
