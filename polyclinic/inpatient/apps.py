from django.apps import AppConfig


class InpatientConfig(AppConfig):
    name = "polyclinic.inpatient"
    label = "inpatient"

    def ready(self) -> None:
        from polyclinic.inpatient import requests
        from polyclinic.people import merge

        if requests.refuse_merging not in merge.guards:
            merge.guards.append(requests.refuse_merging)
