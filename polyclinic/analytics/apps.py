from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    name = "polyclinic.analytics"
    label = "analytics"
