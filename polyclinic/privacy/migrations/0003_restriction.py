import django.db.models.deletion
from django.db import migrations, models

import polyclinic.core.clock
import polyclinic.core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("facilities", "0003_staff_and_own_roles"),
        ("people", "0004_guarding"),
        ("privacy", "0002_research_and_retention"),
    ]

    operations = [
        migrations.CreateModel(
            name="Restriction",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1)),
                ("since", models.DateTimeField(default=polyclinic.core.clock.now)),
                ("agreed_by", models.CharField(max_length=64)),
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
                "indexes": [models.Index(fields=["facility", "since"], name="restriction_facility")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("lifted_at__isnull", True)),
                        fields=("patient", "facility"),
                        name="restriction_once",
                    )
                ],
            },
        ),
    ]
