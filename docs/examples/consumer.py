"""A consumer of Polyclinic's events that does each thing once: `python consumer.py amqp://… polyclinic.events seen.db`.

It keeps its effect and the event's id in one transaction of its own database, and only then tells the broker that it
is done. So it may be killed anywhere: what comes again is known by its id. An event it cannot deal with is handed back;
the broker offers it five times and then puts it among the dead letters (`polyclinic.events.dead`), for a person.
"""

import asyncio
import contextlib
import json
import sqlite3
import sys

import aio_pika


def prepare(path: str) -> sqlite3.Connection:
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE IF NOT EXISTS seen (id TEXT PRIMARY KEY)")
    database.execute("CREATE TABLE IF NOT EXISTS history (number INTEGER PRIMARY KEY, subject, sequence, type, data)")
    return database


def take(database: sqlite3.Connection, event: dict) -> bool:
    """Have the effect of an event, here a row of history. False when it was had before."""
    with database:  # one transaction: both rows or neither
        if database.execute("INSERT OR IGNORE INTO seen VALUES (?)", [event["id"]]).rowcount == 0:
            return False
        database.execute(
            "INSERT INTO history (subject, sequence, type, data) VALUES (?, ?, ?, ?)",
            [event["subject"], event["sequence"], event["type"], json.dumps(event["data"])],
        )
    return True


async def consume(address: str, queue: str, path: str) -> None:
    with contextlib.closing(prepare(path)) as database:
        # This kind comes back by itself when the line breaks.
        async with await aio_pika.connect_robust(address) as connection:
            channel = await connection.channel()
            # One at a time keeps the order also when something is handed back.
            await channel.set_qos(prefetch_count=1)
            async with (await channel.get_queue(queue)).iterator() as messages:
                async for message in messages:
                    try:
                        take(database, json.loads(message.body))
                    except (ValueError, KeyError, TypeError):
                        await message.reject(requeue=True)
                    else:
                        await message.ack()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(consume(*sys.argv[1:]))
