"""The three tables every change writes to, beside its own."""

from __future__ import annotations

from django.db import models


class AuditEntry(models.Model):
    """One thing that was done, by whom and to what. Append-only; each entry seals the one before it.

    Entries form several chains ("lanes"): one on SQLite, sixteen on PostgreSQL, so that writers do not queue for
    the same chain. Within a lane `seq` counts from 1 and `digest` covers `previous`.
    """

    lane = models.PositiveSmallIntegerField()
    seq = models.PositiveBigIntegerField()
    at = models.DateTimeField()
    actor = models.CharField(max_length=64)
    via = models.CharField(max_length=16)
    action = models.CharField(max_length=64)
    subject_kind = models.CharField(max_length=32)
    subject_id = models.CharField(max_length=64)
    patient_id = models.UUIDField(null=True)
    facility_id = models.UUIDField(null=True)
    from_state = models.CharField(max_length=32, blank=True)
    to_state = models.CharField(max_length=32, blank=True)
    revision = models.PositiveIntegerField(default=0)
    reason = models.CharField(max_length=500, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    detail = models.TextField(blank=True)
    previous = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["lane", "seq"], name="audit_lane_seq")]
        indexes = [
            models.Index(fields=["subject_id", "at"], name="audit_subject"),
            models.Index(fields=["patient_id", "at"], name="audit_patient"),
        ]


class OutboxEvent(models.Model):
    """A fact that happened, written in the transaction that made it so. The log every screen is fed from.

    `position` is the commit order. On SQLite the key itself is in commit order (one writer) and `position` stays
    empty; on PostgreSQL keys are given before commit, so committed rows are numbered afterwards, one numberer
    at a time (see `core.outbox.log`).
    """

    position = models.PositiveBigIntegerField(null=True, unique=True)
    stream = models.CharField(max_length=64)
    stream_seq = models.PositiveIntegerField()
    type = models.CharField(max_length=64)
    version = models.PositiveSmallIntegerField()
    at = models.DateTimeField()
    audience = models.TextField()
    payload = models.TextField()


class IdempotencyRecord(models.Model):
    """The answer once given to a request key, stored with the effect itself."""

    caller = models.CharField(max_length=64)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    answer = models.TextField(blank=True)
    at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["caller", "key"], name="idempotency_caller_key")]
