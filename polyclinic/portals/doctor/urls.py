"""The doctor's pages: the day, the patients, the schedule."""

from __future__ import annotations

from django.urls import path

from polyclinic.portals.doctor import day, patients, schedule

urlpatterns = [
    path("doctor", day.day),
    path("doctor/day/figures", day.figures),
    path("doctor/day/row/<str:appointment_id>", day.row),
    path("doctor/appointments/<str:appointment_id>/<str:action>", day.act),
    path("doctor/new-count", patients.new_count),
    path("doctor/patients", patients.patients),
    path("doctor/patients/row/<str:patient_id>", patients.row),
    path("doctor/patients/<str:patient_id>", patients.patient),
    path("doctor/schedule", schedule.choose),
    path("doctor/schedule/<str:schedule_id>", schedule.edit),
    path("doctor/schedule/<str:schedule_id>/state", schedule.state),
    path("doctor/schedule/<str:schedule_id>/exceptions", schedule.add_exception),
    path("doctor/schedule/<str:schedule_id>/exceptions/<str:exception_id>/remove", schedule.remove_exception),
]
