from decimal import Decimal

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
        ("prescribing", "0001_initial"),
        ("visits", "0002_told_until"),
    ]

    operations = [
        migrations.CreateModel(
            name="Batch",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("lot", models.CharField(max_length=40, verbose_name="lot")),
                ("expires", models.DateField(verbose_name="use by")),
                ("unit_cost", models.DecimalField(decimal_places=4, default=Decimal("0"), max_digits=14)),
                ("hundredths", models.BigIntegerField(default=0)),
                ("moves", models.PositiveIntegerField(default=0)),
                ("received_at", models.DateTimeField(default=polyclinic.core.clock.now)),
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
                    "medicine",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="medicines.medicine"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("hundredths__gt", 0)), fields=["facility", "expires"], name="batch_expiry"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("facility", "medicine", "lot", "expires"), name="batch_once"),
                    models.CheckConstraint(condition=models.Q(("hundredths__gte", 0)), name="batch_never_negative"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Dispense",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("state", models.CharField(max_length=12)),
                ("version", models.PositiveIntegerField(default=1)),
                ("given_at", models.DateTimeField(default=polyclinic.core.clock.now)),
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
                    "given_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
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
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="prescribing.prescription"
                    ),
                ),
                (
                    "visit",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="visits.visit"),
                ),
                (
                    "witness",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["patient", "given_at"], name="dispense_patient"),
                    models.Index(fields=["facility", "given_at"], name="dispense_facility"),
                ],
            },
        ),
        migrations.CreateModel(
            name="DispenseLine",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("hundredths", models.BigIntegerField()),
                ("returned_hundredths", models.BigIntegerField(default=0)),
                (
                    "substituted",
                    polyclinic.core.crypto.fields.EncryptedTextField(
                        blank=True, default="", max_length=200, owner="patient_id"
                    ),
                ),
                (
                    "dispense",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="lines", to="pharmacy.dispense"
                    ),
                ),
                (
                    "line",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="prescribing.prescriptionline"
                    ),
                ),
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
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("dispense", "line"), name="dispenseline_once"),
                    models.CheckConstraint(condition=models.Q(("hundredths__gt", 0)), name="dispenseline_something"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("returned_hundredths__gte", 0), ("returned_hundredths__lte", models.F("hundredths"))
                        ),
                        name="dispenseline_returned",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="IdentityCheck",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("asked", models.CharField(max_length=16)),
                ("matched", models.BooleanField()),
                ("at", models.DateTimeField(default=polyclinic.core.clock.now)),
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
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="people.patient"
                    ),
                ),
                (
                    "prescription",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="prescribing.prescription"
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="dispense",
            name="identity",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="pharmacy.identitycheck",
            ),
        ),
        migrations.CreateModel(
            name="StockLevel",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("reorder_hundredths", models.BigIntegerField(default=0)),
                ("low_since", models.DateTimeField(null=True)),
                ("version", models.PositiveIntegerField(default=1)),
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
                    "medicine",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="medicines.medicine"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("facility", "medicine"), name="stocklevel_once"),
                    models.CheckConstraint(condition=models.Q(("reorder_hundredths__gte", 0)), name="stocklevel_point"),
                ],
            },
        ),
        migrations.CreateModel(
            name="StockMove",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("number", models.PositiveIntegerField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("receive", "Received"),
                            ("dispense", "Dispensed"),
                            ("return", "Came back"),
                            ("adjust", "Corrected"),
                            ("write_off", "Written off"),
                            ("transfer_out", "Sent to another hospital"),
                            ("transfer_in", "Came from another hospital"),
                            ("count", "Counted"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "why",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("broken", "Broken or spilled"),
                            ("expired", "Past its date"),
                            ("recalled", "Recalled by the maker"),
                            ("cold_chain", "Not kept cold"),
                            ("lost", "Missing"),
                            ("found", "Found"),
                            ("mistyped", "Entered wrongly before"),
                        ],
                        max_length=12,
                    ),
                ),
                ("hundredths", models.BigIntegerField()),
                ("after", models.BigIntegerField()),
                ("source_id", models.UUIDField(db_index=True, null=True)),
                ("at", models.DateTimeField(default=polyclinic.core.clock.now)),
                ("actor", models.CharField(max_length=64)),
                (
                    "batch",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="ledger",
                        to="pharmacy.batch",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("batch", "number"), name="stockmove_number"),
                    models.CheckConstraint(
                        condition=models.Q(("hundredths", 0), _negated=True), name="stockmove_moves"
                    ),
                    models.CheckConstraint(condition=models.Q(("after__gte", 0)), name="stockmove_after"),
                ],
            },
        ),
        migrations.CreateModel(
            name="StockTake",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("state", models.CharField(max_length=12)),
                ("version", models.PositiveIntegerField(default=1)),
                ("started_at", models.DateTimeField(default=polyclinic.core.clock.now)),
                ("started_by", models.CharField(max_length=64)),
                ("closed_at", models.DateTimeField(null=True)),
                (
                    "facility",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="facilities.facility",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["facility", "started_at"], name="stocktake_facility")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "open")), fields=("facility",), name="stocktake_one_open"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CountLine",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("booked_hundredths", models.BigIntegerField()),
                ("counted_hundredths", models.BigIntegerField()),
                ("counted_at", models.DateTimeField(default=polyclinic.core.clock.now)),
                ("counted_by", models.CharField(max_length=64)),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="pharmacy.batch"
                    ),
                ),
                (
                    "take",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="lines", to="pharmacy.stocktake"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("take", "batch"), name="countline_once"),
                    models.CheckConstraint(
                        condition=models.Q(("counted_hundredths__gte", 0)), name="countline_counted"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Supplier",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("phone", models.CharField(blank=True, max_length=32, verbose_name="telephone")),
                (
                    "facility",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="facilities.facility",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("facility", "name"), name="supplier_once")],
            },
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("reference", models.CharField(max_length=60, verbose_name="delivery note")),
                ("received_at", models.DateTimeField(default=polyclinic.core.clock.now)),
                ("received_by", models.CharField(max_length=64)),
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
                    "supplier",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="deliveries",
                        to="pharmacy.supplier",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["facility", "received_at"], name="delivery_facility")],
                "constraints": [models.UniqueConstraint(fields=("supplier", "reference"), name="delivery_once")],
            },
        ),
        migrations.CreateModel(
            name="Transfer",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("hundredths", models.BigIntegerField()),
                ("state", models.CharField(max_length=12)),
                ("version", models.PositiveIntegerField(default=1)),
                ("sent_at", models.DateTimeField(default=polyclinic.core.clock.now)),
                ("sent_by", models.CharField(max_length=64)),
                ("closed_at", models.DateTimeField(null=True)),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="pharmacy.batch"
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="facilities.facility",
                    ),
                ),
                (
                    "target",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="facilities.facility",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["source", "sent_at"], name="transfer_source"),
                    models.Index(fields=["target", "sent_at"], name="transfer_target"),
                ],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("hundredths__gt", 0)), name="transfer_something"),
                    models.CheckConstraint(
                        condition=models.Q(("source", models.F("target")), _negated=True), name="transfer_elsewhere"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Witnessing",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("seen_version", models.PositiveIntegerField()),
                ("counts", models.JSONField()),
                ("at", models.DateTimeField(default=polyclinic.core.clock.now)),
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
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="people.patient"
                    ),
                ),
                (
                    "prescription",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="prescribing.prescription"
                    ),
                ),
            ],
        ),
    ]
