"""What the first page does not need is loaded after it: the API's schemas, checks and description.

They are a third of the time to the first page. Whoever asks the API meanwhile waits for the rest of that loading and no
longer than if it had come first.
"""

from __future__ import annotations

import gc
import logging
import threading
from typing import Final

from polyclinic.web import access

_log = logging.getLogger("polyclinic.web")
# Seconds to wait for a first page; then nobody is there to be in the way of.
_PATIENCE: Final = 1.0


class Warming(threading.Thread):
    """Loads every address's code, once `answered` is set or a moment has passed."""

    def __init__(self, patience: float = _PATIENCE) -> None:
        super().__init__(name="warming", daemon=True)
        self.answered: Final = threading.Event()
        self._patience = patience

    def run(self) -> None:
        self.answered.wait(self._patience)
        try:
            count = sum(1 for _address in access.addresses())
        except Exception:
            # The request that needs it will meet the same failure and be answered for it.
            _log.exception("an address could not be loaded")
            return
        _log.debug("%d addresses loaded", count)
        # As after the start: what is loaded by now stays, and collecting it again would only stall live delivery.
        gc.collect()
        gc.freeze()
