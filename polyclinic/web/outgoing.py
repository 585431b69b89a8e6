"""Asking other machines; see `polyclinic.core.outgoing`, which domain apps use as well."""

from polyclinic.core.outgoing import NoAnswer, NotAllowed, Reply, Target, check, request

__all__ = ["NoAnswer", "NotAllowed", "Reply", "Target", "check", "request"]
