import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import polyclinic.core.clock
import polyclinic.core.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("people", "__first__"),
    ]

    operations = [
        migrations.CreateModel(
            name="Service",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("slug", models.SlugField(max_length=60, unique=True)),
                ("name", models.CharField(max_length=80, verbose_name="name")),
                ("specialty", models.CharField(db_index=True, max_length=40, verbose_name="specialty")),
                ("minutes", models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="duration, minutes")),
                ("about", models.CharField(blank=True, max_length=200, verbose_name="about")),
            ],
        ),
        migrations.CreateModel(
            name="Facility",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("slug", models.SlugField(max_length=60, unique=True)),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("address", models.CharField(blank=True, max_length=200, verbose_name="address")),
                ("city", models.CharField(blank=True, max_length=80, verbose_name="city")),
                ("phone", models.CharField(blank=True, max_length=32, verbose_name="phone")),
                ("emergency_phone", models.CharField(blank=True, max_length=32, verbose_name="emergency phone")),
                ("time_zone", models.CharField(default="UTC", max_length=40, verbose_name="time zone")),
                ("slot_minutes", models.PositiveSmallIntegerField(default=20, verbose_name="slot length, minutes")),
                (
                    "buffer_minutes",
                    models.PositiveSmallIntegerField(default=0, verbose_name="buffer after each slot, minutes"),
                ),
                (
                    "notice_hours",
                    models.PositiveSmallIntegerField(default=24, verbose_name="notice to cancel or move, hours"),
                ),
                (
                    "lead_minutes",
                    models.PositiveSmallIntegerField(default=0, verbose_name="earliest booking before start, minutes"),
                ),
                ("horizon_days", models.PositiveSmallIntegerField(default=90, verbose_name="bookable ahead, days")),
                ("version", models.PositiveIntegerField(default=1)),
            ],
            options={
                "verbose_name_plural": "facilities",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("slot_minutes__gte", 5), ("slot_minutes__lte", 480)),
                        name="facility_slot_minutes",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("buffer_minutes__lte", 120)), name="facility_buffer_minutes"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Department",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("slug", models.SlugField(max_length=60)),
                ("name", models.CharField(max_length=80, verbose_name="name")),
                (
                    "facility",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="departments",
                        to="facilities.facility",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("facility", "slug"), name="department_slug")],
            },
        ),
        migrations.CreateModel(
            name="Membership",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("patient", "patient"),
                            ("doctor", "doctor"),
                            ("receptionist", "receptionist"),
                            ("manager", "manager"),
                            ("admin", "admin"),
                        ],
                        max_length=16,
                        verbose_name="role",
                    ),
                ),
                ("started_at", models.DateTimeField(default=polyclinic.core.clock.now)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="memberships",
                        to=settings.AUTH_USER_MODEL,
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
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="memberships",
                        to="facilities.facility",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at__isnull", True)),
                        fields=("account", "facility", "role"),
                        name="membership_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ended_at__isnull", True), ("ended_at__gte", models.F("started_at")), _connector="OR"
                        ),
                        name="membership_order",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Room",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=40, verbose_name="name")),
                (
                    "facility",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="rooms", to="facilities.facility"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("facility", "name"), name="room_name")],
            },
        ),
    ]
