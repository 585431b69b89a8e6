"""The write door: `ledger.create`, `ledger.apply`, `ledger.change`, `ledger.record`."""

from polyclinic.core.ledger.apply import apply, change, create, record
from polyclinic.core.ledger.idempotency import Answer, once
from polyclinic.core.ledger.machine import Machine, Transition, machines

__all__ = ["Answer", "Machine", "Transition", "apply", "change", "create", "machines", "once", "record"]
