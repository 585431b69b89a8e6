from django.apps import AppConfig


class RemindersConfig(AppConfig):
    name = "polyclinic.reminders"
    label = "reminders"

    def ready(self) -> None:
        """Name the letter that reminds."""
        from polyclinic.reminders import letters

        letters.register()
