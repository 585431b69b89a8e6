from django.db import migrations

from polyclinic.core.schema import VendorSQL

_OVERLAP = """
CREATE TRIGGER scheduling_reservation_{verb_name} BEFORE {verb} ON scheduling_reservation
WHEN EXISTS (
    SELECT 1 FROM scheduling_reservation AS other
    WHERE other.resource_id = NEW.resource_id
      AND other.starts < NEW.ends
      AND other.starts > datetime(NEW.starts, '-1 day')
      AND other.ends > NEW.starts
      AND other.id IS NOT NEW.id
)
BEGIN SELECT RAISE(ABORT, 'reservation_overlap'); END
"""
# The search looks back one day only, so nothing may be longer than that: the same bound on both databases.
_LENGTH = """
CREATE TRIGGER scheduling_reservation_length_{verb_name} BEFORE {verb} ON scheduling_reservation
WHEN NEW.ends > datetime(NEW.starts, '+1 day') OR NEW.ends <= NEW.starts
BEGIN SELECT RAISE(ABORT, 'reservation_length'); END
"""
_VERBS = (("INSERT", "insert"), ("UPDATE", "update"))


class Migration(migrations.Migration):
    dependencies = [("scheduling", "0001_initial")]
    operations = [
        VendorSQL(
            sqlite=[sql.format(verb=verb, verb_name=name) for verb, name in _VERBS for sql in (_OVERLAP, _LENGTH)],
            postgresql=[
                "CREATE EXTENSION IF NOT EXISTS btree_gist",
                "ALTER TABLE scheduling_reservation ADD CONSTRAINT reservation_overlap "
                "EXCLUDE USING gist (resource_id WITH =, tstzrange(starts, ends) WITH &&)",
                "ALTER TABLE scheduling_reservation ADD CONSTRAINT reservation_length "
                "CHECK (ends <= starts + interval '1 day')",
            ],
            reverse_sqlite=[
                f"DROP TRIGGER scheduling_reservation_{part}{name}" for _, name in _VERBS for part in ("", "length_")
            ],
            reverse_postgresql=[
                "ALTER TABLE scheduling_reservation DROP CONSTRAINT reservation_length",
                "ALTER TABLE scheduling_reservation DROP CONSTRAINT reservation_overlap",
            ],
        )
    ]
