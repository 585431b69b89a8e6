"""The tables every change writes to beside its own, and those that make the audit believable."""

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
    # Sealed when it is about a patient (`core.crypto.reasons`), and then longer than what was written.
    reason = models.TextField(blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    detail = models.TextField(blank=True)
    # The digest that names the patients of a list, where there was more than one (`AuditGroup`).
    listed = models.CharField(max_length=64, blank=True, default="", db_default="")
    previous = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["lane", "seq"], name="audit_lane_seq")]
        indexes = [
            models.Index(fields=["subject_id", "at"], name="audit_subject"),
            models.Index(fields=["patient_id", "at"], name="audit_patient"),
            models.Index(fields=["facility_id", "at"], name="audit_facility"),
            models.Index(fields=["actor", "at"], name="audit_actor"),
            models.Index(fields=["listed", "at"], name="audit_listed", condition=~models.Q(listed="")),
        ]


class AuditGroup(models.Model):
    """The patients who stood in a list that somebody read, once for all readings of the same patients. Append-only.

    `name` is SHA-256 over their ids in order, and the entry's own digest covers the name: neither can change unseen.
    """

    name = models.CharField(max_length=64, unique=True)


class AuditGroupMember(models.Model):
    """One patient of such a list. Append-only."""

    group = models.ForeignKey(AuditGroup, models.PROTECT, related_name="members", db_index=False)
    patient_id = models.UUIDField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["group", "patient_id"], name="audit_member_once")]
        indexes = [models.Index(fields=["patient_id"], name="audit_member_patient")]


class AuditSegment(models.Model):
    """A segment of the reads' journal that is in the audit, remembered until its file is gone."""

    name = models.CharField(max_length=80, unique=True)


class AuditCheckpoint(models.Model):
    """What the database knows of a signed checkpoint: the line itself is in a file outside it. Append-only.

    `key` is the fingerprint of the key that signed; numbers count from 1 for each key.
    """

    key = models.CharField(max_length=64)
    number = models.PositiveBigIntegerField()
    at = models.DateTimeField()
    heads = models.TextField()
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "number"], name="audit_checkpoint_once")]


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
