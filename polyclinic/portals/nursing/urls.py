"""The ward's work."""

from __future__ import annotations

from django.urls import path

from polyclinic.portals.nursing import handing, leaving, medicines, rounds

urlpatterns = [
    path("nursing", rounds.ward_round),
    path("nursing/row/<str:stay_id>", rounds.round_row),
    path("nursing/handover", handing.ward),
    path("nursing/stays/<str:stay_id>", rounds.bedside),
    path("nursing/stays/<str:stay_id>/vitals", rounds.observe),
    path("nursing/stays/<str:stay_id>/note", rounds.note),
    path("nursing/stays/<str:stay_id>/medicines", medicines.day),
    path("nursing/stays/<str:stay_id>/order", medicines.order),
    path("nursing/stays/<str:stay_id>/handover", handing.stay),
    path("nursing/stays/<str:stay_id>/summary", leaving.summary),
    path("nursing/vitals/<str:observation_id>/withdraw", rounds.withdraw),
    path("nursing/orders/<str:order_id>/stop", medicines.stop),
    path("nursing/orders/<str:order_id>/dose", medicines.dose),
    path("nursing/doses/<str:dose_id>/withdraw", medicines.withdraw),
    path("nursing/handovers/<str:handover_id>/read", handing.read),
    path("my/summaries", leaving.mine),
]
