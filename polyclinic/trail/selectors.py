"""Reading the audit. An auditor sees the entries of their own facilities, a patient those about themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import orjson
from django.conf import settings
from django.db.models import Q, QuerySet, UUIDField, Value
from django.db.models.functions import NullIf
from django.utils.translation import gettext as translate
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Person, Viewer
from polyclinic.core.audit import chain, proof, reads, sink
from polyclinic.core.crypto import reasons
from polyclinic.core.crypto.problems import KeyMissing, Tampered
from polyclinic.core.db import transactional
from polyclinic.core.errors import Invalid, NotFound, Unauthenticated
from polyclinic.core.ids import made_at, parse_id
from polyclinic.core.models import AuditCheckpoint, AuditEntry, AuditGroupMember
from polyclinic.facilities.models import Facility
from polyclinic.trail import names
from polyclinic.trail.rows import Access, AccessPage, EntryRow, EntryView, Proof, TrailPage, Verified

MOST: Final = 200
PART: Final = 1_000
NOBODY: Final = UUID(int=0)
# No index is kept for the ids of requests: every write would pay for it. One of our own says when it began (UUIDv7) and
# is looked for around that; one that the caller chose is looked for this far back.
REQUEST_DAYS: Final = 30
_BEFORE, _AFTER = timedelta(minutes=5), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Search:
    """What an auditor looks for; empty parts narrow nothing. `person_id` is an account."""

    person_id: UUID | None = None
    patient_id: UUID | None = None
    action: str = ""
    subject: str = ""
    facility_id: UUID | None = None
    from_: datetime | None = None
    until: datetime | None = None
    via: str = ""
    request_id: str = ""


def entries(viewer: Viewer, search: Search, *, cursor: str = "", limit: int = 50) -> TrailPage:
    """Entries at the viewer's facilities, newest first. Who looks is on record as well.

    Raises NotFound without the right anywhere, or for a facility of others; Invalid for a cursor that is none.
    """
    if not 1 <= limit <= MOST:
        raise Invalid(_("Ask for 1 to 200 rows."), field="limit")
    found = _newest(_matching(viewer, "audit.search", search), search.patient_id, cursor, limit)
    shown = [(one.patient_id, one.facility_id) for one in found[:limit] if one.patient_id]
    reads.listed(viewer, "audit", search.facility_id, shown)
    rows = _rows(found[:limit])
    return TrailPage(rows, rows[-1].cursor if len(found) > limit else "")


def entry(viewer: Viewer, entry_id: int) -> EntryView:
    """One entry with its place in the chain. Raises NotFound for one of another facility."""
    found = _of(viewer, "audit.search").filter(pk=entry_id).first()
    if found is None:
        raise NotFound()
    members = list(AuditGroupMember.objects.filter(group__name=found.listed).values_list("patient_id", flat=True))
    shown = members or ([found.patient_id] if found.patient_id else [])
    reads.listed(viewer, "audit", None, [(one, found.facility_id) for one in shown])
    return EntryView(_rows([found])[0], _proof(found), sorted(names.numbers(members).values()))


def places(viewer: Viewer) -> list[tuple[UUID, str]]:
    """The facilities whose entries this viewer may search, by name."""
    found = Facility.objects.filter(pk__in=_places(viewer, "audit.search")).order_by("name")
    return list(found.values_list("pk", "name"))


def understood(viewer: Viewer, person: str, mrn: str) -> tuple[UUID | None, UUID | None]:
    """The ids behind what an auditor types, so that no address of a page carries it: an account, a patient.

    What nobody has becomes an id that nobody has. Raises NotFound without the right to search.
    """
    _places(viewer, "audit.search")
    account = names.account_with(person) or NOBODY if person else None
    patient = names.patient_with(mrn) or NOBODY if mrn else None
    return account, patient


def verified(viewer: Viewer) -> Verified:
    """Until when the chains were checked and signed, and how far the copies on another machine go."""
    _places(viewer, "audit.search")
    last = AuditCheckpoint.objects.order_by("-pk").first()
    heads = {int(lane): seq for lane, (seq, _digest) in orjson.loads(last.heads).items()} if last else {}
    since = sum(seq - heads.get(lane, 0) for lane, (seq, _digest) in chain.heads().items())
    copied = sink.sent() if settings.AUDIT_SINK else sink.Sent()
    return Verified(
        last.at if last else None, last.number if last else 0, since,
        bool(settings.AUDIT_SINK), copied.at, copied.number, copied.attempts,
    )  # fmt: skip


@transactional
def begin_export(viewer: Viewer, search: Search) -> None:
    """Write down that these entries are being taken out of the house, before the first of them leaves.

    Raises as `entries` does.
    """
    person = _person(viewer)
    places = _places(viewer, "audit.export")
    wanted = {name: str(getattr(search, name)) for name in Search.__slots__ if getattr(search, name)}
    for place in [search.facility_id] if search.facility_id else sorted(places):
        policy.require_sight(viewer, "audit.export", Subject(facility_id=place))
        ledger.record(
            actor=person, action="audit.export", row=Facility(pk=place), subject=Subject(facility_id=place),
            detail={"by": sorted(wanted)},
        )  # fmt: skip


def export(viewer: Viewer, search: Search) -> Iterator[list[EntryRow]]:
    """All that match, newest first, in parts; each part is one query of its own, so none holds the database."""
    cursor = ""
    while True:
        found = _newest(_matching(viewer, "audit.export", search), search.patient_id, cursor, PART)
        rows = _rows(found[:PART])
        if rows:
            yield rows
        if len(found) <= PART:
            return
        cursor = rows[-1].cursor


def accesses(viewer: Viewer, patient_id: UUID, *, cursor: str = "", limit: int = 50) -> AccessPage:
    """Who looked at this patient's record or changed it, for that patient and whoever acts for them.

    Raises NotFound for anyone else.
    """
    policy.require_sight(viewer, "record.accesses", Subject(patient_id=patient_id))
    if not 1 <= limit <= MOST:
        raise Invalid(_("Ask for 1 to 200 rows."), field="limit")
    found = _newest(AuditEntry.objects.all(), patient_id, cursor, limit)
    reads.opened(viewer, "access_log", patient_id, patient_id=patient_id)
    labels = [one.actor for one in found]
    people, roles = names.people(labels), names.roles(labels)
    where = names.places(one.facility_id for one in found)
    own = f"account:{viewer.account_id}" if isinstance(viewer, Person) and viewer.patient_id == patient_id else ""
    rows = [
        Access(
            one.at, people[one.actor], roles.get((one.actor, one.facility_id)) or roles.get((one.actor, None), ""),
            *where.get(one.facility_id, ("", "UTC")), one.action, _reason(one), one.actor == own,
            "emergency" in one.detail, bool(one.listed),
        )
        for one in found[:limit]
    ]  # fmt: skip
    return AccessPage(rows, _cursor(found[limit - 1]) if len(found) > limit else "")


def _person(viewer: Viewer) -> Person:
    if not isinstance(viewer, Person):
        raise Unauthenticated()
    return viewer


def _places(viewer: Viewer, permission: str) -> frozenset[UUID]:
    found = policy.places(_person(viewer), permission)
    if not found:
        raise NotFound()
    return found


def _of(viewer: Viewer, permission: str) -> QuerySet[AuditEntry]:
    return AuditEntry.objects.filter(facility_id__in=_places(viewer, permission))


def _about(patient_id: UUID) -> tuple[Q, Q]:
    """Entries about this patient, and lists they stood in. Asked one by one: together, no index serves them."""
    groups = AuditGroupMember.objects.filter(patient_id=patient_id).values("group__name")
    return Q(patient_id=patient_id), ~Q(listed="") & Q(listed__in=groups)


def _matching(viewer: Viewer, permission: str, search: Search) -> QuerySet[AuditEntry]:
    places = _places(viewer, permission)
    if search.facility_id is not None:
        policy.require_sight(viewer, permission, Subject(facility_id=search.facility_id))
        places = frozenset({search.facility_id})
    if search.subject or search.patient_id:
        # Few entries are about one thing or patient: their index is to be used, so the facility's is hidden from sight.
        nowhere = Value(NOBODY, output_field=UUIDField())
        found: QuerySet[AuditEntry] = AuditEntry.objects.alias(place=NullIf("facility_id", nowhere)).filter(
            place__in=places
        )
    else:
        found = AuditEntry.objects.filter(facility_id__in=places)
    if search.person_id:
        found = found.filter(actor=f"account:{search.person_id}")
    if search.request_id:
        found = found.filter(request_id=search.request_id)
    from_, until = _period(search)
    narrowed = {
        "action": search.action, "subject_id": search.subject, "via": search.via,
        "at__gte": from_, "at__lt": until,
    }  # fmt: skip
    return found.filter(**{name: value for name, value in narrowed.items() if value})


def _period(search: Search) -> tuple[datetime | None, datetime | None]:
    """From when until when to look; for a request without a given time, around its own."""
    from_, until = search.from_, search.until
    if not search.request_id or from_ is not None:
        return from_, until
    began = made_at(parse_id(search.request_id))
    if began is None or until is not None:
        return (until or clock.now()) - timedelta(days=REQUEST_DAYS), until
    return began - _BEFORE, began + _AFTER


def _newest(query: QuerySet[AuditEntry], patient_id: UUID | None, cursor: str, limit: int) -> list[AuditEntry]:
    """A page of the query, narrowed to what is about a patient where one is named."""
    if patient_id is None:
        return _page(query, cursor, limit)
    found = [one for part in _about(patient_id) for one in _page(query.filter(part), cursor, limit)]
    return sorted(found, key=lambda one: (one.at, one.pk), reverse=True)[: limit + 1]


def _page(query: QuerySet[AuditEntry], cursor: str, limit: int) -> list[AuditEntry]:
    """One more than `limit`, to know whether there are more. Resumes by key, so the last page costs as the first."""
    if cursor:
        at, key = _resume(cursor)
        # Said twice: the first part is what an index can begin at.
        query = query.filter(Q(at__lte=at) & (Q(at__lt=at) | Q(pk__lt=key)))
    return list(query.order_by("-at", "-pk")[: limit + 1])


def _cursor(one: AuditEntry) -> str:
    return f"{one.at.timestamp():.6f}_{one.pk}"


def _resume(text: str) -> tuple[datetime, int]:
    at, _bar, key = text.partition("_")
    try:
        return datetime.fromtimestamp(float(at), tz=clock.now().tzinfo), int(key)
    except (ValueError, OverflowError, OSError):
        raise Invalid(_("This link is not complete. Please start again."), field="cursor") from None


def _rows(found: Sequence[AuditEntry]) -> list[EntryRow]:
    people, where = names.people(one.actor for one in found), names.places(one.facility_id for one in found)
    mrns = names.numbers(one.patient_id for one in found)
    listed = {one.listed for one in found} - {""}
    members = AuditGroupMember.objects.filter(group__name__in=listed).values_list("group__name", flat=True)
    sizes = Counter(members) if listed else Counter()
    return [
        EntryRow(
            one.pk, one.at, one.actor, people[one.actor], one.via, one.action, one.subject_kind, one.subject_id,
            mrns.get(one.patient_id, ""), sizes[one.listed] if one.listed else int(one.patient_id is not None),
            one.facility_id, where.get(one.facility_id, ("", ""))[0], one.from_state, one.to_state, _reason(one),
            one.detail, one.request_id, _cursor(one),
        )
        for one in found
    ]  # fmt: skip


def _reason(one: AuditEntry) -> str:
    """The reason as it was written. In an entry that was altered it opens no more, and that must not hide the entry."""
    try:
        return _opened(one)
    except (Tampered, KeyMissing):
        return translate("(cannot be read)")


def _opened(one: AuditEntry) -> str:
    return reasons.open_(one.reason, one.patient_id, one.subject_id, one.action, one.revision)


def _proof(one: AuditEntry) -> Proof:
    before = AuditEntry.objects.filter(lane=one.lane, seq=one.seq - 1).values_list("digest", flat=True).first()
    after = AuditEntry.objects.filter(lane=one.lane, seq=one.seq + 1).values_list("previous", "digest").first()
    continues = one.previous == (before or chain.GENESIS)
    holds = continues and chain.holds(one) and (after is None or after[0] == one.digest)
    signed = proof.covering(one.lane, one.seq, one.at)
    return Proof(
        one.lane, one.seq, one.previous, one.digest, after[1] if after else "", holds,
        signed.number if signed else 0, signed.at if signed else "",
    )  # fmt: skip
