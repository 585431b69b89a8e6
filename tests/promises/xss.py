"""What T22 needs: payloads, a hospital whose every text says them, and a reader that sees whether one came through.

Run inside a server's settings it fills that server's database and prints what there is to look at, as JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from html.parser import HTMLParser
from typing import Any, Final

# A column holds them all at once: no database cuts it off here, and no page may rely on how long a text is.
_BREAKERS: Final = (
    "", '">', "'>", "</title>", "</textarea>", "</script>", "-->", "</option></select>", "</style>", "\"' "
)  # fmt: skip
_VECTORS: Final = (
    "<script>zqx()</script>",
    "<img src=x onerror=zqx()>",
    "<svg onload=zqx()>",
    "<svg><animate onbegin=zqx() attributeName=x dur=1s>",
    '<iframe srcdoc="<script>parent.zqx()</script>">',
    "<details open ontoggle=zqx()>",
    "<input autofocus onfocus=zqx()>",
    '<a href="javascript:zqx()">zqx</a>',
    "<math><mtext><style><img src onerror=zqx()>",
    '<object data="data:text/html,<script>zqx()</script>">',
    "<form action=javascript:zqx()><button>zqx",
    "onmouseover=zqx() autofocus onfocus=zqx() x=",
    "<meta http-equiv=refresh content='0;url=javascript:zqx()'>",
    "<base href=//zqx.invalid/>",
    "<zqx-element zqx-attribute={{7*191}}>${zqx()}{% zqx %}",
)
_ENCODED: Final = (
    "&lt;script&gt;zqx()&lt;/script&gt;", "&#60;img src=x onerror=zqx()&#62;", "%3Cscript%3Ezqx()%3C/script%3E",
    "\\u003cscript\\u003ezqx()\\u003c/script\\u003e", "javascript:zqx()", "JaVaScRiPt:zqx()//",
    "data:text/html,<script>zqx()</script>", "＜script＞zqx()＜/script＞", "';zqx();//", "`${zqx()}`",
)  # fmt: skip
PAYLOADS: Final = tuple(start + vector for start in _BREAKERS for vector in _VECTORS) + _ENCODED
ALL: Final = " ".join(PAYLOADS)
MARK: Final = "zqx"

# Columns that only the program writes and reads: no person's text can be in them. Any other is filled.
MACHINE: Final = {
    "people.Account": "password language", "people.Doctor": "specialty", "people.Session": "session_data kind network",
    "people.Device": "token", "people.KnownNetwork": "network", "notify.Notice": "kind detail",
    "notify.Delivery": "channel kind to language detail error kept kept_for", "factors.SmsCode": "digest",
    "factors.RecoveryCode": "selector digest", "factors.Passkey": "credential_id public_key transports",
    "factors.RememberedDevice": "digest", "factors.Totp": "secret", "consent.Consent": "categories",
    "consent.Delegation": "code", "consent.EmergencyAccess": "state",
    "tokens.SigningKey": "kid public private", "tokens.RefreshFamily": "session_key device why",
    "tokens.ApiKey": "prefix digest scopes networks", "facilities.Facility": "slug time_zone",
    "facilities.Department": "slug", "facilities.Service": "slug specialty", "facilities.CustomRole": "permissions",
    # Numbers, hours, and names of holidays that may hold no mark which HTML knows.
    "facilities.SettingVersion": "key value",
    "scheduling.Hold": "holder", "scheduling.DoctorInvitation": "weekly", "scheduling.LeaveRequest": "kind",
    "scheduling.AppointmentSeries": "unit",
    "files.StoredFile": "kind media_type secret digest", "files.ResultFile": "media_type secret digest",
    "files.Portrait": "media_type secret digest",
    "privacy.PrivacyRequest": "field",
    "privacy.ResearchExport": "report digest",
    "billing.LedgerEntry": "debit credit currency", "billing.Price": "code currency", "billing.InvoiceLine": "code",
    "billing.Invoice": "subject_kind currency", "billing.Books": "currency",
    "billing.Payment": "key provider provider_ref provider_url", "billing.Refund": "key provider_ref",
    "people.Merge": "places", "analytics.Rollup": "dimension key body",
    "visits.Visit": "token ticket", "visits.HallBoard": "lines code", "visits.StageTime": "stage",
    "papers.Paper": "kind variant code digest",
    "laboratory.OrderedTest": "test", "laboratory.Specimen": "kind",
    "laboratory.LabOrder": "pregnancy", "laboratory.HouseRange": "test sex pregnancy",
    "pharmacy.StockMove": "actor", "pharmacy.IdentityCheck": "asked", "pharmacy.Witnessing": "counts",
    # Numbers and choices alone.
    "pharmacy.DispenseLine": "substituted",
    "nursing.Observation": "body", "records.VitalSet": "body", "records.AllergyList": "status",
    # The formulary is ours: nobody types it.
    "medicines.Medicine": "code generic brand strength strength_unit unit dose_unit atc price_code",
    "transport.AmbulanceTrip": "estimate place code caller", "records.EmergencyLink": "code",
    "transport.TripStep": "step",
    "webhooks.Webhook": "host events secret old_secret", "webhooks.Message": "stream type body",
    "webhooks.Attempt": "error",
    "imports.Import": "encoding delimiter columns secret", "imports.KnownHeading": "heading field",
    # Sentences of ours about a row, and the names of its columns.
    "imports.ImportProblem": "field code said",
}  # fmt: skip
# Filled, and on no page that the house's people are shown: the reason stands beside it.
UNSHOWN: Final = {
    "people.EmailCheck.email": "the address is told in its mail",
    "people.Device.user_agent": "kept to recognise a browser",
    "factors.SmsNumber.number": "its last digits alone are shown",
    "people.Session.user_agent": "told as the names of browser and system, which are ours",
    "factors.RememberedDevice.user_agent": "the same",
    "scheduling.Appointment.attention": "told as a sentence of ours",
    "billing.InvoiceLine.source_kind": "names a kind of ours",
    "billing.InvoiceLine.discount_reason": "told to those who may discount, on no page yet",
    "pharmacy.Supplier.phone": "kept for who buys, on no page yet",
    "laboratory.CriticalAlert.comment": "told over the API alone",
    "records.NoteVersion.author": "older wordings are told over the API alone",
    "records.NoteVersion.body": "the same",
    "nursing.RoundNoteVersion.author": "earlier wordings are shown to who asks for them (`wordings=1`)",
    "nursing.RoundNoteVersion.body": "the same",
}
# JSON of a known shape, which a payload in its place would not be: which of its members are a person's words.
BODIES: Final = {
    "records.Allergy.body": ("substance", "reaction"), "records.Condition.body": ("text",),
    "records.Note.body": None, "records.NoteVersion.body": None, "records.Draft.body": None,
    "laboratory.Result.report": ("comment",), "nursing.MedicineOrder.body": ("note",),
    "nursing.Handover.body": ("situation", "background", "assessment", "recommendation"),
    "nursing.DischargeSummary.body": ("diagnoses", "course", "follow_up"),
    "nursing.SignedSummary.body": ("diagnoses", "course", "follow_up"),
    "prescribing.PrescriptionLine.body": ("note",), "prescribing.PrescriptionDraft.body": (),
    "pharmacy.DispenseLine.settled": ("spoken_with",),
    "papers.SickNote.body": ("adjustments", "remark"), "papers.LetterDraft.body": ("to", "question"),
    "papers.Referral.body": ("to", "address", "question", "findings", "medicines"),
}  # fmt: skip
# What is drawn into a picture that holds no more: as many payloads as the column takes.
SHORT: Final = ("people.Account.email",)
_JUMPS: Final = ("href", "src", "action", "formaction", "data", "poster", "background", "srcdoc", "xlink:href")
_OWN: Final = re.compile(
    r"^(/(?!/)|#|\?|mailto:|tel:|geo:|data:image/png;base64,|https?://(localhost|127\.0\.0\.1)[:/])"
)


def fields() -> Iterator[tuple[Any, Any]]:
    """Every column that can hold a person's words: (model, field)."""
    from django.apps import apps
    from django.db import connection, models

    from polyclinic.core.crypto.fields import BlindIndexField, EncryptedTextField

    texts = (models.CharField, models.TextField, models.JSONField, EncryptedTextField)
    # A model whose migration is still to come has no table and no rows.
    tables = set(connection.introspection.table_names())
    for model in apps.get_models():
        label = model._meta.label
        if (
            not model.__module__.startswith("polyclinic.")
            or model._meta.app_label == "core"
            or (model._meta.db_table not in tables)
        ):
            continue
        for field in model._meta.fields:
            machine = field.primary_key or field.choices or isinstance(field, BlindIndexField)
            # Who did it, as the program names its actors ("account:…"); and the name of a state of a machine.
            machine = machine or field.name.endswith("_by") or field.name == "state"
            if isinstance(field, texts) and not machine and field.name not in MACHINE.get(label, "").split():
                yield model, field


