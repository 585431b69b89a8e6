import django.db.models.deletion
from django.db import migrations, models

import polyclinic.core.clock
import polyclinic.core.crypto.fields
import polyclinic.core.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("people", "0004_guarding"),
        ("visits", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="AllergyList",
            fields=[
                (
                    "patient",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="allergy_list",
                        serialize=False,
                        to="people.patient",
                    ),
                ),
                ("status", polyclinic.core.crypto.fields.EncryptedTextField(owner="patient_id")),
                ("version", models.PositiveIntegerField(default=1)),
                ("asked_at", models.DateTimeField(default=polyclinic.core.clock.now)),
                ("asked_by", models.CharField(max_length=64)),
            ],
        ),
        migrations.CreateModel(
            name="Note",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("complaint", "Complaint"),
                            ("history", "History"),
                            ("exam", "Examination"),
                            ("plan", "Plan"),
                        ],
                        max_length=16,
                    ),
                ),
                ("body", polyclinic.core.crypto.fields.EncryptedTextField(owner="patient_id")),
                ("saved_at", models.DateTimeField(default=polyclinic.core.clock.now)),
                ("saved_by", models.CharField(max_length=64)),
                ("author", models.CharField(max_length=160)),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="notes", to="people.patient"
                    ),
                ),
                (
                    "visit",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="notes",
                        to="visits.visit",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("visit", "kind"), name="note_once")],
            },
        ),
        migrations.CreateModel(
            name="NoteVersion",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("version", models.PositiveIntegerField()),
                ("body", polyclinic.core.crypto.fields.EncryptedTextField(owner="patient_id")),
                ("saved_at", models.DateTimeField()),
                ("saved_by", models.CharField(max_length=64)),
                ("author", models.CharField(max_length=160)),
                (
                    "note",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="versions",
                        to="records.note",
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
                "constraints": [models.UniqueConstraint(fields=("note", "version"), name="note_version_once")],
            },
        ),
        migrations.CreateModel(
            name="VitalSet",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("body", polyclinic.core.crypto.fields.EncryptedTextField(owner="patient_id")),
                ("taken_at", models.DateTimeField()),
                ("made_at", models.DateTimeField(default=polyclinic.core.clock.now)),
                ("made_by", models.CharField(max_length=64)),
                ("author", models.CharField(max_length=160)),
                ("state", models.CharField(max_length=16)),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="vitals", to="people.patient"
                    ),
                ),
                (
                    "visit",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="vitals",
                        to="visits.visit",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["visit", "taken_at"], name="vitals_visit")],
            },
        ),
        migrations.CreateModel(
            name="Allergy",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("body", polyclinic.core.crypto.fields.EncryptedTextField(owner="patient_id")),
                ("made_at", models.DateTimeField(default=polyclinic.core.clock.now)),
                ("made_by", models.CharField(max_length=64)),
                ("author", models.CharField(max_length=160)),
                ("state", models.CharField(max_length=16)),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "patient",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="allergies",
                        to="people.patient",
                    ),
                ),
                (
                    "visit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="allergies", to="visits.visit"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["patient", "state"], name="allergy_patient")],
            },
        ),
        migrations.CreateModel(
            name="Condition",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("body", polyclinic.core.crypto.fields.EncryptedTextField(owner="patient_id")),
                ("made_at", models.DateTimeField(default=polyclinic.core.clock.now)),
                ("made_by", models.CharField(max_length=64)),
                ("author", models.CharField(max_length=160)),
                ("state", models.CharField(max_length=16)),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="conditions", to="people.patient"
                    ),
                ),
                (
                    "visit",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="conditions",
                        to="visits.visit",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["visit", "state"], name="condition_visit")],
            },
        ),
        migrations.CreateModel(
            name="Draft",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("account_id", models.UUIDField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("complaint", "Complaint"),
                            ("history", "History"),
                            ("exam", "Examination"),
                            ("plan", "Plan"),
                        ],
                        max_length=16,
                    ),
                ),
                ("body", polyclinic.core.crypto.fields.EncryptedTextField(owner="patient_id")),
                ("base", models.PositiveIntegerField(default=0)),
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
                "constraints": [
                    models.UniqueConstraint(fields=("visit", "kind", "account_id"), name="draft_once"),
                    models.CheckConstraint(condition=models.Q(("version__gte", 1)), name="draft_version"),
                ],
            },
        ),
    ]
