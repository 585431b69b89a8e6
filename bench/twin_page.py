"""The twin's page: a doctor's day of 50 rows, the product's own HTML drawn with nothing but sqlite3 and strings.

Included, each time: the session looked up by one SELECT, the day's rows by one SELECT on the product's own tables,
every text escaped, times, ages and names written as the product writes them, the buttons that state and hour allow,
the figures of the day. Left out: sessions kept alive, rights, languages, zones (all rows are UTC), CSRF masks,
messages, the badge of new patients, the log's position, security headers, compression. What stands around the rows is
not drawn but taken from a page of the product (`frame`) at the start, with day and figures filled in.
"""

from __future__ import annotations

import html
import os
import re
import sqlite3
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from polyclinic.portals.ui.icons import icon

_SESSION = (
    "SELECT d.id FROM people_session s JOIN people_account a ON a.id = s.account_id "
    "JOIN people_doctor d ON d.account_id = a.id WHERE s.session_key = ? AND s.expire_date > ? AND a.is_active"
)
_DAY = (
    "SELECT a.id, a.state, a.version, a.starts, a.ends, a.patient_id, p.family_name, p.given_name, p.mrn, p.born, "
    "p.sex, s.name, r.name, f.name, a.reason, a.attention FROM scheduling_appointment a "
    "JOIN facilities_facility f ON f.id = a.facility_id JOIN people_patient p ON p.id = a.patient_id "
    "LEFT JOIN facilities_service s ON s.id = a.service_id LEFT JOIN facilities_room r ON r.id = a.room_id "
    "WHERE a.doctor_id = ? AND a.starts >= ? AND a.starts < ? ORDER BY a.starts"
)
_STEPS = {
    "confirm": ("Confirm", "check"), "check_in": ("Check in", "log-in"), "complete": ("Complete", "circle-check"),
    "no_show": ("No-show", "user-x"), "decline": ("Decline", "x"), "cancel": ("Cancel", "calendar-x"),
}  # fmt: skip
_NEXT = {"booked": "confirm", "confirmed": "check_in", "checked_in": "complete"}
_TAGS = {
    "booked": '<span class="tag warn">Waiting for confirmation</span>',
    "confirmed": '<span class="tag ok">Confirmed</span>',
    "checked_in": '<span class="tag brand">Checked in</span>',
    "completed": '<span class="tag ">Done</span>',
}
_CLASSES = {"checked_in": ' class="now"', "completed": ' class="quiet"'}
_LETTERS = {"female": "F", "male": "M"}


def frame(page: str) -> str:
    """What stands around the rows of a product's page, as a format with `%(rows)s`, `%(day)s` and the figures."""
    head, _body, rest = re.split(r"(?<=data-live-empty=\"#no-appointments\">)|(?=</tbody>)", page, maxsplit=2)
    kept = "\0rows\0".join((head, rest))
    found = re.search(r'name="day" value="([0-9-]+)"', kept)
    assert found
    kept = kept.replace(found[1], "\0day\0")
    kept = re.sub(r'(data-kpi="(\w+)">)\d+', "\\1\0\\2\0", kept)
    return re.sub("\0(\\w+)\0", r"%(\1)s", kept.replace("%", "%%"))


def _possible(status: str, begun: bool, over: bool, today: bool) -> list[str]:
    if status == "checked_in":
        return ["complete"]
    if status == "completed":
        return []
    allowed = {
        "confirm": status == "booked" and not over, "check_in": today, "complete": begun, "no_show": begun,
        "decline": not over, "cancel": not begun,
    }  # fmt: skip
    return [name for name, may in allowed.items() if may]