def name_of(model: Any, field: Any) -> str:
    return f"{model._meta.label}.{field.name}"


def fill() -> set[str]:
    """Put every payload into every such column of every row. Returns the names of those that have a row."""
    from polyclinic.core.crypto.fields import EncryptedTextField

    done = set()
    for model, field in fields():
        for number, row in enumerate(model._default_manager.order_by("pk")):
            # Some must differ from row to row, and what is shown is to say whose it is.
            text = f"[{name_of(model, field)}] {number} {ALL}"
            if name_of(model, field) in SHORT:
                text = text[: field.max_length]
            if name_of(model, field) in BODIES:
                text = embodied(name_of(model, field), row, field, text)
            if isinstance(field, EncryptedTextField):
                text = field.sealer().seal(row.pk, field.owner_of(row), text)  # type: ignore[assignment]
            model._default_manager.filter(pk=row.pk).update(**{field.attname: text})
            done.add(name_of(model, field))
    return done


def dwell(world: Any) -> None:
    """What the house has not had yet, so that every page has something to say; then payloads everywhere."""
    from polyclinic.consent.models import EmergencyAccess
    from polyclinic.core import clock
    from polyclinic.factors.models import SmsNumber, Totp
    from polyclinic.privacy.models import LegalHold, PrivacyRequest

    now, account = clock.now(), world.house.patient.account
    EmergencyAccess.objects.filter(pk=world.parts["access_id"]).update(state="justified", reviewed_at=now)
    PrivacyRequest.objects.filter(pk=world.parts["request_id"]).update(kind="correction", field="phone")
    Totp.objects.create(account_id=account.pk, name="Telephone", confirmed_at=now)
    SmsNumber.objects.create(account_id=account.pk, name="Telephone", verified_at=now)
    assert LegalHold.objects.exists()
    _tell_all(account.pk)
    _begin_a_draft(world)
    _correct_beside_the_bed(world, now)
    world.queries |= {"/doctor": f"?day={world.house.workday()}"}
    world.filled = fill()


