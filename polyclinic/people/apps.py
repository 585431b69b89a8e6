from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "polyclinic.people"
    label = "people"
