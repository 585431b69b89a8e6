import django.db.models.deletion
from django.db import migrations, models

import polyclinic.core.clock
import polyclinic.core.crypto.fields
import polyclinic.core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("facilities", "0003_staff_and_own_roles"),
        ("people", "0004_guarding"),
        ("privacy", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="ResearchExport",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("purpose", models.CharField(max_length=300)),
                ("approval", models.CharField(max_length=160)),
                ("first_day", models.DateField()),
                ("last_day", models.DateField()),
                ("report", models.JSONField(default=dict)),
                ("digest", models.CharField(max_length=64)),
                ("made_at", models.DateTimeField(db_index=True, default=polyclinic.core.clock.now)),
                ("made_by", models.CharField(max_length=64)),
                ("facilities", models.ManyToManyField(related_name="+", to="facilities.facility")),
            ],
        ),
        migrations.CreateModel(
            name="LegalHold",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("reason", polyclinic.core.crypto.fields.EncryptedTextField(owner="patient_id")),
                ("version", models.PositiveIntegerField(default=1)),
                ("placed_at", models.DateTimeField(default=polyclinic.core.clock.now)),
                ("placed_by", models.CharField(max_length=64)),
                ("lifted_at", models.DateTimeField(null=True)),
                ("lifted_by", models.CharField(blank=True, max_length=64)),
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
                        related_name="+",
                        to="people.patient",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["facility", "placed_at"], name="legal_hold_facility")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("lifted_at__isnull", True)),
                        fields=("patient", "facility"),
                        name="legal_hold_once",
                    )
                ],
            },
        ),
    ]
