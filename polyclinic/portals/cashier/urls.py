"""The desk's pages about money."""

from __future__ import annotations

from django.urls import path

from polyclinic.portals.cashier import prices, reports, tills, views

urlpatterns = [
    path("cashier", views.home),
    path("cashier/owed", views.owed),
    path("cashier/invoices/<str:invoice_id>", views.invoice),
    path("cashier/invoices/<str:invoice_id>/state", views.invoice_state),
    path("cashier/receipts/<str:payment_id>", views.receipt),
    path("cashier/till", tills.own),
    path("cashier/tills/<str:till_id>", tills.one),
    path("cashier/prices", prices.prices),
    path("cashier/prices/<str:price_id>/end", prices.end),
    path("cashier/revenue", tills.revenue),
    path("cashier/reports", reports.page),
    path("cashier/reports/<str:table>.csv", reports.sheet),
]
