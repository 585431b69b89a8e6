"""Printing: what stands on each paper, that it is tagged, counted and superseded, and whose it is."""

from __future__ import annotations

import io
import re
from datetime import timedelta

import pytest
import segno
import time_machine
import zxingcpp
from PIL import Image
from pypdf import PdfReader

from polyclinic.core import clock
from polyclinic.core.errors import Conflict, Forbidden, Invalid, NotFound, ReadsOnly
from polyclinic.core.ids import new_id
from polyclinic.core.models import AuditEntry
from polyclinic.papers import letters, printing, setting, sources, verifying
from polyclinic.papers.models import Paper
from polyclinic.papers.sheet import Letterhead, Sheet, Text
from polyclinic.prescribing.models import Prescription
from polyclinic.prescribing.repeats import Repeats
from polyclinic.records import actions as records
from polyclinic.records import notes
from tests.billing import desk as money
from tests.papers.bench import Desk, paper_of, text_of

pytestmark = pytest.mark.django_db


def test_a_paper_is_tagged_and_says_its_language_and_title(desk: Desk) -> None:
    printed = desk.print("invoice", desk.invoice("CONS", "CBC").pk, desk.desk)
    reader = PdfReader(io.BytesIO(printed.pdf))
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"].startswith("en")
    assert reader.metadata is not None
    assert reader.metadata.title.startswith("Invoice No. ")
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert "pdfuaid" in root["/Metadata"].get_data().decode()
    kinds = set(re.findall(r"'/S': '/(\w+)'", str(_tags(root["/StructTreeRoot"]))))
    assert {"H1", "Table", "TH", "TD", "Figure"} <= kinds
    # Every page's size is A4 to a point.
    assert [round(float(edge)) for edge in reader.pages[0].mediabox[2:]] == [595, 842]


def _tags(node: object, depth: int = 0) -> object:
    """The tree of tags, as far as it is needed."""
    found = node.get_object() if hasattr(node, "get_object") else node
    if isinstance(found, list):
        return [_tags(one, depth + 1) for one in found]
    if not isinstance(found, dict) or depth > 14:
        return None
    return {"/S": str(found.get("/S")), "/K": _tags(found.get("/K"), depth + 1)}


def test_an_invoice_says_what_was_done_paid_and_is_owed(desk: Desk) -> None:
    row = desk.invoice("CONS", "CBC")
    money.paid(row, desk.desk, 20_00)
    said = text_of(desk.print("invoice", row.pk, desk.desk).pdf)
    for part in ("Riverside Clinic", "PILLAI, Meera", "MRN0000001", "Consultation", "Blood count", "12.50", "62.50",
                 "20.00", "42.50", "Owed"):  # fmt: skip
        assert part in said, part


