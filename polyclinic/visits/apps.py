from django.apps import AppConfig


class VisitsConfig(AppConfig):
    name = "polyclinic.visits"
    label = "visits"

    def ready(self) -> None:
        from polyclinic.billing import hooks
        from polyclinic.people import merge
        from polyclinic.visits import actions, fees, known

        hooks.on_settled("visit", actions.settled)
        hooks.on_failed("visit", fees.payment_failed)
        if known.refuse_merging not in merge.guards:
            merge.guards.append(known.refuse_merging)
