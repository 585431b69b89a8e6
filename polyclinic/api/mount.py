"""The API with all its routers."""

from __future__ import annotations

from polyclinic.api import (
    admin,
    ambulances,
    analytics,
    apikeys,
    appointments,
    audit,
    auth,
    beds,
    billing,
    directory,
    factors,
    imports,
    laboratory,
    laboratory_files,
    laboratory_ranges,
    notices,
    nursing,
    papers,
    pharmacy,
    prescriptions,
    privacy,
    refills,
    schedules,
    series,
    services,
    settings,
    system,
    visits,
    working,
)
from polyclinic.api import records as visit_records
from polyclinic.api.api import api

for router in (
    auth.router,
    factors.router,
    apikeys.router,
    appointments.router,
    series.router,
    schedules.router,
    laboratory.router,
    laboratory_files.router,
    laboratory_ranges.router,
    papers.router,
    prescriptions.router,
    refills.router,
    pharmacy.router,
    beds.router,
    nursing.router,
    directory.router,
    analytics.router,
    settings.router,
    services.router,
    notices.router,
    admin.router,
    privacy.router,
    audit.router,
    billing.router,
    visit_records.router,
    visits.router,
    ambulances.router,
    working.router,
    imports.router,
    system.router,
):
    api.add_router("", router)

__all__ = ["api"]
