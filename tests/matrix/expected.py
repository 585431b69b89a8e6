"""Who gets what at which address: the whole table, a row an operation, a column a role.

The statuses are those of a well-formed request about the appointment, hold, schedule or hospital of `patient` and
`doctor` (see `driving.World`). 404 stands for "missing or not yours", 403 for "you may know of it and not do this",
303 for a page that sends elsewhere: to the sign-in page when nobody is signed in. A method that has no row here is
served to nobody. Addresses under /api/v1 are those under /api.
"""

from __future__ import annotations

from typing import Final

ROLES: Final = (
    "anonymous", "patient", "other_patient", "doctor", "other_doctor", "receptionist", "foreign_receptionist",
    "manager",
)  # fmt: skip

# fmt: off
TABLE: Final[str] = """
                                                                                ano  pat  pa2  doc  do2  rec  re2  man
GET    /                                                                        200  200  200  200  200  200  200  200
GET    /next-free                                                               200  200  200  200  200  200  200  200
GET    /hospitals                                                               200  200  200  200  200  200  200  200
GET    /hospitals/<str:slug>                                                    200  200  200  200  200  200  200  200
GET    /doctors                                                                 200  200  200  200  200  200  200  200
GET    /doctors/<str:doctor_id>                                                 200  200  200  200  200  200  200  200
GET    /doctors/<str:doctor_id>/next-free                                       200  200  200  200  200  200  200  200
GET    /doctors/<str:doctor_id>/days                                            200  200  200  200  200  200  200  200
GET    /services                                                                200  200  200  200  200  200  200  200
GET    /emergency                                                               200  200  200  200  200  200  200  200
GET    /sign-in                                                                 200  303  303  303  303  303  303  303
POST   /sign-in                                                                 422  422  422  422  422  422  422  422
GET    /sign-up                                                                 200  200  200  200  200  200  200  200
POST   /sign-up                                                                 422  422  422  422  422  422  422  422
POST   /sign-out                                                                303  303  303  303  303  303  303  303
GET    /home                                                                    303  303  303  303  303  200  200  200
GET    /password/reset                                                          200  200  200  200  200  200  200  200
POST   /password/reset                                                          422  422  422  422  422  422  422  422
GET    /password/reset/sent                                                     200  200  200  200  200  200  200  200
GET    /password/reset/<str:account>/<str:token>                                410  410  410  410  410  410  410  410
POST   /password/reset/<str:account>/<str:token>                                410  410  410  410  410  410  410  410
GET    /my                                                                      303  200  200  404  404  404  404  404
GET    /my/next                                                                 303  200  200  404  404  404  404  404
GET    /my/appointments                                                         303  200  200  404  404  404  404  404
GET    /my/appointments/coming                                                  303  200  200  404  404  404  404  404
GET    /my/appointments/<str:appointment_id>                                    303  200  404  404  404  404  404  404
GET    /my/appointments/<str:appointment_id>/state                              303  200  404  404  404  404  404  404
GET    /my/appointments/<str:appointment_id>/booked                             303  200  404  404  404  404  404  404
GET    /my/appointments/<str:appointment_id>/calendar.ics                       303  200  404  404  404  404  404  404
GET    /my/appointments/<str:appointment_id>/cancel                             303  200  404  404  404  404  404  404
POST   /my/appointments/<str:appointment_id>/cancel                             303  303  404  404  404  404  404  404
GET    /my/appointments/<str:appointment_id>/reschedule                         303  200  404  404  404  404  404  403
POST   /my/appointments/<str:appointment_id>/reschedule                         303  303  404  404  404  404  404  403
GET    /book                                                                    200  200  200  200  200  200  200  200
GET    /book/where                                                              200  200  200  200  200  200  200  200
GET    /book/time                                                               200  200  200  200  200  200  200  200
GET    /book/slots                                                              200  200  200  200  200  200  200  200
POST   /book/hold                                                               302  303  303  404  404  404  404  404
GET    /book/check/<str:hold_id>                                                303  200  404  404  404  404  404  403
POST   /book/check/<str:hold_id>                                                303  303  404  404  404  404  404  403
POST   /book/check/<str:hold_id>/extend                                         303  303  404  404  404  404  404  403
POST   /book/check/<str:hold_id>/release                                        303  303  404  404  404  404  404  403
GET    /doctor                                                                  303  404  404  200  200  404  404  404
GET    /doctor/day/figures                                                      303  404  404  200  200  404  404  404
GET    /doctor/day/row/<str:appointment_id>                                     303  404  404  200  404  404  404  404
GET    /doctor/appointments/<str:appointment_id>/<str:action>                   303  404  404  200  404  404  404  404
POST   /doctor/appointments/<str:appointment_id>/<str:action>                   303  404  404  303  404  404  404  404
GET    /doctor/new-count                                                        303  403  403  200  200  404  404  403
GET    /doctor/patients                                                         303  403  403  200  200  404  404  403
POST   /doctor/patients                                                         303  403  403  303  303  404  404  403
GET    /doctor/patients/row/<str:patient_id>                                    303  403  403  200  404  404  404  403
GET    /doctor/patients/<str:patient_id>                                        303  404  404  200  404  404  404  403
GET    /doctor/schedule                                                         303  403  403  303  303  403  403  404
GET    /doctor/schedule/<str:schedule_id>                                       303  403  403  200  404  403  403  404
POST   /doctor/schedule/<str:schedule_id>                                       303  403  403  422  404  403  403  404
GET    /doctor/schedule/<str:schedule_id>/state                                 303  403  403  200  404  403  403  404
POST   /doctor/schedule/<str:schedule_id>/exceptions                            303  403  403  422  404  403  403  404
POST   /doctor/schedule/<str:schedule_id>/exceptions/<str:exception_id>/remove  303  403  403  422  404  403  403  404
GET    /design                                                                  200  200  200  200  200  200  200  200
GET    /api-docs                                                                200  200  200  200  200  200  200  200
GET    /api/openapi.json                                                        200  200  200  200  200  200  200  200
POST   /api/auth/login                                                          200  200  200  200  200  200  200  200
POST   /api/auth/logout                                                         401  204  204  204  204  204  204  204
GET    /api/auth/me                                                             401  200  200  200  200  200  200  200
GET    /api/appointments                                                        401  200  200  200  200  200  200  200
POST   /api/appointments                                                        401  201  404  201  404  201  404  404
POST   /api/appointments/book                                                   401  201  404  201  404  201  404  404
GET    /api/appointments/<appointmentId>                                        401  200  404  200  404  200  404  200
PUT    /api/appointments/<appointmentId>                                        401  200  404  200  404  200  404  403
PATCH  /api/appointments/<appointmentId>                                        401  200  404  200  404  200  404  403
DELETE /api/appointments/<appointmentId>                                        401  200  404  200  404  200  404  200
PUT    /api/appointments/<appointmentId>/status                                 401  403  404  200  404  200  404  403
POST   /api/holds                                                               401  201  201  201  403  201  403  403
DELETE /api/holds/<holdId>                                                      401  204  404  404  404  404  404  403
GET    /api/doctors/<doctorId>/appointments                                     401  404  404  200  404  200  404  200
GET    /api/doctor/<doctorId>/patients                                          401  403  403  200  404  200  404  403
GET    /api/doctors/<doctorId>/schedules                                        401  403  403  200  404  200  404  200
GET    /api/doctors/<doctorId>/schedules/<scheduleId>                           401  403  403  200  404  200  404  200
PUT    /api/doctors/<doctorId>/schedules/<scheduleId>                           401  403  403  200  404  403  403  200
POST   /api/doctors/<doctorId>/schedules/<scheduleId>/exceptions                401  403  403  201  404  403  403  201
DELETE /api/doctors/<doctorId>/schedules/<scheduleId>/exceptions/<exceptionId>  401  403  403  200  404  403  403  200
GET    /api/hospitals                                                           200  200  200  200  200  200  200  200
GET    /api/hospitals/<hospitalId>                                              200  200  200  200  200  200  200  200
GET    /api/hospitals/<hospitalId>/stats                                        401  403  403  403  403  200  404  200
GET    /api/doctors                                                             200  200  200  200  200  200  200  200
GET    /api/doctors/<doctorId>                                                  200  200  200  200  200  200  200  200
GET    /api/doctors/<doctorId>/availability                                     200  200  200  200  200  200  200  200
GET    /api/slots                                                               200  200  200  200  200  200  200  200
GET    /api/services                                                            200  200  200  200  200  200  200  200
GET    /api/                                                                    404  404  404  404  404  404  404  404
"""
# fmt: on


def rows() -> dict[tuple[str, str], dict[str, int]]:
    """(method, address) → status by role. Raises ValueError for a row that does not name every role's status once."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    for line in TABLE.strip().splitlines()[1:]:
        method, address, *cells = line.split()
        if len(cells) != len(ROLES) or (method, address) in found:
            raise ValueError(line)
        found[method, address] = dict(zip(ROLES, map(int, cells), strict=True))
    return found
