import django.db.models.deletion
from django.db import migrations, models

import polyclinic.core.clock
import polyclinic.core.crypto.fields
import polyclinic.core.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("facilities", "0002_more_roles"),
        ("people", "0002_assurance"),
    ]

    operations = [
        migrations.CreateModel(
            name="PrivacyRequest",
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
                            ("access", "A copy of my record"),
                            ("correction", "Correct something"),
                            ("restriction", "Restrict who uses my record"),
                            ("erasure", "Erase my record"),
                        ],
                        max_length=12,
                    ),
                ),
                ("state", models.CharField(max_length=16)),
                ("version", models.PositiveIntegerField(default=1)),
                ("words", polyclinic.core.crypto.fields.EncryptedTextField(blank=True, default="", owner="patient_id")),
                ("field", models.CharField(blank=True, max_length=16)),
                (
                    "before",
                    polyclinic.core.crypto.fields.EncryptedTextField(blank=True, default="", owner="patient_id"),
                ),
                ("after", polyclinic.core.crypto.fields.EncryptedTextField(blank=True, default="", owner="patient_id")),
                (
                    "answer",
                    polyclinic.core.crypto.fields.EncryptedTextField(blank=True, default="", owner="patient_id"),
                ),
                ("received_at", models.DateTimeField(default=polyclinic.core.clock.now)),
                ("due_at", models.DateTimeField()),
                ("answered_at", models.DateTimeField(null=True)),
                ("answered_by", models.CharField(blank=True, max_length=64)),
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
                        related_name="privacy_requests",
                        to="people.patient",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["patient", "received_at"], name="privacyrequest_patient"),
                    models.Index(fields=["facility", "state", "due_at"], name="privacyrequest_facility"),
                ],
            },
        ),
    ]
