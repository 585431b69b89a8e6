import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import polyclinic.core.clock
import polyclinic.core.crypto.fields
import polyclinic.core.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("facilities", "0003_staff_and_own_roles"),
        ("people", "0006_search"),
        ("people", "__first__"),
        ("visits", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="LabNumber",
            fields=[
                (
                    "facility",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        serialize=False,
                        to="facilities.facility",
                    ),
                ),
                ("last", models.PositiveIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="LabOrder",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "priority",
                    models.CharField(
                        choices=[("routine", "Routine"), ("urgent", "Urgent"), ("stat", "At once")],
                        default="routine",
                        max_length=8,
                        verbose_name="priority",
                    ),
                ),
                (
                    "note",
                    polyclinic.core.crypto.fields.EncryptedTextField(
                        blank=True, max_length=300, owner="patient_id", verbose_name="question to the laboratory"
                    ),
                ),
                (
                    "pregnancy",
                    polyclinic.core.crypto.fields.EncryptedTextField(
                        blank=True, max_length=8, owner="patient_id", verbose_name="pregnancy"
                    ),
                ),
                ("state", models.CharField(max_length=12)),
                ("version", models.PositiveIntegerField(default=1)),
                ("ordered_at", models.DateTimeField(default=polyclinic.core.clock.now)),
                (
                    "doctor",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="people.doctor"
                    ),
                ),
                (
                    "facility",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="facilities.facility",
                    ),
                ),
                (
                    "ordered_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lab_orders",
                        to="people.patient",
                    ),
                ),
                (
                    "visit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="lab_orders", to="visits.visit"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["facility", "state", "ordered_at"], name="laborder_facility"),
                    models.Index(fields=["patient", "ordered_at"], name="laborder_patient"),
                ],
            },
        ),
        migrations.CreateModel(
            name="OrderedTest",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("test", models.CharField(max_length=12)),
                ("state", models.CharField(max_length=12)),
                ("version", models.PositiveIntegerField(default=1)),
                ("number", models.PositiveSmallIntegerField(default=0)),
                ("verified_number", models.PositiveSmallIntegerField(null=True)),
                ("released_number", models.PositiveSmallIntegerField(null=True)),
                ("needs_second", models.BooleanField(default=False)),
                (
                    "entered_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "facility",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="facilities.facility",
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="tests", to="laboratory.laborder"
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="people.patient",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["facility", "state"], name="orderedtest_worklist"),
                    models.Index(fields=["patient", "test"], name="orderedtest_history"),
                ],
                "constraints": [models.UniqueConstraint(fields=("order", "test"), name="orderedtest_once")],
            },
        ),
        migrations.CreateModel(
            name="Result",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("number", models.PositiveSmallIntegerField()),
                ("report", polyclinic.core.crypto.fields.EncryptedTextField(owner="patient_id")),
                ("entered_at", models.DateTimeField(default=polyclinic.core.clock.now)),
                ("entered_by", models.CharField(max_length=64)),
                ("verified_at", models.DateTimeField(null=True)),
                ("verified_by", models.CharField(blank=True, max_length=64)),
                ("released_at", models.DateTimeField(null=True)),
                (
                    "ordered_test",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="results",
                        to="laboratory.orderedtest",
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="people.patient"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("ordered_test", "number"), name="result_number")],
            },
        ),
        migrations.CreateModel(
            name="CriticalAlert",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("state", models.CharField(max_length=12)),
                ("version", models.PositiveIntegerField(default=1)),
                ("level", models.PositiveSmallIntegerField(default=0)),
                ("raised_at", models.DateTimeField(default=polyclinic.core.clock.now)),
                ("next_at", models.DateTimeField(null=True)),
                ("closed_at", models.DateTimeField(null=True)),
                (
                    "comment",
                    polyclinic.core.crypto.fields.EncryptedTextField(blank=True, max_length=300, owner="patient_id"),
                ),
                (
                    "closed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "doctor",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="people.doctor"
                    ),
                ),
                (
                    "facility",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="facilities.facility",
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="people.patient"
                    ),
                ),
                (
                    "ordered_test",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="alerts", to="laboratory.orderedtest"
                    ),
                ),
                (
                    "result",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="alert", to="laboratory.result"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(condition=models.Q(("state", "waiting")), fields=["next_at"], name="alert_due"),
                    models.Index(fields=["facility", "raised_at"], name="alert_facility"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Specimen",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("kind", models.CharField(max_length=12)),
                ("number", models.PositiveIntegerField()),
                ("state", models.CharField(max_length=12)),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "why",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("haemolysed", "Haemolysed"),
                            ("clotted", "Clotted"),
                            ("too_little", "Too little"),
                            ("label", "Label missing or not matching"),
                            ("container", "Wrong container"),
                            ("late", "Too old or stored wrongly"),
                            ("lost", "Lost or broken"),
                            ("other", "Another reason"),
                        ],
                        max_length=12,
                        verbose_name="reason",
                    ),
                ),
                ("collected_at", models.DateTimeField(null=True)),
                ("collected_by", models.CharField(blank=True, max_length=64)),
                ("received_at", models.DateTimeField(null=True)),
                (
                    "facility",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="facilities.facility",
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="specimens", to="laboratory.laborder"
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="people.patient"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("facility", "number"), name="specimen_number")],
            },
        ),
        migrations.AddField(
            model_name="orderedtest",
            name="specimen",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="tests", to="laboratory.specimen"
            ),
        ),
        migrations.CreateModel(
            name="AlertCall",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("level", models.PositiveSmallIntegerField()),
                ("at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "alert",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="calls", to="laboratory.criticalalert"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("alert", "account"), name="alertcall_once")],
            },
        ),
    ]
