from django.apps import AppConfig


class FactorsConfig(AppConfig):
    name = "polyclinic.factors"
    label = "factors"

    def ready(self) -> None:
        """Say what people are told of their factors, and be the one who knows who has any."""
        from polyclinic.factors import notices, selectors  # noqa: F401 - the first adds its kinds
        from polyclinic.people import passwords

        passwords.ask_second_factor(selectors.has_second_factor)
