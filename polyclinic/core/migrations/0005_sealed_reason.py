from django.db import migrations, models

from polyclinic.core.schema import VendorSQL


class Migration(migrations.Migration):
    """A sealed reason is longer than the words in it. SQLite counts no characters, and copying would lose triggers."""

    dependencies = [("core", "0004_audit_reads")]
    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField("auditentry", "reason", models.TextField(blank=True)),
            ],
            database_operations=[
                VendorSQL(
                    sqlite=[],
                    postgresql=["ALTER TABLE core_auditentry ALTER COLUMN reason TYPE text"],
                ),
            ],
        ),
    ]