def test_a_thousand_lines_go_over_pages_whose_heads_say_which_paper_it_is(desk: Desk) -> None:
    row = desk.invoice("CONS")
    source = sources.find(desk.desk, "invoice", row.pk)
    sheet = source.draw()
    table = sheet.blocks[0]
    long = Sheet(sheet.title, sheet.subtitle, sheet.who, (type(table)(
        table.title, table.columns, tuple((f"Thing {n}", "1", "1.00", "1.00") for n in range(1000)), table.foot
    ),))  # fmt: skip
    mark = setting.Mark(printing.address_of("A" * 32), "A" * 32, "", "Printed now")
    reader = PdfReader(io.BytesIO(setting.typeset(long, Letterhead("Riverside", ()), mark, at=clock.now())))
    count = len(reader.pages)
    assert count > 20
    said = reader.pages[count // 2].extract_text()
    assert f"Page {count // 2 + 1} of {count}" in said
    assert "Invoice No." in said
    assert "Quantity" in said
    every = "".join(page.extract_text() for page in reader.pages)
    assert all(f"Thing {n}" in every for n in range(1000))


def test_a_receipt_fits_a_roll(desk: Desk) -> None:
    payment = money.paid(desk.invoice("CONS"), desk.desk, 50_00)
    printed = desk.print("receipt", payment.pk, desk.desk, size="thermal")
    page = PdfReader(io.BytesIO(printed.pdf)).pages[0]
    assert round(float(page.mediabox.width) / 72 * 25.4) == 80
    assert "Receipt" in text_of(printed.pdf)
    assert "50.00" in text_of(printed.pdf)
    with pytest.raises(Invalid) as refused:
        desk.print("lab-report", desk.results(k="4.2").pk, size="thermal")
    assert refused.value.field == "size"


def test_no_receipt_before_the_money_has_come(desk: Desk) -> None:
    payment = money.paid(desk.invoice("CONS"), desk.desk, 50_00, method="card")
    with pytest.raises(Conflict):
        desk.print("receipt", payment.pk, desk.desk)


def test_a_report_has_flags_with_words_ranges_and_critical_results(desk: Desk) -> None:
    order = desk.results(k="7.0", na="150", mg="2.0")
    said = text_of(desk.print("lab-report", order.pk).pdf)
    for part in (
        "Potassium",
        "HH Critically high",
        "Sodium",
        "H High",
        "Critical results",
        "Usual range",
        "Verified by",
    ):
        assert part in said, part
    assert "mmol/L" in said


def test_what_nobody_has_verified_is_on_no_paper(desk: Desk) -> None:
    order = desk.results("na", k="4.2")
    desk.enter(order, na="139")
    # Whoever works at the bench sees it on the screen, and does not print it either.
    for actor in (desk.tech, desk.main):
        said = text_of(desk.print("lab-report", order.pk, actor).pdf)
        assert "139" not in said
        assert "Still to come" in said


def test_the_patient_gets_the_released_results_alone(desk: Desk) -> None:
    order = desk.results(k="4.2", na="139", release=False)
    with pytest.raises(NotFound):
        desk.print("lab-report", order.pk, desk.patient)
    desk.release(order, "k")
    mine, theirs = desk.print("lab-report", order.pk, desk.patient), desk.print("lab-report", order.pk)
    assert "139" not in text_of(mine.pdf)
    assert "139" in text_of(theirs.pdf)
    # Two papers that do not put each other out of force.
    assert {paper_of(one).state for one in (mine, theirs)} == {"valid"}


def test_a_corrected_result_makes_another_paper_that_says_so(desk: Desk) -> None:
    order = desk.results(k="7.0")
    first = desk.print("lab-report", order.pk)
    assert verifying.check(desk.other, paper_of(first).code).status == "valid"
    desk.amend(order, "k", "4.4")
    # Before anybody has printed the new one, whoever holds the old one is told.
    assert verifying.check(desk.other, paper_of(first).code).status == "changed"
    second = desk.print("lab-report", order.pk)
    assert verifying.check(desk.other, paper_of(first).code).status == "superseded"
    assert verifying.check(desk.other, paper_of(second).code).status == "valid"
    said = text_of(second.pdf)
    assert "Corrected report" in said
    assert "4.4" in said
    assert "7.0" in said
    assert second.copy == 1


def test_a_refund_makes_another_invoice(desk: Desk) -> None:
    row = desk.invoice("CONS")
    payment = money.paid(row, desk.desk, 50_00)
    first, slip = desk.print("invoice", row.pk, desk.desk), desk.print("receipt", payment.pk, desk.desk)
    from polyclinic.billing import online

    online.refund(actor=desk.desk, payment_id=payment.pk, amount_minor=10_00, reason="Shorter", key=new_id().hex)
    for one in (first, slip):
        assert verifying.check(desk.other, paper_of(one).code).status == "changed"
    assert "10.00" in text_of(desk.print("receipt", payment.pk, desk.desk).pdf)


def test_copies_say_which_and_the_first_does_not(desk: Desk) -> None:
    row = desk.invoice("CONS")
    with time_machine.travel(clock.now(), tick=False) as time:
        first = desk.print("invoice", row.pk, desk.desk)
        # A second click, a viewer that fetches twice: the same print.
        again = desk.print("invoice", row.pk, desk.desk)
        assert (first.copy, again.copy) == (1, 1)
        assert text_of(first.pdf) == text_of(again.pdf)
        time.shift(timedelta(seconds=61))
        second = desk.print("invoice", row.pk, desk.desk)
        third = desk.print("invoice", row.pk, desk.manager)
    assert (second.copy, third.copy) == (2, 3)
    assert "Copy" not in text_of(first.pdf)
    assert text_of(second.pdf).count("Copy 2") == 2
    assert "Copy 3" in text_of(third.pdf)
    assert "by Bo Boss" in text_of(third.pdf)
    assert len({one.paper_id for one in (first, second, third)}) == 1
    assert paper_of(third).printed == 3
    prints = AuditEntry.objects.filter(action="paper.print", subject_id=str(first.paper_id))
    assert prints.count() == 3
    assert {entry.patient_id for entry in prints} == {desk.house.patient.pk}


def test_whoever_printed_between_makes_this_one_the_next_copy(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    row = desk.invoice("CONS")
    plain, between = setting.typeset, iter([desk.manager])

    def slow(*given: object, **more: object) -> bytes:
        rival = next(between, None)
        if rival is not None:
            desk.print("invoice", row.pk, rival)
        return plain(*given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(setting, "typeset", slow)
    assert desk.print("invoice", row.pk, desk.desk).copy == 2
    assert Paper.objects.get().printed == 2


def test_a_foreign_thing_is_missing(desk: Desk) -> None:
    row, order = desk.invoice("CONS"), desk.results(k="4.2")
    note = desk.sick_note()
    things = {
        "invoice": row.pk, "lab-report": order.pk, "sick-note": note.pk, "visit-summary": desk.visit,
        "receipt": money.paid(row, desk.desk, 50_00).pk, "referral": desk.referral().pk,
        "prescription": desk.prescribe().pk,
    }  # fmt: skip
    for kind, key in things.items():
        for who in (desk.other, desk.stranger):
            with pytest.raises(NotFound):
                desk.print(kind, key, who)
        with pytest.raises(NotFound):
            desk.print(kind, new_id())
        # Its control: whom it belongs to prints it.
        assert desk.print(kind, key, desk.patient).pdf.startswith(b"%PDF")
    with pytest.raises(NotFound):
        desk.print("passport", row.pk)


@pytest.mark.parametrize(
    ("kind", "who"), [("sick-note", "desk"), ("visit-summary", "desk"), ("lab-report", "desk"), ("invoice", "tech")]
)
def test_each_role_prints_what_it_may_see(desk: Desk, kind: str, who: str) -> None:
    """The front desk bills and reads no findings; the laboratory finds and reads no bills."""
    order = desk.results(k="4.2")
    things = {"sick-note": lambda: desk.sick_note().pk, "visit-summary": lambda: desk.visit,
              "lab-report": lambda: order.pk, "invoice": lambda: desk.invoice().pk}  # fmt: skip
    with pytest.raises(NotFound):
        desk.print(kind, things[kind](), getattr(desk, who))


def test_who_looks_through_anothers_eyes_prints_nothing(desk: Desk) -> None:
    import dataclasses

    row = desk.invoice("CONS")
    seen = dataclasses.replace(desk.desk, seen_by=desk.manager.account_id)
    with pytest.raises(ReadsOnly):
        desk.print("invoice", row.pk, seen)
    assert not Paper.objects.exists()


def test_a_summary_says_what_the_patient_may_know(desk: Desk) -> None:
    records.note_allergy(actor=desk.checker, visit_id=desk.visit, substance="penicillin", severity="severe")
    records.record_vitals(actor=desk.checker, visit_id=desk.visit, values={"systolic": "128", "diastolic": "82"})
    order = desk.results(k="4.2", na="139", release=False)
    desk.release(order, "k")
    records.note_condition(actor=desk.main, visit_id=desk.visit, text="Acute bronchitis", code="J20.9")
    notes.save(
        actor=desk.main, visit_id=desk.visit, kind="plan", version=0,
        fields={"impression": "Rather anxious person", "advice": "Come back if the fever lasts."},
    )  # fmt: skip
    said = {who: text_of(desk.print("visit-summary", desk.visit, actor).pdf)
            for who, actor in (("main", desk.main), ("patient", desk.patient))}  # fmt: skip
    for text in said.values():
        for part in ("penicillin", "128/82", "Acute bronchitis (J20.9)", "4.2", "Come back if the fever lasts.",
                     "Preliminary"):  # fmt: skip
            assert part in text, part
        assert "139" not in text
        assert "anxious" not in text
    # One paper, whoever prints it.
    assert Paper.objects.filter(kind="visit-summary").count() == 1


def test_nothing_to_sum_up_before_anybody_has_looked(desk: Desk) -> None:
    with pytest.raises(Conflict):
        desk.print("visit-summary", desk.visit)


def test_a_prescription_has_the_sentence_and_what_was_given_out(desk: Desk) -> None:
    desk.see()
    row = desk.prescribe("With food")
    said = text_of(desk.print("prescription", row.pk, size="thermal").pdf)
    for part in ("paracetamol", "by mouth three times a day for 5 days", "With food", "Give out:", "Valid until"):
        assert part in said, part


def test_a_prescription_says_how_often_it_may_be_repeated_and_a_repeat_what_it_repeats(desk: Desk) -> None:
    desk.see()
    first = desk.prescribe(repeats=Repeats(2, 12))
    said = text_of(desk.print("prescription", first.pk).pdf)
    assert "May be repeated up to 2 times until" in said
    assert "each on a new prescription of ours" in said
    Prescription.objects.filter(pk=first.pk).update(repeats=0, repeat_until=None)
    plain = text_of(desk.print("prescription", first.pk).pdf)
    assert "repeated" not in plain
    again = Prescription.objects.create(
        number=9, visit_id=first.visit_id, patient_id=first.patient_id, facility_id=first.facility_id,
        valid_until=first.valid_until, state="signed", repeat_of=first,
    )  # fmt: skip
    assert f"Repeat of {first.label}" in text_of(desk.print("prescription", again.pk).pdf)


def test_a_sick_note_names_no_diagnosis_and_no_record_number(desk: Desk) -> None:
    desk.see()
    records.note_condition(actor=desk.main, visit_id=desk.visit, text="Acute bronchitis", code="J20.9")
    said = text_of(desk.print("sick-note", desk.sick_note().pk).pdf)
    assert "Not fit for work" in said
    assert "5 days" in said
    for part in ("bronchitis", "J20", "MRN0000001"):
        assert part not in said


def test_a_referral_keeps_what_was_known_when_it_was_signed(desk: Desk) -> None:
    desk.see()
    records.note_allergy(actor=desk.checker, visit_id=desk.visit, substance="latex")
    records.note_condition(actor=desk.main, visit_id=desk.visit, text="Heart murmur", code="R01.1")
    row = desk.referral()
    first = desk.print("referral", row.pk)
    records.note_allergy(actor=desk.checker, visit_id=desk.visit, substance="iodine")
    said = text_of(first.pdf)
    for part in ("Cardiology, Hilltop Hospital", "Urgent", "New murmur?", "latex", "Heart murmur (R01.1)"):
        assert part in said, part
    assert verifying.check(desk.other, paper_of(first).code).status == "valid"


def test_a_withdrawn_letter_is_not_printed_and_its_sheets_say_so(desk: Desk) -> None:
    desk.see()
    row = desk.sick_note()
    printed = desk.print("sick-note", row.pk)
    letters.revoke_sick_note(actor=desk.main, note_id=row.pk, reason="Wrong dates")
    assert verifying.check(desk.other, paper_of(printed).code).status == "revoked"
    with pytest.raises(Conflict):
        desk.print("sick-note", row.pk)


HOSTILE = r'#read("/etc/passwd") *b* _i_ $x^2$ \ `c` <a> @b = H // c /* d */ [e] "quoted" -- ~ #panic() ${7*7} {{7*7}}'


def test_what_people_typed_comes_out_letter_by_letter(desk: Desk) -> None:
    desk.see()
    row = desk.referral(to=HOSTILE, question=HOSTILE, findings=HOSTILE)
    said = text_of(desk.print("referral", row.pk).pdf)
    squeezed = said.replace(" ", "")
    assert squeezed.count(HOSTILE.replace(" ", "")) == 3
    assert "root:" not in said


def test_the_compiler_reads_nothing_but_templates(tmp_path: object) -> None:
    """The control of the test above: if markup did get in, there would still be nothing to read."""
    import typst

    for wish in ('#read("/etc/passwd")', '#read("../models.py")', '#import "@preview/cetz:0.3.4": *'):
        with pytest.raises(typst.TypstError):
            typst.compile(
                f'#set document(title: "x")\n{wish}'.encode(), root=str(setting.TEMPLATES), format="pdf",
                package_path=str(setting.TEMPLATES), package_cache_path=str(setting.TEMPLATES),
            )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "shown", "told"),
    [
        ("Ärger Łódź Ñandú Şahin Đặng", "Ärger Łódź Ñandú Şahin Đặng", ""),
        ("Ελένη Привет", "Ελένη Привет", ""),
        ("王小 Wang", "□□ Wang", "U+5C0F, U+738B"),
        ("Eve\u202egnp", "Evegnp", ""),
        ("a\x00b", "ab", ""),
    ],
)
def test_no_sign_vanishes_unseen(text: str, shown: str, told: str) -> None:
    said = text_of(_sheet(text))
    assert shown in said
    assert (told in said) if told else ("stands for a sign" not in said)


@pytest.mark.parametrize("text", ["محمد العربي", "मीरा शर्मा", "Zoë\u200d", "e\u0301"])
def test_scripts_with_joined_letters_are_set(text: str) -> None:
    """How their letters come back out of a PDF differs by reader; that none was replaced is what counts here."""
    assert "□" not in text_of(_sheet(text))


def _sheet(text: str) -> bytes:
    mark = setting.Mark(printing.address_of("A" * 32), "A" * 32, "", "Printed now")
    return setting.typeset(Sheet("Letter", "", (), (Text((text,)),)), Letterhead("R", ()), mark, at=clock.now())


def test_the_square_leads_to_the_check(desk: Desk, settings: object) -> None:
    printed = desk.print("invoice", desk.invoice("CONS").pk, desk.desk)
    code = paper_of(printed).code
    address = printing.address_of(code)
    assert address == f"{settings.PUBLIC_URL}/verify/{code}"  # type: ignore[attr-defined]
    # The modules that are drawn are those of the standard's own encoder, and the drawing has its quiet zone.
    assert setting._qr(address) == [list(row) for row in segno.make(address, error="m", boost_error=False).matrix]
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{32}", code)
    assert code in text_of(printed.pdf).replace(" ", "")
    # Read off the drawing as a telephone does, A4 and roll.
    source, facility = sources.find(desk.desk, "invoice", paper_of(printed).subject_id), desk.house.facility
    mark = setting.Mark(address, code, "", "Printed now")
    for size in ("a4", "thermal"):
        head = printing.letterhead(facility)
        drawn = setting.pictures(source.draw(), head, mark, size=size, at=clock.now())[0]
        found = zxingcpp.read_barcodes(Image.open(io.BytesIO(drawn)).convert("L"))
        assert [one.text for one in found] == [address]


def test_no_two_codes_are_alike_and_none_is_short() -> None:
    codes = {printing.new_code() for _n in range(1000)}
    assert len(codes) == 1000
    assert {len(code) for code in codes} == {32}
    # All thirty-two signs: 5 bits each, 160 in all.
    assert len(set("".join(codes))) == 32


def test_too_many_at_once_are_told_to_come_back(desk: Desk) -> None:
    row = desk.invoice("CONS")
    taken = 0
    while setting._places.acquire(blocking=False):
        taken += 1
    try:
        with pytest.raises(setting.Busy):
            desk.print("invoice", row.pk, desk.desk)
    finally:
        for _n in range(taken):
            setting._places.release()
    assert taken == setting.AT_ONCE + setting.WAITING
    # What was not set is not counted.
    assert not Paper.objects.exists()
    assert desk.print("invoice", row.pk, desk.desk).copy == 1


def test_one_that_takes_too_long_is_not_waited_for(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    row, let_go = desk.invoice("CONS"), threading.Event()
    monkeypatch.setattr(setting, "_compile", lambda *_given: let_go.wait(30))
    monkeypatch.setattr(setting, "LONGEST", 0.01)
    with pytest.raises(setting.Busy):
        desk.print("invoice", row.pk, desk.desk)
    let_go.set()
    assert not Paper.objects.exists()


def test_a_right_to_see_is_not_enough_without_the_right_to_print(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    import dataclasses

    row = desk.invoice("CONS")
    key = dataclasses.replace(desk.desk, scopes=frozenset({"invoice.view"}))
    with pytest.raises(Forbidden):
        desk.print("invoice", row.pk, key)
