from django.db import migrations, models

from polyclinic.core.crypto import fields, sweep


def seal(apps, schema_editor):
    patients = apps.get_model("people", "Patient")
    index = patients._meta.get_field("phone_index")
    for key, phone in patients.objects.exclude(phone="").values_list("pk", "phone"):
        patients.objects.filter(pk=key).update(phone_index=index.of(str(phone)))
    sweep.seal_clear(patients, "phone", owner="id")


class Migration(migrations.Migration):
    dependencies = [("people", "0002_assurance")]
    operations = [
        migrations.AddField(
            "patient",
            "phone_index",
            fields.BlindIndexField(
                normal="polyclinic.core.crypto.blind.digits",
                purpose="phone",
                source="phone",
            ),
        ),
        migrations.AlterField(
            "patient",
            "phone",
            fields.EncryptedTextField(blank=True, max_length=32, owner="id", verbose_name="phone"),
        ),
        migrations.AddIndex(
            "patient",
            models.Index(
                condition=models.Q(("phone_index", ""), _negated=True), fields=["phone_index"], name="patient_phone"
            ),
        ),
        migrations.RunPython(seal),
    ]
