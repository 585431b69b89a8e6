from django.db import migrations

from polyclinic.core.crypto.fields import EncryptedTextField


class Migration(migrations.Migration):
    dependencies = [("pharmacy", "0002_append_only")]
    operations = [
        migrations.AddField(
            model_name="dispenseline",
            name="settled",
            field=EncryptedTextField(blank=True, default="", owner="patient_id"),
        )
    ]
