"""The token against forged forms, masked as Django masks it and with one question to the system instead of 32.

Django draws each letter of a mask from the system by itself. Every draw lets go of the interpreter, and a page then
waits 32 times behind whoever takes it. What the middleware accepts, and the cookie, remain Django's.
"""

from __future__ import annotations

import os
from typing import Final

from django.http import HttpRequest
from django.middleware.csrf import CSRF_ALLOWED_CHARS, CSRF_SECRET_LENGTH, get_token

# For each letter of a secret the alphabet from there on: what it becomes under each letter of a mask.
_FROM: Final = {
    letter: CSRF_ALLOWED_CHARS[place:] + CSRF_ALLOWED_CHARS[:place] for place, letter in enumerate(CSRF_ALLOWED_CHARS)
}
_COUNT: Final = len(CSRF_ALLOWED_CHARS)
# So many random bytes to a mask that its letters are even to one part in 2**66.
_BYTES: Final = 32


def token(request: HttpRequest) -> str:
    """A masked token for the forms of the answer to `request`, another at each call."""
    secret = request.META.get("CSRF_COOKIE")
    if not isinstance(secret, str) or len(secret) != CSRF_SECRET_LENGTH:
        # The first form of a visitor, and cookies of an older kind: Django makes the secret and the token.
        return get_token(request)
    # As Django says of it: the cookie is in use, so it is sent again with its time renewed.
    request.META["CSRF_COOKIE_NEEDS_UPDATE"] = True
    drawn = int.from_bytes(os.urandom(_BYTES))
    mask, cipher = [], []
    for letter in secret:
        drawn, place = divmod(drawn, _COUNT)
        mask.append(CSRF_ALLOWED_CHARS[place])
        cipher.append(_FROM[letter][place])
    return "".join(mask) + "".join(cipher)
