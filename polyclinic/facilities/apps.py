from django.apps import AppConfig


class FacilitiesConfig(AppConfig):
    name = "polyclinic.facilities"
    label = "facilities"

    def ready(self) -> None:
        from polyclinic.core.access import changes
        from polyclinic.facilities import identity, letters, words
        from polyclinic.people import passwords

        changes.on_change(identity.forget_account)
        letters.register()
        passwords.ask_context(words.place_names)
