"""`polyclinic createuser` and `polyclinic resetfactors`."""

from __future__ import annotations

import argparse
import getpass
import sys

from polyclinic.commands.ending import fail
from polyclinic.core.actors import SystemActor
from polyclinic.core.db import transactional
from polyclinic.core.errors import Problem
from polyclinic.facilities.actions import grant_role
from polyclinic.factors import actions as factors
from polyclinic.people import actions
from polyclinic.people.models import Account

OPERATOR = SystemActor("operator", via="cli")


def createuser(given: argparse.Namespace) -> int:
    """Make the account; with --role and --facility also the membership, both or neither."""
    if bool(given.role) != bool(given.facility):
        fail("--role and --facility go together: a role is held at one facility")
    password = _password(given.password_stdin)
    try:
        _create(given, password)
    except Problem as problem:
        fail(f"{problem.field}: {problem.sentence}" if problem.field else str(problem.sentence))
    print(f"{given.email} can sign in.")
    return 0


@transactional
def _create(given: argparse.Namespace, password: str) -> None:
    account = actions.create_account(
        actor=OPERATOR, email=given.email, password=password, name=given.name, language=given.language
    )
    if given.role:
        grant_role(actor=OPERATOR, account_id=account.pk, facility_slug=given.facility, role=given.role)


def resetfactors(given: argparse.Namespace) -> int:
    """Let somebody in again whose second factors are all lost: the password is then enough, until they add another."""
    found = Account.objects.filter(email__iexact=given.email).values_list("pk", flat=True).first()
    if found is None:
        fail("there is no account with this address")
    factors.reset(actor=OPERATOR, account_id=found, reason=given.reason)
    print(f"{given.email} signs in by password alone now, and has been told.")
    return 0


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        fail("no terminal to ask for the password; use --password-stdin")
    first = getpass.getpass("Password (at least 15 characters): ")
    if getpass.getpass("Once more: ") != first:
        fail("the two passwords differ")
    return first
