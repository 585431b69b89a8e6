from django.apps import AppConfig


class TokensConfig(AppConfig):
    name = "polyclinic.tokens"
    label = "tokens"

    def ready(self) -> None:
        """Say what people are told of their tokens."""
        from polyclinic.people import programs
        from polyclinic.tokens import (
            apikeys,
            notices,  # noqa: F401 - adds its kinds
        )

        programs.use(apikeys.end_all)