def _correct_beside_the_bed(world: Any, now: datetime) -> None:
    """A dose that was crossed out, and a signed summary that was amended: both say why."""
    from polyclinic.nursing.models import DischargeSummary, Dose, SignedSummary

    given = Dose.objects.get(pk=world.parts["dose_id"])
    Dose.objects.create(
        order=given.order, patient_id=given.patient_id, number=given.number + 1, outcome=given.outcome,
        state="withdrawn", withdrawn_at=now,
    )  # fmt: skip
    found = DischargeSummary.objects.get(stay_id=world.parts["stay_id"])
    DischargeSummary.objects.filter(pk=found.pk).update(state="signed", signed_at=now, amended=1)
    SignedSummary.objects.create(summary=found, patient_id=found.patient_id, number=1, signed_at=now)


def embodied(name: str, row: Any, field: Any, text: str) -> str:
    """The row's JSON with the text in each member that holds a person's words; of a note these are its open fields."""
    told = json.loads(getattr(row, field.attname) or "{}")
    members = BODIES[name]
    if members is None:
        from polyclinic.records.forms import fields_of

        kind = getattr(row, "kind", None) or row.note.kind
        members = tuple(one.name for one in fields_of(kind) if not one.options)
    if name == "prescribing.PrescriptionDraft.body":
        return json.dumps({"diagnoses": [{"text": text}]})
    return json.dumps({**told, **dict.fromkeys(members, text)})


def _begin_a_draft(world: Any) -> None:
    """Something half written by whoever does the first check: a draft is shown to its own writer."""
    from polyclinic.papers import drafts as letters
    from polyclinic.prescribing import drafts as prepared
    from polyclinic.prescribing.bodies import Diagnosis
    from polyclinic.records import drafts

    checker = world.house.person(world.house.staff["checker_doctor"])
    visit = world.parts["visit_id"]
    drafts.keep(actor=checker, visit_id=visit, kind="exam", fields={"heart": "Quiet"}, base=0, version=0)
    main = world.house.person(world.house.staff["main_doctor"])
    letters.keep(actor=main, visit_id=visit, kind="referral", fields={"question": "A murmur?"}, version=0)
    prepared.add_diagnosis(actor=main, visit_id=visit, diagnosis=Diagnosis("A murmur"), version=0)


