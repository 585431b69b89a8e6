import django.db.models.deletion
from django.db import migrations, models

from polyclinic.core.schema import VendorSQL, append_only, no_truncate

COLUMN = "ALTER TABLE core_auditentry ADD COLUMN listed varchar(64) NOT NULL DEFAULT ''"
_KEY = ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"))


class Migration(migrations.Migration):
    """Reads in the audit: who stood in a list, what of the journal is in, and the checkpoints outside."""

    dependencies = [("core", "0003_unnumbered")]

    operations = [
        migrations.CreateModel(
            name="AuditGroup", fields=[_KEY, ("name", models.CharField(max_length=64, unique=True))]
        ),
        migrations.CreateModel(
            name="AuditGroupMember",
            fields=[
                _KEY,
                ("patient_id", models.UUIDField()),
                (
                    "group",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="members",
                        to="core.auditgroup",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["patient_id"], name="audit_member_patient")],
                "constraints": [models.UniqueConstraint(fields=("group", "patient_id"), name="audit_member_once")],
            },
        ),
        migrations.CreateModel(
            name="AuditSegment", fields=[_KEY, ("name", models.CharField(max_length=80, unique=True))]
        ),
        migrations.CreateModel(
            name="AuditCheckpoint",
            fields=[
                _KEY,
                ("key", models.CharField(max_length=64)),
                ("number", models.PositiveBigIntegerField()),
                ("at", models.DateTimeField()),
                ("heads", models.TextField()),
                ("digest", models.CharField(max_length=64)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("key", "number"), name="audit_checkpoint_once")],
            },
        ),
        # Django would copy the whole table on SQLite, and lose its triggers with the old one.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AddField(
                    model_name="auditentry",
                    name="listed",
                    field=models.CharField(blank=True, db_default="", default="", max_length=64),
                ),
            ],
            database_operations=[
                VendorSQL(
                    sqlite=[COLUMN],
                    postgresql=[COLUMN],
                    reverse_sqlite=["ALTER TABLE core_auditentry DROP COLUMN listed"],
                    reverse_postgresql=["ALTER TABLE core_auditentry DROP COLUMN listed"],
                )
            ],
        ),
        migrations.AddIndex("auditentry", models.Index(fields=["facility_id", "at"], name="audit_facility")),
        migrations.AddIndex("auditentry", models.Index(fields=["actor", "at"], name="audit_actor")),
        migrations.AddIndex(
            "auditentry",
            models.Index(
                condition=models.Q(("listed", ""), _negated=True), fields=["listed", "at"], name="audit_listed"
            ),
        ),
        append_only("core_auditgroup"),
        append_only("core_auditgroupmember"),
        append_only("core_auditcheckpoint"),
        no_truncate("core_auditentry", "core_auditgroup", "core_auditgroupmember", "core_auditcheckpoint"),
    ]
