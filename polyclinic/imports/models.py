"""Lists that are brought in: the file, what is wrong with its rows, and which rows are in.

The file lies in `files.storage` sealed with a key that stands here, sealed too. What a row says is nowhere else: of a
row that is wrong its number, the column and a sentence of ours are kept, never what was written there.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from polyclinic.core import clock
from polyclinic.core.crypto.fields import EncryptedTextField
from polyclinic.core.ids import new_id
from polyclinic.facilities.models import Facility
from polyclinic.imports.words import Dates, Kind
from polyclinic.people.models import Account


class Import(models.Model):
    """One file from its upload to its report. Steps: `imports.states`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="+", db_index=False)
    # Whoever wants it: rows come in as theirs, and only what they may do by hand.
    account = models.ForeignKey(Account, models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    state = models.CharField(max_length=12)
    version = models.PositiveIntegerField(default=1)
    # What the file was called, which can name people.
    name = EncryptedTextField(purpose="imports", max_length=120, blank=True)
    secret = EncryptedTextField(purpose="imports", blank=True)
    size = models.PositiveIntegerField()
    encoding = models.CharField(max_length=12)
    delimiter = models.CharField(max_length=1)
    dates = models.CharField(max_length=4, choices=Dates.choices, default=Dates.ISO)
    # Which column (counted from 0) holds which field.
    columns = models.JSONField(default=dict)
    rows = models.PositiveIntegerField()
    # Rows looked at in the step that is going on, and the number of the last one; rows that are wrong.
    seen = models.PositiveIntegerField(default=0)
    last = models.PositiveIntegerField(default=1)
    bad = models.PositiveIntegerField(default=0)
    # Rows that are in, and rows that were refused when they came to it.
    taken = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    # Until when one of the servers is at it; later it is anybody's again.
    claimed_until = models.DateTimeField(null=True)
    made_at = models.DateTimeField(default=clock.now)
    ended_at = models.DateTimeField(null=True)
    shredded_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["facility", "-made_at"], name="import_facility"),
            models.Index(fields=["made_at"], name="import_running", condition=Q(state__in=("checking", "applying"))),
            models.Index(fields=["made_at"], name="import_kept", condition=Q(shredded_at__isnull=True)),
        ]
        constraints = [models.CheckConstraint(condition=Q(seen__lte=F("rows")), name="import_seen")]


class ImportProblem(models.Model):
    """A row that cannot come in, and why. `number` is the spreadsheet's; `late` was found out when it came to it."""

    batch = models.ForeignKey(Import, models.CASCADE, related_name="problems", db_index=False)
    number = models.PositiveIntegerField()
    field = models.CharField(max_length=20, blank=True)
    code = models.CharField(max_length=40)
    said = models.CharField(max_length=400)
    late = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["batch", "number"], name="import_problem_once")]


class ImportedRow(models.Model):
    """A row that is in, and what came of it. Written with it in one transaction: no row comes in twice."""

    batch = models.ForeignKey(Import, models.CASCADE, related_name="taken_rows", db_index=False)
    number = models.PositiveIntegerField()
    made_id = models.UUIDField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["batch", "number"], name="imported_row_once")]


class KnownHeading(models.Model):
    """What a heading meant at a facility last time, by its digest."""

    facility = models.ForeignKey(Facility, models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    heading = models.CharField(max_length=64)
    field = models.CharField(max_length=20)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["facility", "kind", "heading"], name="known_heading_once")]
