import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("people", "0005_patientplace"),
    ]

    operations = [
        migrations.CreateModel(
            name="PatientWord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("word", models.CharField(max_length=40)),
            ],
        ),
        migrations.CreateModel(
            name="PhoneTail",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("tail", models.CharField(db_index=True, max_length=22)),
            ],
        ),
        migrations.CreateModel(
            name="WordVariant",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("variant", models.CharField(db_index=True, max_length=41)),
                ("word", models.CharField(max_length=40)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("variant", "word"), name="word_variant_once")],
            },
        ),
        migrations.AddField(
            model_name="patient",
            name="searchable",
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name="patient",
            name="temporary",
            field=models.BooleanField(default=False),
        ),
        migrations.AddIndex(
            model_name="patient",
            index=models.Index(fields=["born"], name="patient_born"),
        ),
        migrations.AddIndex(
            model_name="patient",
            index=models.Index(
                condition=models.Q(("searchable", models.F("version")), _negated=True),
                fields=["id"],
                name="patient_unindexed",
            ),
        ),
        migrations.AddField(
            model_name="patientword",
            name="patient",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="words", to="people.patient"
            ),
        ),
        migrations.AddField(
            model_name="phonetail",
            name="patient",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="tails", to="people.patient"
            ),
        ),
        migrations.AddIndex(
            model_name="patientword",
            index=models.Index(fields=["word", "patient"], name="patient_word"),
        ),
        migrations.AddConstraint(
            model_name="patientword",
            constraint=models.UniqueConstraint(fields=("patient", "word"), name="patient_word_once"),
        ),
    ]
