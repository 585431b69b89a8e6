"""The pharmacy's pages: the queue, one prescription, what was handed over, the shelves, deliveries, stock-takes."""

from __future__ import annotations

from django.urls import path

from polyclinic.portals.pharmacy import counting, given, prescription, queue, receiving, shelves

_RX = "pharmacy/prescriptions/<str:rx_id>"
_MADE = "pharmacy/dispenses/<str:dispense_id>"
urlpatterns = [
    path("pharmacy", queue.home),
    path("pharmacy/list", queue.lines),
    path("pharmacy/scan", queue.scan),
    path("pharmacy/given", queue.given),
    path("pharmacy/witness", prescription.find_to_count),
    path("pharmacy/visits/<str:visit_id>/call", queue.call),
    path(_RX, prescription.one),
    path(f"{_RX}/state", prescription.state),
    path(f"{_RX}/identify", prescription.identify),
    path(f"{_RX}/dispense", prescription.dispense),
    path(f"{_RX}/decline", prescription.decline),
    path(f"{_RX}/close", prescription.close),
    path(f"{_RX}/witness", prescription.witness),
    path(f"{_RX}/labels", prescription.labels),
    path(_MADE, given.one),
    path(f"{_MADE}/labels", given.labels),
    path(f"{_MADE}/return", given.take_back),
    path("pharmacy/stock", shelves.board),
    path("pharmacy/stock/list", shelves.lines),
    path("pharmacy/stock/<str:product_id>", shelves.medicine),
    path("pharmacy/stock/<str:product_id>/reorder", shelves.reorder),
    path("pharmacy/batches/<str:batch_id>/adjust", shelves.adjust),
    path("pharmacy/batches/<str:batch_id>/send", shelves.send),
    path("pharmacy/transfers", shelves.transfers),
    path("pharmacy/transfers/<str:transfer_id>/receive", shelves.arrive),
    path("pharmacy/transfers/<str:transfer_id>/call-back", shelves.call_back),
    path("pharmacy/receive", receiving.receive),
    path("pharmacy/counts", counting.takes),
    path("pharmacy/counts/<str:take_id>", counting.sheet),
    path("pharmacy/counts/<str:take_id>/post", counting.post),
    path("pharmacy/counts/<str:take_id>/give-up", counting.give_up),
]
