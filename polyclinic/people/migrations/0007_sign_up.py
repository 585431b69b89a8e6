from django.db import migrations, models

import polyclinic.core.clock
import polyclinic.core.crypto.fields
import polyclinic.core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("people", "0006_search"),
    ]

    operations = [
        migrations.CreateModel(
            name="SignUp",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=polyclinic.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("said", polyclinic.core.crypto.fields.EncryptedTextField(purpose="accounts")),
                ("language", models.CharField(blank=True, max_length=12)),
                ("back", models.CharField(blank=True, max_length=500)),
                ("browser", models.CharField(blank=True, db_index=True, max_length=64)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("made_at", models.DateTimeField(db_index=True, default=polyclinic.core.clock.now)),
            ],
        ),
    ]
