from django.db import migrations

from polyclinic.core.schema import VendorSQL


class Migration(migrations.Migration):
    """Finding events that have no position yet: PostgreSQL alone gives positions afterwards."""

    dependencies = [("core", "0002_append_only")]
    operations = [
        VendorSQL(
            sqlite=[],
            postgresql=["CREATE INDEX outbox_unnumbered ON core_outboxevent (id) WHERE position IS NULL"],
            reverse_postgresql=["DROP INDEX outbox_unnumbered"],
        )
    ]
