"""When somebody was told that a key ends soon."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tokens", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="apikey",
            name="warned_at",
            field=models.DateTimeField(null=True),
        ),
    ]
