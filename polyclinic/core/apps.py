import time
from typing import Any, Final

from django.apps import AppConfig
from django.db.backends.signals import connection_created

# Seconds for which a thread keeps a connection of the pool. Given back after each request, fetching the next one and
# making it ready cost a tenth of a booking.
KEPT: Final = 60.0


def keep(connection: Any, **_given: Any) -> None:  # noqa: ANN401 - Django's wrapper of whichever database it is
    """Put off the moment at which Django gives a pooled connection back: with a pool that is at once."""
    if connection.settings_dict["OPTIONS"].get("pool"):
        connection.close_at = time.monotonic() + KEPT


class CoreConfig(AppConfig):
    name = "polyclinic.core"
    label = "core"

    def ready(self) -> None:
        connection_created.connect(keep, dispatch_uid="polyclinic.keep")
        from polyclinic.core import slow

        slow.set_limit()
        connection_created.connect(slow.watch, dispatch_uid="polyclinic.slow")
