"""Reminders and calendars."""

from __future__ import annotations

from django.urls import path

from polyclinic.portals.reminders import feed, mine, views

urlpatterns = [
    path("r/<str:token>", views.answer),
    path("calendar/<str:token>.ics", feed.calendar),
    path("account/reminders", mine.page),
    path("account/calendar", mine.open_feed),
    path("account/calendar/end", mine.end_feed),
]
