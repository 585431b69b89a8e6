import django.db.models.deletion
from django.db import migrations, models

import polyclinic.core.clock
import polyclinic.core.crypto.fields
import polyclinic.core.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("inpatient", "0001_initial"),
        ("medicines", "0001_initial"),
        ("people", "0010_travel"),
    ]

    operations = [
        migrations.CreateModel(
            name="DischargeSummary",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("body", polyclinic.core.crypto.fields.EncryptedTextField(owner="patient_id")),
                ("saved_at", models.DateTimeField(default=polyclinic.core.clock.now)),
                ("saved_by", models.CharField(max_length=64)),
                ("author", models.CharField(max_length=160)),
                ("signed_at", models.DateTimeField(null=True)),
                ("state", models.CharField(max_length=12)),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="people.patient"
                    ),
                ),
                (
                    "stay",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="summary", to="inpatient.bedstay"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="MedicineOrder",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("body", polyclinic.core.crypto.fields.EncryptedTextField(owner="patient_id")),
                ("starts_at", models.DateTimeField()),
                ("stops_at", models.DateTimeField(null=True)),
                ("stopped_because", polyclinic.core.crypto.fields.EncryptedTextField(blank=True, owner="patient_id")),
                ("made_at", models.DateTimeField(default=polyclinic.core.clock.now)),
                ("made_by", models.CharField(max_length=64)),
                ("author", models.CharField(max_length=160)),
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
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="people.patient"
                    ),
                ),
                (
                    "replaces",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="replaced_by",
                        to="nursing.medicineorder",
                    ),
                ),
                (
                    "stay",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="medicine_orders",
                        to="inpatient.bedstay",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["stay", "state"], name="medicineorder_stay")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("stops_at__isnull", True),
                            ("stops_at__gte", models.F("starts_at")),
                            ("state", "stopped"),
                            _connector="OR",
                        ),
                        name="medicineorder_times",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Dose",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("due_at", models.DateTimeField(null=True)),
                ("number", models.PositiveIntegerField(default=0)),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("given", "Given"),
                            ("held", "Held back"),
                            ("refused", "Refused"),
                            ("missed", "Missed"),
                        ],
                        max_length=8,
                    ),
                ),
                ("body", polyclinic.core.crypto.fields.EncryptedTextField(blank=True, owner="patient_id")),
                ("recorded_at", models.DateTimeField(default=polyclinic.core.clock.now)),
                ("recorded_by", models.CharField(max_length=64)),
                ("author", models.CharField(max_length=160)),
                ("state", models.CharField(max_length=12)),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="people.patient"
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="doses",
                        to="nursing.medicineorder",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("due_at__isnull", False)), fields=("order", "due_at"), name="dose_once"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("due_at__isnull", True)), fields=("order", "number"), name="dose_number"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Observation",
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
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="people.patient"
                    ),
                ),
                (
                    "stay",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="observations",
                        to="inpatient.bedstay",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["stay", "taken_at"], name="observation_stay")],
            },
        ),
        migrations.CreateModel(
            name="RoundNote",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
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
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="people.patient"
                    ),
                ),
                (
                    "stay",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="round_note", to="inpatient.bedstay"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RoundNoteVersion",
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
                        to="nursing.roundnote",
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
                "constraints": [models.UniqueConstraint(fields=("note", "version"), name="roundnote_version_once")],
            },
        ),
        migrations.CreateModel(
            name="Handover",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("body", polyclinic.core.crypto.fields.EncryptedTextField(owner="patient_id")),
                ("signed_at", models.DateTimeField(default=polyclinic.core.clock.now)),
                ("signed_by", models.CharField(max_length=64)),
                ("author", models.CharField(max_length=160)),
                ("read_at", models.DateTimeField(null=True)),
                ("read_by", models.CharField(blank=True, max_length=64)),
                ("reader", models.CharField(blank=True, max_length=160)),
                ("state", models.CharField(max_length=12)),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="people.patient"
                    ),
                ),
                (
                    "stay",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="handovers",
                        to="inpatient.bedstay",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["stay", "signed_at"], name="handover_stay")],
            },
        ),
    ]