def _tell_all(account_id: Any) -> None:
    """A notice of every kind whose every word is a payload."""
    from polyclinic.notify.kinds import KINDS
    from polyclinic.notify.models import Notice

    named = re.compile(r"%\((\w+)\)s")
    for kind, row in KINDS.items():
        detail = dict.fromkeys(named.findall(str(row.sentence)), f"[notice] {ALL}")
        Notice.objects.create(account_id=account_id, kind=kind, detail=detail)


class Page(HTMLParser):
    """One page's elements and text. `faults` says what a payload could have made of it."""

    def __init__(self, body: str) -> None:
        super().__init__(convert_charrefs=True)
        self.faults: list[str] = []
        self.texts: list[str] = []
        self.forms: list[dict[str, Any]] = []
        self.feed(body)
        self.close()
        self.text = " ".join("".join(self.texts).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if MARK in tag or tag in ("iframe", "object", "embed", "base", "math", "animate"):
            self.faults.append(f"<{tag}>")
        if tag == "script" and not (given.get("src") or "").startswith("/static/"):
            self.faults.append(f"<script> {given}")
        if tag == "meta" and "http-equiv" in given:
            self.faults.append("<meta http-equiv>")
        for name, value in attrs:
            text = (value or "").strip()
            if MARK in name or name.startswith("on") or name == "style":
                self.faults.append(f"<{tag} {name}>")
            if name in _JUMPS and text and not _OWN.match(text):
                self.faults.append(f"<{tag} {name}={text[:60]!r}>")
            if MARK in text and name in ("id", "class", "name", "for", "type"):
                self.faults.append(f"<{tag} {name}={text[:60]!r}>")
        self.texts += [f" {value} " for name, value in attrs if value and MARK in value]
        self._form(tag, given)

    def _form(self, tag: str, given: dict[str, str | None]) -> None:
        if tag == "form":
            self.forms.append({"method": (given.get("method") or "get").lower(), "action": given.get("action") or "",
                               "fields": {}})  # fmt: skip
        elif tag in ("input", "textarea", "select") and self.forms and given.get("name"):
            hidden = given.get("type") == "hidden"
            self.forms[-1]["fields"][given["name"]] = (given.get("value") or "") if hidden else None

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@cache
def _folded(text: str) -> str:
    """Family names are told in capitals, and so are their payloads."""
    return text.casefold()


def says(text: str, name: str) -> bool:
    """Whether a column's words stand in the text as they were written, first payload and last."""
    text = _folded(text)
    start = text.find(f"[{name}]".casefold())
    return start >= 0 and ALL[:60].casefold() in text[start : start + 200]


def wholly(text: str, name: str) -> bool:
    """Whether all payloads stand there, letter by letter."""
    return any(text[found.end() :].startswith(ALL) for found in re.finditer(re.escape(f"[{name}]") + r" \d+ ", text))


def sights(world: Any, roles: int = 2) -> list[tuple[str, str]]:
    """Every page that somebody may look at: (role, path), for so many roles of those who may."""
    from tests.matrix.driving import _PART
    from tests.matrix.expected import rows

    found = []
    for (method, address), cells in rows().items():
        served = [role for role, status in cells.items() if status == 200]
        if method != "GET" or address.startswith("/api") or not served:
            continue
        path = _PART.sub(lambda part: world.parts[part.group(1)], address) + world.queries.get(address, "")
        # Somebody who is signed in sees more than a visitor.
        wanted = [role for role in served if role != "anonymous"] or served
        # Who works in the laboratory sees more of its pages than a doctor who looks something up there.
        own = "lab_technician"
        wanted = [own, *wanted] if own in wanted[roles:] and path.startswith("/lab") else wanted
        found += [(role, path) for role in wanted[:roles]]
    return found


def main() -> None:
    """Fill the database of the settings this runs in, and print pages and cookies."""
    import django

    django.setup(set_prefix=False)

    from tests import house as houses
    from tests import schema
    from tests.matrix.driving import World

    schema.migrate()
    house = houses.build()
    world = World(house)
    dwell(world)
    print(json.dumps({"sights": sights(world, 1), "cookies": {role: one.get("Cookie", "") for role, one in
                      world._by_cookie.items()}}))  # fmt: skip


if __name__ == "__main__":
    main()
