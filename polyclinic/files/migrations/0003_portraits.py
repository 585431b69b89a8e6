import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import polyclinic.core.clock
import polyclinic.core.crypto.fields
import polyclinic.core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("facilities", "0003_staff_and_own_roles"),
        ("files", "0002_result_files"),
        ("people", "0008_merge"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Portrait",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("state", models.CharField(max_length=16)),
                ("version", models.PositiveIntegerField(default=1)),
                ("media_type", models.CharField(max_length=40)),
                ("size", models.PositiveIntegerField()),
                (
                    "secret",
                    polyclinic.core.crypto.fields.EncryptedTextField(blank=True, owner="patient_id", purpose="files"),
                ),
                (
                    "digest",
                    polyclinic.core.crypto.fields.EncryptedTextField(blank=True, owner="patient_id", purpose="files"),
                ),
                ("made_at", models.DateTimeField(default=polyclinic.core.clock.now)),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
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
                "indexes": [models.Index(fields=["patient", "facility", "state"], name="portrait_patient")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "clean")),
                        fields=("patient", "facility"),
                        name="portrait_one_each",
                    )
                ],
            },
        ),
    ]
