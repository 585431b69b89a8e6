import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models

import polyclinic.core.clock
import polyclinic.core.crypto.fields
import polyclinic.core.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("facilities", "0003_staff_and_own_roles"),
        ("people", "0004_guarding"),
        ("people", "__first__"),
    ]

    operations = [
        migrations.CreateModel(
            name="Books",
            fields=[
                (
                    "facility",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="books",
                        serialize=False,
                        to="facilities.facility",
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("invoices", models.PositiveIntegerField(default=0)),
                ("receipts", models.PositiveIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="Invoice",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("subject_kind", models.CharField(max_length=16)),
                ("subject_id", models.UUIDField()),
                ("currency", models.CharField(max_length=3)),
                ("state", models.CharField(max_length=16)),
                ("version", models.PositiveIntegerField(default=1)),
                ("opened_at", models.DateTimeField(default=polyclinic.core.clock.now)),
                ("settled_at", models.DateTimeField(null=True)),
                ("total_minor", models.BigIntegerField(default=0)),
                ("paid_minor", models.BigIntegerField(default=0)),
                ("refunded_minor", models.BigIntegerField(default=0)),
                ("credited_minor", models.BigIntegerField(default=0)),
                ("written_off_minor", models.BigIntegerField(default=0)),
                (
                    "facility",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invoices",
                        to="facilities.facility",
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invoices",
                        to="people.patient",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["patient", "opened_at"], name="invoice_patient"),
                    models.Index(fields=["facility", "state", "opened_at"], name="invoice_facility"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("facility", "number"), name="invoice_number"),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "void"), _negated=True),
                        fields=("subject_kind", "subject_id"),
                        name="invoice_once_for_subject",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("credited_minor__gte", 0),
                            ("paid_minor__gte", 0),
                            ("refunded_minor__gte", 0),
                            ("total_minor__gte", 0),
                            ("written_off_minor__gte", 0),
                        ),
                        name="invoice_sums",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("refunded_minor__lte", models.F("paid_minor"))), name="invoice_refunds"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "total_minor__gte",
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        django.db.models.expressions.CombinedExpression(
                                            models.F("paid_minor"), "-", models.F("refunded_minor")
                                        ),
                                        "+",
                                        models.F("credited_minor"),
                                    ),
                                    "+",
                                    models.F("written_off_minor"),
                                ),
                            )
                        ),
                        name="invoice_not_overpaid",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="InvoiceLine",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("code", models.CharField(max_length=40)),
                ("text", models.CharField(max_length=120)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("consultation", "Consultation"),
                            ("lab", "Laboratory test"),
                            ("medicine", "Medicine"),
                            ("procedure", "Procedure"),
                            ("other", "Other"),
                        ],
                        max_length=12,
                    ),
                ),
                ("quantity", models.PositiveIntegerField(default=1)),
                ("unit_minor", models.PositiveBigIntegerField()),
                ("discount_minor", models.PositiveBigIntegerField(default=0)),
                (
                    "discount_reason",
                    polyclinic.core.crypto.fields.EncryptedTextField(
                        blank=True, default="", max_length=200, owner="patient_id"
                    ),
                ),
                ("source_kind", models.CharField(max_length=32)),
                ("source_id", models.UUIDField()),
                ("added_at", models.DateTimeField(default=polyclinic.core.clock.now)),
                ("added_by", models.CharField(max_length=64)),
                ("dropped_at", models.DateTimeField(null=True)),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="lines", to="billing.invoice"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("dropped_at__isnull", True)),
                        fields=("source_kind", "source_id"),
                        name="line_source_once",
                    ),
                    models.CheckConstraint(condition=models.Q(("quantity__gte", 1)), name="line_quantity"),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "discount_minor__lte",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("quantity"), "*", models.F("unit_minor")
                                ),
                            )
                        ),
                        name="line_discount",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Payment",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "method",
                    models.CharField(
                        choices=[("cash", "Cash"), ("card", "Card at the desk"), ("online", "Online")], max_length=8
                    ),
                ),
                ("amount_minor", models.PositiveBigIntegerField()),
                ("refunded_minor", models.PositiveBigIntegerField(default=0)),
                ("key", models.CharField(max_length=255)),
                ("provider", models.CharField(blank=True, max_length=16)),
                ("provider_ref", models.CharField(blank=True, max_length=255)),
                ("provider_url", models.TextField(blank=True)),
                ("state", models.CharField(max_length=16)),
                ("version", models.PositiveIntegerField(default=1)),
                ("receipt", models.PositiveIntegerField(null=True)),
                ("started_at", models.DateTimeField(default=polyclinic.core.clock.now)),
                ("taken_at", models.DateTimeField(null=True)),
                ("taken_by", models.CharField(blank=True, max_length=64)),
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
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="payments", to="billing.invoice"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["facility", "taken_at"], name="payment_facility_day")],
                "constraints": [
                    models.UniqueConstraint(fields=("invoice", "key"), name="payment_key"),
                    models.UniqueConstraint(fields=("facility", "receipt"), name="payment_receipt"),
                    models.UniqueConstraint(
                        condition=models.Q(("provider_ref", ""), _negated=True),
                        fields=("provider", "provider_ref"),
                        name="payment_provider_ref",
                    ),
                    models.CheckConstraint(condition=models.Q(("amount_minor__gte", 1)), name="payment_amount"),
                    models.CheckConstraint(
                        condition=models.Q(("refunded_minor__lte", models.F("amount_minor"))), name="payment_refunds"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Price",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("code", models.CharField(max_length=40, verbose_name="code")),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("consultation", "Consultation"),
                            ("lab", "Laboratory test"),
                            ("medicine", "Medicine"),
                            ("procedure", "Procedure"),
                            ("other", "Other"),
                        ],
                        max_length=12,
                        verbose_name="kind",
                    ),
                ),
                ("amount_minor", models.PositiveBigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("valid_from", models.DateTimeField(default=polyclinic.core.clock.now)),
                ("valid_to", models.DateTimeField(null=True)),
                (
                    "facility",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="prices",
                        to="facilities.facility",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("valid_to__isnull", True)),
                        fields=("facility", "code"),
                        name="price_one_in_force",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("valid_to__isnull", True), ("valid_to__gte", models.F("valid_from")), _connector="OR"
                        ),
                        name="price_order",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="TillShift",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("counter", models.CharField(blank=True, max_length=40, verbose_name="counter")),
                ("state", models.CharField(max_length=16)),
                ("version", models.PositiveIntegerField(default=1)),
                ("opened_at", models.DateTimeField(default=polyclinic.core.clock.now)),
                ("closed_at", models.DateTimeField(null=True)),
                ("float_minor", models.PositiveBigIntegerField(default=0)),
                ("expected_minor", models.BigIntegerField(null=True)),
                ("counted_minor", models.PositiveBigIntegerField(null=True)),
                (
                    "difference_reason",
                    polyclinic.core.crypto.fields.EncryptedTextField(
                        blank=True, default="", max_length=300, purpose="billing"
                    ),
                ),
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
            ],
            options={
                "indexes": [models.Index(fields=["facility", "opened_at"], name="till_facility")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "open")), fields=("facility", "account"), name="till_one_open"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Refund",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("amount_minor", models.PositiveBigIntegerField()),
                ("credits", models.BooleanField(default=True)),
                ("key", models.CharField(max_length=255)),
                ("reason", polyclinic.core.crypto.fields.EncryptedTextField(max_length=200, owner="patient_id")),
                ("state", models.CharField(max_length=16)),
                ("version", models.PositiveIntegerField(default=1)),
                ("receipt", models.PositiveIntegerField(null=True)),
                ("provider_ref", models.CharField(blank=True, max_length=255)),
                ("asked_at", models.DateTimeField(default=polyclinic.core.clock.now)),
                ("done_at", models.DateTimeField(null=True)),
                ("done_by", models.CharField(blank=True, max_length=64)),
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
                    "payment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="refunds", to="billing.payment"
                    ),
                ),
                (
                    "till",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="refunds",
                        to="billing.tillshift",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["facility", "done_at"], name="refund_facility_day")],
                "constraints": [
                    models.UniqueConstraint(fields=("payment", "key"), name="refund_key"),
                    models.UniqueConstraint(fields=("facility", "receipt"), name="refund_receipt"),
                    models.CheckConstraint(condition=models.Q(("amount_minor__gte", 1)), name="refund_amount"),
                ],
            },
        ),
        migrations.AddField(
            model_name="payment",
            name="till",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="payments", to="billing.tillshift"
            ),
        ),
        migrations.CreateModel(
            name="LedgerEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("batch", models.UUIDField(default=polyclinic.core.ids.new_id)),
                ("at", models.DateTimeField(default=polyclinic.core.clock.now)),
                (
                    "debit",
                    models.CharField(
                        choices=[
                            ("receivable", "Owed by patients"),
                            ("revenue", "Revenue"),
                            ("discounts", "Discounts"),
                            ("waived", "Waived fees"),
                            ("credited", "Credited"),
                            ("written_off", "Written off"),
                            ("cash", "Cash"),
                            ("card", "Card terminal"),
                            ("online", "Online payments"),
                            ("surplus", "Owed to patients"),
                            ("till", "Till differences"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "credit",
                    models.CharField(
                        choices=[
                            ("receivable", "Owed by patients"),
                            ("revenue", "Revenue"),
                            ("discounts", "Discounts"),
                            ("waived", "Waived fees"),
                            ("credited", "Credited"),
                            ("written_off", "Written off"),
                            ("cash", "Cash"),
                            ("card", "Card terminal"),
                            ("online", "Online payments"),
                            ("surplus", "Owed to patients"),
                            ("till", "Till differences"),
                        ],
                        max_length=12,
                    ),
                ),
                ("amount_minor", models.PositiveBigIntegerField()),
                ("currency", models.CharField(max_length=3)),
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
                    "invoice",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="billing.invoice"
                    ),
                ),
                (
                    "payment",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="billing.payment"
                    ),
                ),
                (
                    "refund",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="billing.refund"
                    ),
                ),
                (
                    "till",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="billing.tillshift"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["facility", "at"], name="entry_facility_day")],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("amount_minor__gte", 1)), name="entry_amount"),
                    models.CheckConstraint(
                        condition=models.Q(("debit", models.F("credit")), _negated=True), name="entry_two_sides"
                    ),
                ],
            },
        ),
    ]
