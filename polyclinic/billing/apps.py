from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "polyclinic.billing"
    label = "billing"
