from django.apps import AppConfig


class ConsentConfig(AppConfig):
    name = "polyclinic.consent"
    label = "consent"

    def ready(self) -> None:
        from polyclinic.consent import notices, sharing
        from polyclinic.core.access import policy

        notices.register()
        policy.ask_consents(sharing.shared_with, sharing.sharers)
