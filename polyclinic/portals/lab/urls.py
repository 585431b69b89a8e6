"""The laboratory's pages: the worklist, one order, labels, ordering, critical results."""

from __future__ import annotations

from django.urls import path

from polyclinic.portals.lab import bench, critical, files, labels, ordering, ranges, results, views
from polyclinic.portals.patient import results as own

urlpatterns = [
    path("my/results", own.results),
    path("my/results/newest", own.newest),
    path("my/results/<str:lab_order_id>", own.one),
    path("lab", views.worklist),
    path("lab/list", views.lines),
    path("lab/scan", views.scan),
    path("lab/catalogue", views.catalogue_page),
    path("lab/catalogue/<str:lab_code>", ranges.test_page),
    path("lab/catalogue/<str:lab_code>/ranges", ranges.set_range),
    path("lab/ranges/<str:lab_range_id>/end", ranges.end_range),
    path("lab/critical", critical.home),
    path("lab/critical/list", critical.lines),
    path("lab/critical/mine", critical.mine),
    path("lab/critical/<str:alert_id>", critical.one),
    path("lab/order/<str:visit_id>", ordering.order),
    path("lab/orders/<str:lab_order_id>", views.order),
    path("lab/orders/<str:lab_order_id>/state", views.state),
    path("lab/orders/<str:lab_order_id>/labels", labels.labels),
    path("lab/orders/<str:lab_order_id>/results", results.enter),
    path("lab/orders/<str:lab_order_id>/verify", results.verify_all),
    path("lab/orders/<str:lab_order_id>/release", results.release_all),
    path("lab/specimens/<str:specimen_id>/collect", bench.collect),
    path("lab/specimens/<str:specimen_id>/receive", bench.receive),
    path("lab/specimens/<str:specimen_id>/reject", bench.reject),
    path("lab/files/<str:lab_file_id>", files.give),
    path("lab/files/<str:lab_file_id>/withdraw", files.withdraw),
    path("lab/tests/<str:lab_test_id>/files", files.attach),
    path("lab/tests/<str:lab_test_id>/verify", results.verify),
    path("lab/tests/<str:lab_test_id>/release", results.release),
    path("lab/tests/<str:lab_test_id>/amend", results.amend),
    path("lab/tests/<str:lab_test_id>/cancel", results.cancel),
]
