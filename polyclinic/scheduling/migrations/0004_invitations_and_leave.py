import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q

import polyclinic.core.clock
import polyclinic.core.crypto.fields
import polyclinic.core.ids

_KEY = models.UUIDField(default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False)


class Migration(migrations.Migration):
    dependencies = [
        ("facilities", "0003_staff_and_own_roles"),
        ("people", "0010_travel"),
        ("scheduling", "0003_sealed_texts"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="DoctorInvitation",
            fields=[
                ("id", _KEY),
                ("weekly", models.JSONField(default=list)),
                (
                    "slot_minutes",
                    models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="slot length, minutes"),
                ),
                ("state", models.CharField(max_length=16)),
                ("version", models.PositiveIntegerField(default=1)),
                ("created_at", models.DateTimeField(default=polyclinic.core.clock.now)),
                ("expires_at", models.DateTimeField()),
                ("told_at", models.DateTimeField(default=polyclinic.core.clock.now)),
                ("reminders", models.PositiveSmallIntegerField(default=0)),
                (
                    "department",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="facilities.department",
                    ),
                ),
                (
                    "doctor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="invitations", to="people.doctor"
                    ),
                ),
                (
                    "facility",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="doctor_invitations",
                        to="facilities.facility",
                    ),
                ),
                (
                    "invited_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "room",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to="facilities.room"
                    ),
                ),
                (
                    "schedule",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="scheduling.schedule",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["facility", "created_at"], name="doctor_invitation_facility")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=Q(("state", "sent")), fields=("facility", "doctor"), name="doctor_invitation_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="LeaveRequest",
            fields=[
                ("id", _KEY.clone()),
                (
                    "kind",
                    polyclinic.core.crypto.fields.EncryptedTextField(
                        max_length=16, purpose="schedules", verbose_name="kind"
                    ),
                ),
                (
                    "note",
                    polyclinic.core.crypto.fields.EncryptedTextField(
                        blank=True, max_length=200, purpose="schedules", verbose_name="note"
                    ),
                ),
                ("starts", models.DateTimeField(verbose_name="from")),
                ("ends", models.DateTimeField(verbose_name="until")),
                ("state", models.CharField(max_length=16)),
                ("version", models.PositiveIntegerField(default=1)),
                ("asked_at", models.DateTimeField(default=polyclinic.core.clock.now)),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                (
                    "answer",
                    polyclinic.core.crypto.fields.EncryptedTextField(
                        blank=True, max_length=200, purpose="schedules", verbose_name="answer"
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "doctor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="leave_requests", to="people.doctor"
                    ),
                ),
                (
                    "facility",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="leave_requests",
                        to="facilities.facility",
                    ),
                ),
                (
                    "leave",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="scheduling.scheduleexception",
                    ),
                ),
                (
                    "schedule",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="leave_requests",
                        to="scheduling.schedule",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=Q(("ends__gt", F("starts"))), name="leave_request_order"),
                    models.UniqueConstraint(
                        condition=Q(("state", "asked")),
                        fields=("schedule", "starts", "ends"),
                        name="leave_request_once",
                    ),
                ],
            },
        ),
    ]
