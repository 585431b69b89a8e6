"""Run inside a server's settings: fill its database with the small hospital, or sign people in. Prints JSON."""

from __future__ import annotations

import json
import sys

import django


def fill() -> dict[str, str]:
    """Migrate, build the hospital, and name every row's id (and the accounts behind people)."""
    from tests import house, schema

    schema.migrate()
    built = house.build()
    rows = {**vars(built), **built.staff}
    told = {name: str(row.pk) for name, row in rows.items() if name != "staff"}
    told["slots"] = json.dumps([built.slot(nth).isoformat() for nth in range(8)])
    return told


def sign_in(names: list[str]) -> dict[str, str]:
    """A web session for each named person: an address, or an attribute of the hospital by its address's start."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

    from polyclinic.core import clock
    from polyclinic.people.models import Account
    from polyclinic.people.sessions import SessionStore

    made = {}
    for name in names:
        account = Account.objects.get(email=ADDRESSES.get(name, name))
        store = SessionStore()
        store[SESSION_KEY] = str(account.pk)
        store[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
        store[HASH_SESSION_KEY] = account.get_session_auth_hash()
        # As after a real sign-in with two steps: whoever has just shown both need not step up.
        store["stepped_up_at"] = clock.now().isoformat()
        store["aal"] = 2
        store.create()
        made[name] = str(store.session_key)
    return made


# People of tests.house by their name there.
ADDRESSES = {
    "patient": "meera@example.org",
    "other_patient": "bento@example.org",
    "stranger_patient": "fay@example.org",
    "doctor": "dr.anil@example.org",
    "other_doctor": "dr.grace@example.org",
    "stranger_doctor": "dr.sam@example.org",
    "receptionist": "front@example.org",
    "manager": "boss@example.org",
    "stranger_receptionist": "desk@example.com",
    "admin": "admin@example.org",
    "auditor": "auditor@example.org",
    "privacy_officer": "privacy_officer@example.org",
}

if __name__ == "__main__":
    django.setup(set_prefix=False)
    if sys.argv[1:2] == ["session"]:
        print(json.dumps(sign_in(sys.argv[2:])))
    else:
        print(json.dumps(fill()))
