from django.apps import AppConfig


class NotifyConfig(AppConfig):
    name = "polyclinic.notify"
    label = "notify"

    def ready(self) -> None:
        """Be the one who tells for the layers below."""
        from polyclinic.notify import actions, failed
        from polyclinic.people import alerts, erasing

        alerts.use(actions.tell, actions.post)
        if failed.forget_of not in erasing.endings:
            erasing.endings.append(failed.forget_of)
