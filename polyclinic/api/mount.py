"""The API with all its routers."""

from __future__ import annotations

from polyclinic.api import appointments, auth, directory, schedules
from polyclinic.api.api import api

for router in (auth.router, appointments.router, schedules.router, directory.router):
    api.add_router("", router)

__all__ = ["api"]
