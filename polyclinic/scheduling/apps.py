from django.apps import AppConfig


class SchedulingConfig(AppConfig):
    name = "polyclinic.scheduling"
    label = "scheduling"

    def ready(self) -> None:
        from polyclinic.core.audit import reads
        from polyclinic.scheduling import care, letters

        letters.register()
        reads.ask_whereabouts(care.whereabouts)
