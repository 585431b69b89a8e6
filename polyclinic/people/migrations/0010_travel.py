from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("people", "0009_account_version")]
    operations = [
        migrations.AddField(
            "doctor",
            "travel_minutes",
            models.PositiveSmallIntegerField(db_default=0, default=0, verbose_name="time between hospitals, minutes"),
        )
    ]
