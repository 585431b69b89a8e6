from django.apps import AppConfig


class TransportConfig(AppConfig):
    name = "polyclinic.transport"
    label = "transport"

    def ready(self) -> None:
        from polyclinic.people import merge
        from polyclinic.transport import asking

        if asking.refuse_merging not in merge.guards:
            merge.guards.append(asking.refuse_merging)
