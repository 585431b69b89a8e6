import django.db.models.deletion
from django.db import migrations, models

import polyclinic.core.clock
import polyclinic.core.crypto.fields
import polyclinic.core.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("facilities", "0003_staff_and_own_roles"),
        ("people", "0005_patientplace"),
        ("scheduling", "0003_sealed_texts"),
    ]

    operations = [
        migrations.CreateModel(
            name="Counter",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=40, verbose_name="name")),
                (
                    "line",
                    models.CharField(
                        choices=[
                            ("desk", "Front desk"),
                            ("check", "First check"),
                            ("lab", "Laboratory"),
                            ("doctor", "Doctor"),
                            ("pharmacy", "Pharmacy"),
                        ],
                        max_length=12,
                        verbose_name="queue",
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "facility",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="counters", to="facilities.facility"
                    ),
                ),
                (
                    "room",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to="facilities.room"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at__isnull", True)), fields=("facility", "name"), name="counter_name"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="DayNumber",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                ("last", models.PositiveIntegerField(default=0)),
                (
                    "facility",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, to="facilities.facility"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("facility", "day"), name="visit_day_number")],
            },
        ),
        migrations.CreateModel(
            name="HallBoard",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=40, verbose_name="name")),
                ("lines", models.CharField(blank=True, max_length=80)),
                ("names", models.BooleanField(default=False, verbose_name="show names")),
                ("code", models.CharField(max_length=64, unique=True)),
                ("version", models.PositiveIntegerField(default=1)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "facility",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="boards", to="facilities.facility"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Visit",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("day", models.DateField(verbose_name="day")),
                ("number", models.PositiveIntegerField(verbose_name="number of the day")),
                ("token", models.CharField(max_length=8, verbose_name="token")),
                (
                    "priority",
                    models.CharField(
                        choices=[
                            ("emergency", "Emergency"),
                            ("urgent", "Urgent"),
                            ("priority", "Priority"),
                            ("appointment", "On time"),
                            ("routine", "Routine"),
                        ],
                        default="routine",
                        max_length=12,
                        verbose_name="priority",
                    ),
                ),
                (
                    "priority_why",
                    polyclinic.core.crypto.fields.EncryptedTextField(
                        blank=True, max_length=80, owner="patient_id", verbose_name="reason for the priority"
                    ),
                ),
                (
                    "complaint",
                    polyclinic.core.crypto.fields.EncryptedTextField(
                        blank=True, max_length=300, owner="patient_id", verbose_name="complaint"
                    ),
                ),
                ("state", models.CharField(max_length=16)),
                ("version", models.PositiveIntegerField(default=1)),
                ("ticket", models.CharField(max_length=64, unique=True)),
                ("opened_at", models.DateTimeField(default=polyclinic.core.clock.now)),
                ("opened_by", models.CharField(max_length=64)),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "appointment",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="visit",
                        to="scheduling.appointment",
                    ),
                ),
                (
                    "department",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to="facilities.department"
                    ),
                ),
                (
                    "facility",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="visits",
                        to="facilities.facility",
                    ),
                ),
                (
                    "main_doctor",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="visits",
                        to="people.doctor",
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="visits",
                        to="people.patient",
                    ),
                ),
                (
                    "service",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to="facilities.service"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["facility", "state", "opened_at"], name="visit_facility_state"),
                    models.Index(fields=["patient", "opened_at"], name="visit_patient"),
                    models.Index(
                        condition=models.Q(("closed_at__isnull", True)),
                        fields=["facility", "opened_at"],
                        name="visit_open",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("facility", "day", "number"), name="visit_number"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("closed_at__isnull", True), ("closed_at__gte", models.F("opened_at")), _connector="OR"
                        ),
                        name="visit_order",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="StageTime",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("stage", models.CharField(max_length=16)),
                ("entered_at", models.DateTimeField()),
                ("left_at", models.DateTimeField(blank=True, null=True)),
                (
                    "visit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="stages", to="visits.visit"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("left_at__isnull", True)), fields=("visit",), name="stage_one_open"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("left_at__isnull", True), ("left_at__gte", models.F("entered_at")), _connector="OR"
                        ),
                        name="stage_order",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="QueueEntry",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "line",
                    models.CharField(
                        choices=[
                            ("desk", "Front desk"),
                            ("check", "First check"),
                            ("lab", "Laboratory"),
                            ("doctor", "Doctor"),
                            ("pharmacy", "Pharmacy"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "priority",
                    models.CharField(
                        choices=[
                            ("emergency", "Emergency"),
                            ("urgent", "Urgent"),
                            ("priority", "Priority"),
                            ("appointment", "On time"),
                            ("routine", "Routine"),
                        ],
                        max_length=12,
                    ),
                ),
                ("state", models.CharField(max_length=16)),
                ("version", models.PositiveIntegerField(default=1)),
                ("enqueued_at", models.DateTimeField()),
                ("since", models.DateTimeField()),
                ("called_at", models.DateTimeField(blank=True, null=True)),
                ("serving_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("recalls", models.PositiveSmallIntegerField(default=0)),
                ("skips", models.PositiveSmallIntegerField(default=0)),
                (
                    "counter",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="visits.counter",
                    ),
                ),
                (
                    "doctor",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="people.doctor",
                    ),
                ),
                (
                    "facility",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, to="facilities.facility"
                    ),
                ),
                (
                    "service",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="facilities.service",
                    ),
                ),
                (
                    "visit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="entries", to="visits.visit"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("ended_at__isnull", True)), fields=["facility", "line"], name="queue_open"
                    ),
                    models.Index(fields=["facility", "line", "ended_at"], name="queue_past"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at__isnull", True)), fields=("visit",), name="queue_one_place"
                    )
                ],
            },
        ),
    ]
