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
        ("people", "0009_account_version"),
        ("people", "__first__"),
    ]

    operations = [
        migrations.CreateModel(
            name="Ambulance",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("call_sign", models.CharField(max_length=20, verbose_name="call sign")),
                (
                    "kind",
                    models.CharField(
                        choices=[("basic", "Basic"), ("advanced", "Advanced")], max_length=12, verbose_name="kind"
                    ),
                ),
                ("state", models.CharField(max_length=16)),
                ("version", models.PositiveIntegerField(default=1)),
                ("latitude", models.FloatField(blank=True, null=True)),
                ("longitude", models.FloatField(blank=True, null=True)),
                ("position_at", models.DateTimeField(blank=True, null=True)),
                ("moves", models.PositiveIntegerField(default=0)),
                (
                    "facility",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="ambulances",
                        to="facilities.facility",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("facility", "call_sign"), name="ambulance_call_sign"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("position_at__isnull", True),
                            models.Q(("latitude__isnull", False), ("longitude__isnull", False)),
                            _connector="OR",
                        ),
                        name="ambulance_position_whole",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AmbulanceTrip",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("source", models.CharField(choices=[("patient", "Patient"), ("hospital", "Hospital")], max_length=12)),
                (
                    "need",
                    models.CharField(
                        choices=[("basic", "Basic"), ("advanced", "Advanced")],
                        default="basic",
                        max_length=12,
                        verbose_name="kind of ambulance",
                    ),
                ),
                (
                    "who",
                    polyclinic.core.crypto.fields.EncryptedTextField(
                        blank=True, max_length=80, owner="patient_id", purpose="transport", verbose_name="who it is for"
                    ),
                ),
                (
                    "phone",
                    polyclinic.core.crypto.fields.EncryptedTextField(
                        blank=True, max_length=32, owner="patient_id", purpose="transport", verbose_name="phone"
                    ),
                ),
                (
                    "address",
                    polyclinic.core.crypto.fields.EncryptedTextField(
                        blank=True, max_length=200, owner="patient_id", purpose="transport", verbose_name="address"
                    ),
                ),
                (
                    "place",
                    polyclinic.core.crypto.fields.EncryptedTextField(
                        blank=True, max_length=40, owner="patient_id", purpose="transport", verbose_name="coordinates"
                    ),
                ),
                (
                    "problem",
                    polyclinic.core.crypto.fields.EncryptedTextField(
                        blank=True,
                        max_length=300,
                        owner="patient_id",
                        purpose="transport",
                        verbose_name="what is wrong",
                    ),
                ),
                (
                    "outcome",
                    polyclinic.core.crypto.fields.EncryptedTextField(
                        blank=True, max_length=300, owner="patient_id", purpose="transport", verbose_name="outcome"
                    ),
                ),
                ("state", models.CharField(max_length=16)),
                ("version", models.PositiveIntegerField(default=1)),
                ("requested_at", models.DateTimeField(default=polyclinic.core.clock.now)),
                ("requested_by", models.CharField(max_length=64)),
                ("km_to_patient", models.FloatField(blank=True, null=True)),
                ("km_to_hospital", models.FloatField(blank=True, null=True)),
                ("estimate", models.CharField(blank=True, max_length=16)),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "ambulance",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="trips",
                        to="transport.ambulance",
                    ),
                ),
                (
                    "facility",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="trips",
                        to="facilities.facility",
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="trips",
                        to="people.patient",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["facility", "requested_at"], name="trip_facility"),
                    models.Index(fields=["patient", "requested_at"], name="trip_patient"),
                    models.Index(fields=["ambulance", "requested_at"], name="trip_vehicle"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ambulance__isnull", False), ("closed_at__isnull", True)),
                        fields=("ambulance",),
                        name="trip_one_of_a_vehicle",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("closed_at__isnull", True), ("patient__isnull", False)),
                        fields=("patient",),
                        name="trip_one_of_a_patient",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("closed_at__isnull", True), ("closed_at__gte", models.F("requested_at")), _connector="OR"
                        ),
                        name="trip_order",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CrewShift",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "seat",
                    models.CharField(
                        choices=[("driver", "Driver"), ("attendant", "Attendant")], max_length=12, verbose_name="seat"
                    ),
                ),
                ("state", models.CharField(max_length=16)),
                ("version", models.PositiveIntegerField(default=1)),
                ("started_at", models.DateTimeField(default=polyclinic.core.clock.now)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
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
                    "ambulance",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="shifts",
                        to="transport.ambulance",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["ambulance", "started_at"], name="crew_of_vehicle")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at__isnull", True)), fields=("account",), name="crew_one_place"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at__isnull", True)),
                        fields=("ambulance", "seat"),
                        name="crew_one_in_a_seat",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ended_at__isnull", True), ("ended_at__gte", models.F("started_at")), _connector="OR"
                        ),
                        name="crew_order",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Station",
            fields=[
                (
                    "facility",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="station",
                        serialize=False,
                        to="facilities.facility",
                    ),
                ),
                ("latitude", models.FloatField(verbose_name="latitude")),
                ("longitude", models.FloatField(verbose_name="longitude")),
                ("version", models.PositiveIntegerField(default=1)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("latitude__gte", -90), ("latitude__lte", 90)), name="station_latitude"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("longitude__gte", -180), ("longitude__lte", 180)), name="station_longitude"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="TripStep",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                ("step", models.CharField(max_length=16)),
                ("at", models.DateTimeField()),
                (
                    "ambulance",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="transport.ambulance",
                    ),
                ),
                (
                    "trip",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="steps",
                        to="transport.ambulancetrip",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("trip", "number"), name="trip_step_number")],
            },
        ),
    ]
