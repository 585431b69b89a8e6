from django.apps import AppConfig


class NotifyConfig(AppConfig):
    name = "polyclinic.notify"
    label = "notify"

    def ready(self) -> None:
        """Be the one who tells for the layers below."""
        from polyclinic.notify import actions
        from polyclinic.people import alerts

        alerts.use(actions.tell, actions.post)
