from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "polyclinic.people"
    label = "people"

    def ready(self) -> None:
        # A merge has a state table and forbids erasing one of two records: both hold from the start.
        from polyclinic.people import merge  # noqa: F401
