from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "polyclinic.webhooks"
    label = "webhooks"

    def ready(self) -> None:
        """Say what administrators are told of their webhooks."""
        from polyclinic.webhooks import notices  # noqa: F401 - adds its kinds
