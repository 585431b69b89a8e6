"""Text messages leave here, after the transaction and beside the answer: a gateway that is slow holds nobody up.

A code that could not be sent is not sent again by itself: by then it would be another's. Its owner asks for a new one.
"""

from __future__ import annotations

import logging
import threading
from typing import Final
from uuid import UUID

from django.utils.translation import gettext as _

from polyclinic.factors import passkeys, sms

_log = logging.getLogger(__name__)
# So that a gateway that hangs cannot collect threads without end.
_AT_ONCE: Final = threading.BoundedSemaphore(8)


def send_code(account_id: UUID, number_id: UUID) -> None:
    """Send a fresh code to one of the account's telephones. Raises NotFound or SentJustNow."""
    number, code = sms.new_code(account_id, number_id)
    text = _("%(code)s is your Polyclinic code. It works for five minutes. Tell it to nobody.") % {"code": code}
    # The last line lets telephones offer the code to our page and to no other (origin-bound one-time codes).
    _send(number, f"{text}\n\n@{passkeys.host()} #{code}")


def _send(number: str, text: str) -> None:
    if not _AT_ONCE.acquire(blocking=False):
        _log.error("a text message was dropped: the gateway is not answering")
        return
    threading.Thread(target=_deliver, args=(number, text), name="texting", daemon=True).start()


def _deliver(number: str, text: str) -> None:
    try:
        sms.gateway().send(number, text)
    except (OSError, ValueError) as problem:
        # Neither the number nor the text is for the log.
        _log.error("a text message could not be sent: %s", type(problem).__name__)
    finally:
        _AT_ONCE.release()
