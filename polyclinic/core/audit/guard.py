"""What keeps the audit's tables append-only in the database, and whether it is all still there."""

from __future__ import annotations

from typing import Final

from django.db import connection

from polyclinic.core.db import is_postgres

TABLES: Final = ("core_auditentry", "core_auditgroup", "core_auditgroupmember", "core_auditcheckpoint")
_SQLITE: Final = ("_no_update", "_no_delete")
_POSTGRES: Final = ("_no_change", "_no_truncate")


def missing() -> list[str]:
    """Triggers that should refuse a change and are not there, or are switched off."""
    wanted = {table + end for table in TABLES for end in (_POSTGRES if is_postgres() else _SQLITE)}
    with connection.cursor() as cursor:
        if is_postgres():
            cursor.execute("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled IN ('O', 'A')")
        else:
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND sql LIKE '%%RAISE(ABORT%%'")
        return sorted(wanted - {row[0] for row in cursor.fetchall()})


def alterable() -> list[str]:
    """Tables that the application's own database role could alter (PostgreSQL): as owner, superuser or by a right.

    On SQLite whoever can open the file can, which is why there are checkpoints; nothing is listed.
    """
    if not is_postgres():
        return []
    found = []
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(
                "SELECT pg_has_role(current_user, relowner, 'USAGE') "
                "OR has_table_privilege(current_user, oid, 'UPDATE, DELETE, TRUNCATE') "
                "FROM pg_class WHERE oid = %s::regclass",
                [table],
            )
            row = cursor.fetchone()
            if row and row[0]:
                found.append(table)
    return found


def protect(role: str, owner: str) -> list[str]:
    """The statements that take the tables out of the hands of `role`: run by whoever may, in this order.

    `owner` becomes their owner; it cannot sign in. The application keeps the right to read and to add.
    """
    quote = connection.ops.quote_name
    app, keeper = quote(role), quote(owner)
    literal = owner.replace("'", "''")
    made = [
        f"DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{literal}') "  # noqa: S608 - quoted
        f"THEN CREATE ROLE {keeper} NOLOGIN; END IF; END $$",
        f"GRANT USAGE, CREATE ON SCHEMA public TO {keeper}",
    ]
    for table in TABLES:
        made += [
            f"ALTER TABLE {table} OWNER TO {keeper}",
            f"ALTER FUNCTION {table}_refuse() OWNER TO {keeper}",
            f"REVOKE ALL ON {table} FROM PUBLIC, {app}",
            f"GRANT SELECT, INSERT ON {table} TO {app}",
            f"GRANT USAGE, SELECT ON SEQUENCE {table}_id_seq TO {app}",
        ]
    return made
