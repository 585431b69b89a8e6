from django.db import migrations

from polyclinic.core.schema import append_only


class Migration(migrations.Migration):
    dependencies = [("pharmacy", "0001_initial")]
    operations = [append_only("pharmacy_stockmove")]
