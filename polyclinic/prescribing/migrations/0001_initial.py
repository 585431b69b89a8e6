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
        ("medicines", "0001_initial"),
        ("people", "0007_sign_up"),
        ("people", "__first__"),
        ("visits", "0002_told_until"),
    ]

    operations = [
        migrations.CreateModel(
            name="PrescriptionNumber",
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
            name="Prescription",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("signed_by", models.CharField(max_length=160)),
                ("signed_at", models.DateTimeField(default=polyclinic.core.clock.now)),
                ("valid_until", models.DateField()),
                ("state", models.CharField(max_length=20)),
                ("version", models.PositiveIntegerField(default=1)),
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
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="prescriptions",
                        to="people.patient",
                    ),
                ),
                (
                    "prescriber",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "visit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="prescriptions", to="visits.visit"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["facility", "state", "signed_at"], name="prescription_facility"),
                    models.Index(fields=["patient", "signed_at"], name="prescription_patient"),
                ],
                "constraints": [models.UniqueConstraint(fields=("facility", "number"), name="prescription_number")],
            },
        ),
        migrations.CreateModel(
            name="PrescriptionDraft",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("account_id", models.UUIDField()),
                ("body", polyclinic.core.crypto.fields.EncryptedTextField(owner="patient_id")),
                ("version", models.PositiveIntegerField(default=1)),
                ("saved_at", models.DateTimeField(db_index=True, default=polyclinic.core.clock.now)),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="people.patient"
                    ),
                ),
                (
                    "visit",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="visits.visit"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("visit", "account_id"), name="prescriptiondraft_once")],
            },
        ),
        migrations.CreateModel(
            name="PrescriptionLine",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("place", models.PositiveSmallIntegerField()),
                ("body", polyclinic.core.crypto.fields.EncryptedTextField(owner="patient_id")),
                ("quantity", models.DecimalField(decimal_places=2, max_digits=10)),
                ("dispensed", models.DecimalField(decimal_places=2, default=0, max_digits=10)),
                ("until", models.DateField(null=True)),
                ("state", models.CharField(max_length=12)),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "medicine",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="medicines.medicine"
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
                (
                    "prescription",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="lines", to="prescribing.prescription"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["patient", "until"], name="prescriptionline_patient")],
                "constraints": [
                    models.UniqueConstraint(fields=("prescription", "place"), name="prescriptionline_place"),
                    models.CheckConstraint(condition=models.Q(("quantity__gt", 0)), name="prescriptionline_quantity"),
                    models.CheckConstraint(
                        condition=models.Q(("dispensed__gte", 0), ("dispensed__lte", models.F("quantity"))),
                        name="prescriptionline_dispensed",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="TestReview",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("ordered_test_id", models.UUIDField()),
                ("number", models.PositiveSmallIntegerField()),
                ("at", models.DateTimeField(default=polyclinic.core.clock.now)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="people.patient"
                    ),
                ),
                (
                    "visit",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="visits.visit"),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("ordered_test_id", "number", "account"), name="testreview_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Favourite",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("since", models.DateTimeField(default=polyclinic.core.clock.now)),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "medicine",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="medicines.medicine"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("account", "medicine"), name="favourite_once")],
            },
        ),
    ]
