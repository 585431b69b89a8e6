from django.db import migrations

from polyclinic.core.crypto import fields, sweep


def seal(apps, schema_editor):
    sweep.seal_clear(apps.get_model("scheduling", "Appointment"), "reason", owner="patient_id")
    sweep.seal_clear(apps.get_model("scheduling", "ScheduleException"), "note", purpose="schedules")


class Migration(migrations.Migration):
    dependencies = [("scheduling", "0002_no_overlap")]
    operations = [
        migrations.AlterField(
            "appointment",
            "reason",
            fields.EncryptedTextField(
                blank=True, max_length=200, owner="patient_id", verbose_name="reason for the visit"
            ),
        ),
        migrations.AlterField(
            "scheduleexception",
            "note",
            fields.EncryptedTextField(blank=True, max_length=120, purpose="schedules", verbose_name="note"),
        ),
        migrations.RunPython(seal),
    ]