def _buttons(status: str, begun: bool, over: bool, today: bool) -> str:
    """A row's buttons as a format with `%(path)s`, `%(version)s` and `%(name)s`."""
    possible = _possible(status, begun, over, today)
    main = _NEXT.get(status)
    if main not in possible:
        main = "complete" if "complete" in possible else None

    def press(name: str, css: str, more: str = "") -> str:
        label, drawing = _STEPS[name]
        return (
            f'<button class="button {css}" form="steps" formaction="%(path)s{name}" name="version" value="%(version)s">'
            f"{icon(drawing)}<span>{label}{more}</span></button>"
        )

    text = press(main, "go" if status == "checked_in" else "", '<span class="sr"> %(name)s</span>') if main else ""
    others = [name for name in possible if name != main]
    if others:
        text += (
            '\n<details class="menu menu-end more" data-menu><summary class="button ghost square">'
            f'{icon("ellipsis")}<span class="sr">More for %(name)s</span></summary><div class="menu-body">'
        )
        for name in others:
            label, drawing = _STEPS[name]
            if name in ("decline", "cancel"):
                text += f'<a class="button ghost" href="%(path)s{name}">{icon(drawing)}<span>{label}</span></a>'
            else:
                text += press(name, "ghost")
        text += "</div></details>"
    return text


_BUTTONS = {
    (status, begun, over, today): _buttons(status, begun, over, today)
    for status in _TAGS
    for begun in (False, True)
    for over in (False, True)
    for today in (False, True)
}


def _dashed(key: str) -> str:
    return f"{key[:8]}-{key[8:12]}-{key[12:16]}-{key[16:20]}-{key[20:]}"


def _age(born: str, today: date) -> int:
    year, month, day = int(born[:4]), int(born[5:7]), int(born[8:])
    return today.year - year - ((today.month, today.day) < (month, day))


def _row(cells: tuple[Any, ...], now: str, today: date) -> str:
    (
        key, status, version, starts, ends, patient, family, given, mrn, born, sex, service, room, place, reason,
        attention,
    ) = cells  # fmt: skip
    key, name = _dashed(key), html.escape(f"{family.upper()}, {given}")
    said = f'<span class="sub">{html.escape(reason)}</span>' if reason else ""
    warned = ' <span class="tag warn">Outside hours</span>' if attention else ""
    buttons = _BUTTONS[status, starts <= now, ends <= now, starts[:10] == now[:10]] % {
        "path": f"/doctor/appointments/{key}/", "version": version, "name": name
    }  # fmt: skip
    return f"""<tr id="appointment-{key}" data-live-row data-sort="{starts[:10]}T{starts[11:]}+00:00"{_CLASSES.get(status, "")}>
<td class="num"><strong>{starts[11:16]}</strong><span class="sub">{ends[11:16]}</span></td>
<td><strong><a href="/doctor/patients/{_dashed(patient)}">{name}</a></strong><span class="sub">{_LETTERS.get(sex, "–")} {_age(born, today)}y · {html.escape(mrn)}</span></td>
<td>{html.escape(service or "Appointment")}{said}</td>
<td>{html.escape(room or "–")}<span class="sub">{html.escape(place)}</span></td>
<td>{_TAGS[status]}{warned}</td>
<td><div class="acts">{buttons}</div></td>
</tr>
"""  # noqa: E501 - as long as the product's own lines


class Page:
    """Draws days from `db`; the frame is read at the first page, from the file that TWIN_FRAME names."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._frame = ""

    def draw(self, headers: list[tuple[bytes, bytes]], day: str) -> bytes:
        """The page of the doctor whose session the cookie names. Raises PermissionError for anyone else."""
        now = datetime.now(UTC)
        moment = now.strftime("%Y-%m-%d %H:%M:%S")
        cookie = next((value for name, value in headers if name == b"cookie"), b"").decode()
        session = cookie.partition("polyclinic_session=")[2].partition(";")[0]
        found = self._db.execute(_SESSION, (session, moment)).fetchone()
        if found is None:
            raise PermissionError
        cells = self._db.execute(_DAY, (found[0], f"{day} 00:00:00", f"{day} 23:59:59")).fetchall()
        today = now.date()
        states = Counter(row[1] for row in cells)
        figures = {name: states[name] for name in ("booked", "confirmed", "checked_in", "completed", "no_show")}
        rows = "".join([_row(row, moment, today) for row in cells])
        self._frame = self._frame or Path(os.environ["TWIN_FRAME"]).read_text(encoding="utf-8")
        return (self._frame % {**figures, "all": len(cells), "rows": rows, "day": day}).encode()
