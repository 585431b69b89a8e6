"""The doctor's pages: the day, the patients, the schedule."""

from __future__ import annotations

from django.urls import path

from polyclinic.portals.doctor import day, hospitals, patients, schedule

urlpatterns = [
    path("doctor", day.day),
    path("doctor/day/figures", day.figures),
    path("doctor/day/row/<str:appointment_id>", day.row),
    path("doctor/appointments/<str:appointment_id>/<str:action>", day.act),
    path("doctor/new-count", patients.new_count),
    path("doctor/patients", patients.patients),
    path("doctor/patients/row/<str:patient_id>", patients.row),
    path("doctor/patients/<str:patient_id>", patients.patient),
    path("doctor/invited-count", hospitals.invited_count),
    path("doctor/invitations", hospitals.invitations),
    path("doctor/invitations/list", hospitals.invitation_rows),
    path("doctor/invitations/<str:doctor_invitation_id>/<str:answer>", hospitals.answer),
    path("doctor/travel", hospitals.set_travel),
    path("doctor/leave", hospitals.leave),
    path("doctor/leave/list", hospitals.leave_rows),
    path("doctor/leave/<str:leave_id>/withdraw", hospitals.withdraw),
    path("doctor/schedule", schedule.choose),
    path("doctor/schedule/<str:schedule_id>", schedule.edit),
    path("doctor/schedule/<str:schedule_id>/state", schedule.state),
    path("doctor/schedule/<str:schedule_id>/extra", schedule.set_extra),
    path("doctor/schedule/<str:schedule_id>/exceptions", schedule.add_exception),
    path("doctor/schedule/<str:schedule_id>/exceptions/<str:exception_id>/remove", schedule.remove_exception),
]
