from django.apps import AppConfig


class PrivacyConfig(AppConfig):
    name = "polyclinic.privacy"
    label = "privacy"

    def ready(self) -> None:
        from polyclinic.consent import sharing
        from polyclinic.core.access import policy
        from polyclinic.people import erasing
        from polyclinic.privacy import closing, erasure, notices, officers, restrictions, retention
        from polyclinic.tokens import apikeys

        notices.register()
        apikeys.ask_watchers(officers.officers)
        sharing.ask_restrictions(restrictions.restricted)
        policy.ask_restricted(closing.closed)
        if retention.refuse_held not in erasing.guards:
            erasing.guards.append(retention.refuse_held)
        if erasure.end_sharing not in erasing.endings:
            erasing.endings.append(erasure.end_sharing)
