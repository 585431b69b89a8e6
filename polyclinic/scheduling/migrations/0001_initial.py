import django.db.models.deletion
from django.db import migrations, models

import polyclinic.core.clock
import polyclinic.core.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("facilities", "0001_initial"),
        ("people", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Schedule",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "slot_minutes",
                    models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="slot length, minutes"),
                ),
                (
                    "buffer_minutes",
                    models.PositiveSmallIntegerField(
                        blank=True, null=True, verbose_name="buffer after each slot, minutes"
                    ),
                ),
                ("bookable", models.BooleanField(default=True, verbose_name="bookable")),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "department",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to="facilities.department"
                    ),
                ),
                (
                    "doctor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="schedules", to="people.doctor"
                    ),
                ),
                (
                    "facility",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="schedules", to="facilities.facility"
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
                    models.UniqueConstraint(fields=("doctor", "facility"), name="schedule_doctor_facility")
                ],
            },
        ),
        migrations.CreateModel(
            name="Hold",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("holder", models.CharField(max_length=64)),
                ("starts", models.DateTimeField()),
                ("ends", models.DateTimeField()),
                ("expires_at", models.DateTimeField(db_index=True)),
                ("extended", models.PositiveSmallIntegerField(default=0)),
                (
                    "doctor",
                    models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to="people.doctor"),
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
                ("schedule", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="scheduling.schedule")),
            ],
        ),
        migrations.CreateModel(
            name="Appointment",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("state", models.CharField(max_length=16)),
                ("version", models.PositiveIntegerField(default=1)),
                ("starts", models.DateTimeField()),
                ("ends", models.DateTimeField()),
                ("reason", models.CharField(blank=True, max_length=200, verbose_name="reason for the visit")),
                ("booked_by", models.CharField(max_length=64)),
                ("booked_at", models.DateTimeField(default=polyclinic.core.clock.now)),
                ("rescheduled", models.PositiveSmallIntegerField(default=0)),
                ("attention", models.CharField(blank=True, max_length=40)),
                (
                    "doctor",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="appointments",
                        to="people.doctor",
                    ),
                ),
                (
                    "facility",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="appointments",
                        to="facilities.facility",
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="appointments",
                        to="people.patient",
                    ),
                ),
                (
                    "room",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="facilities.room",
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
                    "schedule",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="appointments",
                        to="scheduling.schedule",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["doctor", "starts"], name="appointment_doctor_day"),
                    models.Index(fields=["patient", "starts"], name="appointment_patient"),
                    models.Index(fields=["facility", "starts"], name="appointment_facility_day"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("ends__gt", models.F("starts"))), name="appointment_order"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ScheduleException",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("kind", models.CharField(choices=[("leave", "Leave"), ("opening", "One-off opening")], max_length=8)),
                ("starts", models.DateTimeField(verbose_name="from")),
                ("ends", models.DateTimeField(verbose_name="until")),
                ("note", models.CharField(blank=True, max_length=120, verbose_name="note")),
                (
                    "schedule",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="exceptions", to="scheduling.schedule"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("ends__gt", models.F("starts"))), name="exception_order")
                ],
            },
        ),
        migrations.CreateModel(
            name="WeeklyHours",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(choices=[("hours", "Hours"), ("break", "Break")], default="hours", max_length=8),
                ),
                ("weekday", models.PositiveSmallIntegerField(verbose_name="weekday")),
                ("starts", models.TimeField(verbose_name="from")),
                ("ends", models.TimeField(verbose_name="until")),
                (
                    "schedule",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="weekly", to="scheduling.schedule"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("weekday__lte", 6)), name="weekly_weekday"),
                    models.CheckConstraint(condition=models.Q(("ends__gt", models.F("starts"))), name="weekly_order"),
                ],
            },
        ),
        migrations.CreateModel(
            name="CareLink",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("since", models.DateTimeField(default=polyclinic.core.clock.now)),
                ("seen_at", models.DateTimeField(blank=True, null=True)),
                (
                    "doctor",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="care_links",
                        to="people.doctor",
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="care_links", to="people.patient"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["doctor", "since"], name="carelink_doctor")],
                "constraints": [models.UniqueConstraint(fields=("doctor", "patient"), name="carelink_once")],
            },
        ),
        migrations.CreateModel(
            name="Reservation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("resource_id", models.UUIDField()),
                (
                    "kind",
                    models.CharField(
                        choices=[("doctor", "Doctor"), ("room", "Room"), ("patient", "Patient")], max_length=8
                    ),
                ),
                ("starts", models.DateTimeField()),
                ("ends", models.DateTimeField()),
                (
                    "appointment",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reservations",
                        to="scheduling.appointment",
                    ),
                ),
                (
                    "hold",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reservations",
                        to="scheduling.hold",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["resource_id", "starts", "ends"], name="reservation_resource")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("ends__gt", models.F("starts"))), name="reservation_order"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("appointment__isnull", False), ("hold__isnull", True)),
                            models.Q(("appointment__isnull", True), ("hold__isnull", False)),
                            _connector="OR",
                        ),
                        name="reservation_one_owner",
                    ),
                ],
            },
        ),
    ]
