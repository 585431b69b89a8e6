"""What the matrix needs of invitations to doctors and leave: `doctor` is invited, and asks for leave."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from polyclinic.core import clock
from polyclinic.scheduling import leaves
from polyclinic.scheduling.models import DoctorInvitation
from tests.house import House


def parts(house: House) -> dict[str, str]:
    now = clock.now()
    # Two days old, so that it can be reminded of.
    made = DoctorInvitation.objects.create(
        facility=house.facility, doctor=house.doctor, state="sent", invited_by=house.manager,
        weekly=[[0, "09:00", "12:00", "hours"]], created_at=now - timedelta(days=2), told_at=now - timedelta(days=2),
        expires_at=now + timedelta(days=12),
    )  # fmt: skip
    day = house.workday(40)
    leave = leaves.ask(
        actor=house.person(house.doctor), schedule_id=house.schedule.pk, kind="annual", starts=house.local(day, 9),
        ends=house.local(day, 17),
    )  # fmt: skip
    return {
        "doctor_invitation_id": str(made.pk), "doctorInvitationId": str(made.pk), "invitation_deed": "remind",
        "answer": "reject", "leave_id": str(leave.pk), "leaveRequestId": str(leave.pk), "decision": "approve",
    }  # fmt: skip


def bodies(house: House) -> dict[str, Callable[[], dict[str, Any]]]:
    day = house.workday(45)
    invitation, leave = "/api/doctor-invitations/<doctorInvitationId>", "/api/leave-requests/<leaveRequestId>"
    return {
        "POST /api/doctor-invitations": lambda: {
            "hospitalId": house.facility.pk, "doctorId": house.stranger_doctor.pk,
            "weekly": [{"weekday": 0, "starts": "09:00", "ends": "12:00"}],
        },
        f"POST {invitation}/respond": lambda: {"response": "reject"},
        f"POST {invitation}/remind": dict,
        "POST /api/leave-requests": lambda: {
            "scheduleId": house.schedule.pk, "kind": "study", "starts": house.local(day, 9),
            "ends": house.local(day, 12),
        },
        f"POST {leave}/withdraw": dict,
        f"POST {leave}/<decision>": lambda: {"answer": "Enjoy it"},
        "PUT /api/doctors/<doctorId>/travel": lambda: {"minutes": 20},
    }  # fmt: skip


def forms(house: House) -> dict[str, dict[str, Any]]:
    return {
        "POST /admin/doctors/invite/<str:doctor_id>": {
            "place": str(house.facility.pk), "days": "0", "from": "09:00", "until": "12:00",
        },
        "POST /admin/leave/<str:leave_id>": {"deed": "decline", "answer": "Too many are away"},
        "POST /doctor/travel": {"minutes": "20"},
        "POST /doctor/leave": {
            "schedule": str(house.schedule.pk), "kind": "study", "from_day": str(house.workday(45)),
        },
    }  # fmt: skip
