"""The doctor's pages: the queue, everything about one visit, preparing, the warnings, and the signature."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from polyclinic.core.models import AuditEntry, OutboxEvent
from polyclinic.facilities import identity
from polyclinic.laboratory import actions
from polyclinic.people.sessions import SessionStore
from polyclinic.prescribing import drafts, reviews
from polyclinic.prescribing.models import Favourite, Prescription, PrescriptionDraft
from polyclinic.records import selectors as records
from polyclinic.scheduling.models import Appointment
from polyclinic.visits.models import Visit
from polyclinic.web import stepup
from tests.house import House
from tests.laboratory.bench import Bench
from tests.prescribing.ward import Ward


@pytest.fixture
def ward(house: House) -> Ward:
    return Ward(house)


@pytest.fixture
def browser_of(browser_of: Any) -> Any:
    """A signed-in browser whose person has just shown who they are, unless `fresh` is false."""

    def make(who: Any, *, fresh: bool = True) -> Client:
        client: Client = browser_of(who)
        if fresh:
            store = SessionStore(client.session.session_key)
            stepup.note(store, 1)
            store.save()
            identity.forget()
        return client

    return make


def send(client: Client, path: str, data: dict[str, Any]) -> Any:
    """Post a form of ours. What proves that it is ours is on every page."""
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', client.get("/account").content.decode())
    assert token
    return client.post(path, {"csrfmiddlewaretoken": token.group(1), **data})


def at(ward: Ward, rest: str = "") -> str:
    return f"/consulting/{ward.visit}{rest}"


def hidden(text: str, form: str) -> dict[str, Any]:
    """The hidden fields of the form with this action."""
    found = re.search(rf'<form[^>]*action="{re.escape(form)}".*?</form>', text, re.S)
    assert found, form
    values: dict[str, Any] = {}
    for field in re.findall(r'<input type="hidden"[^>]*>', found.group()):
        name, value = (re.search(rf'{part}="([^"]*)"', field) for part in ("name", "value"))
        assert name
        assert value
        if name.group(1) != "csrfmiddlewaretoken":
            values.setdefault(name.group(1), []).append(value.group(1))
    return values


def test_a_main_doctor_lands_on_the_queue_and_calls_the_next(ward: Ward, browser_of: Any) -> None:
    client = browser_of(ward.house.staff["main_doctor"])
    assert client.get("/home").headers["Location"] == "/consulting"
    text = client.get("/consulting").content.decode()
    assert f'id="first-{ward.visit}"' in text
    assert "PILLAI, Meera" in text
    place = ward.house.facility.pk
    assert client.get(f"/consulting/row/{ward.visit}?list=first&place={place}").status_code == 200
    assert client.get(f"/consulting/row/{ward.visit}?list=later&place={place}").status_code == 204
    answer = send(client, "/consulting/next", {"place": place})
    assert answer.headers["Location"] == at(ward)
    assert OutboxEvent.objects.filter(type="queue.called").count() == 1
    send(client, "/consulting/next", {"place": place})
    assert OutboxEvent.objects.filter(type="queue.called").count() == 1


def test_a_doctor_sees_their_own_patients_and_no_others(ward: Ward, browser_of: Any) -> None:
    client = browser_of(ward.house.doctor)
    assert f'id="first-{ward.visit}"' in client.get("/consulting").content.decode()
    assert client.get(f"/consulting/row/{ward.visit}?list=first").status_code == 200
    assert client.get(at(ward)).status_code == 200
    for other in (ward.house.other_doctor, ward.house.stranger_doctor):
        stranger = browser_of(other)
        assert str(ward.visit) not in stranger.get("/consulting").content.decode()
        assert stranger.get(at(ward)).status_code == 404
    assert browser_of(ward.house.staff["nurse"]).get(at(ward)).status_code == 403


def test_everything_about_the_visit_is_on_one_page(house: House, browser_of: Any) -> None:
    bench = Bench(house)
    order = bench.ready("hb")
    bench.enter(order, hb="6.2")
    # Who may verify sees it before; there is nothing to have seen yet.
    assert (
        "I have seen" not in browser_of(house.staff["main_doctor"]).get(f"/consulting/{bench.visit}").content.decode()
    )
    bench.verify(order, "hb")
    client = browser_of(house.staff["main_doctor"])
    page = client.get(f"/consulting/{bench.visit}").content.decode()
    for part in ("PILLAI, Meera", "6.2", "Not asked", "I have seen this result", "/papers/referral/new?visit="):
        assert part in page
    values = hidden(page, f"/consulting/{bench.visit}/results/seen")
    send(client, f"/consulting/{bench.visit}/results/seen", {"result": values["result"]})
    after = client.get(f"/consulting/{bench.visit}/results").content.decode()
    assert "Seen by Some main_doctor" in after
    assert "I have seen" not in after
    # A number that nobody has shown, or a test of another visit, is not there to be seen.
    test = values["result"][0].partition(":")[0]
    assert send(client, f"/consulting/{bench.visit}/results/seen", {"result": f"{test}:9"}).status_code == 404


def test_a_diagnosis_is_found_by_words_and_by_code_without_a_trace_in_the_address(ward: Ward, browser_of: Any) -> None:
    client = browser_of(ward.house.staff["main_doctor"])
    found = send(client, at(ward, "/diagnosis/search"), {"q": "pneumonia unspec"})
    assert found.status_code == 200
    assert "J18.9" in found.content.decode()
    assert client.get(at(ward, "/diagnosis/search") + "?q=flu").status_code == 405
    send(client, at(ward, "/diagnosis/add"), {"code": "J18.9", "draft": "0"})
    assert drafts.prepared(ward.main, ward.visit).diagnoses[0].code == "J18.9"
    again = send(client, at(ward, "/diagnosis/add"), {"code": "J18", "draft": "1"})
    assert again.status_code == 422
    assert "too general" in again.content.decode()
    send(client, at(ward, "/diagnosis/remove"), {"place": "0", "draft": "1"})
    assert drafts.prepared(ward.main, ward.visit).diagnoses == ()


def test_a_line_is_previewed_as_it_will_read(ward: Ward, browser_of: Any) -> None:
    ward.no_allergies()
    client = browser_of(ward.house.staff["main_doctor"])
    assert "amoxicillin" in send(client, at(ward, "/medicine/search"), {"q": "amox 500 caps"}).content.decode()
    line = {
        "medicine": ward.medicine("amoxicillin-500-mg-capsule"), "dose": "1", "frequency": "three", "days": "7",
        "draft": "0",
    }  # fmt: skip
    text = send(client, at(ward, "/medicine/preview"), line).content.decode()
    assert "<b>amoxicillin</b>" in text
    assert "by mouth three times a day for 7 days" in text
    assert "1 capsule × 3 × 7 days = 21 capsules" in text
    assert "Put on the list" in send(client, at(ward, "/medicine/choose"), line).content.decode()
    wrong = send(client, at(ward, "/medicine/add"), {**line, "dose_other": "much"})
    assert wrong.status_code == 422
    assert 'href="#dose"' in wrong.content.decode()
    assert not PrescriptionDraft.objects.exists()
    assert send(client, at(ward, "/medicine/add"), line).status_code == 303
    # The same page again, sent from a window that has not seen the first.
    assert send(client, at(ward, "/medicine/add"), line).status_code == 412
    assert len(drafts.prepared(ward.main, ward.visit).lines) == 1


def test_a_severe_warning_takes_a_reason_that_is_kept(ward: Ward, browser_of: Any) -> None:
    ward.allergic("Penicillin")
    client = browser_of(ward.house.staff["main_doctor"])
    drafts.add_line(actor=ward.main, visit_id=ward.visit, line=ward.line(), version=0)
    send(client, at(ward, "/diagnosis/add"), {"code": "J18.9", "draft": "1"})
    page = client.get(at(ward)).content.decode()
    assert "Contraindicated" in page
    form = hidden(page, at(ward, "/sign"))
    refused = send(client, at(ward, "/sign"), form)
    assert refused.status_code == 409
    assert "needs a reason" in refused.content.decode()
    assert not Prescription.objects.exists()
    reason = {f"reason-{key}": "Tolerated it last year" for key in form["seen"]}
    assert send(client, at(ward, "/sign"), {**form, **reason}).status_code == 303
    # A second press of the same button has done it already.
    assert send(client, at(ward, "/sign"), {**form, **reason}).status_code == 303
    assert Prescription.objects.count() == 1
    assert "Tolerated it last year" in client.get(at(ward)).content.decode()
    assert [one.code for one in records.conditions(ward.main, ward.visit)] == ["J18.9"]
    assert ward.state() == "diagnosed"


def test_a_warning_that_came_up_after_the_page_stops_the_signature(ward: Ward, browser_of: Any) -> None:
    ward.no_allergies()
    client = browser_of(ward.house.staff["main_doctor"])
    drafts.add_line(actor=ward.main, visit_id=ward.visit, line=ward.line(), version=0)
    send(client, at(ward, "/diagnosis/add"), {"text": "Sore throat", "draft": "1"})
    form = hidden(client.get(at(ward)).content.decode(), at(ward, "/sign"))
    ward.allergic("Amoxicillin")
    refused = send(client, at(ward, "/sign"), form)
    assert refused.status_code == 409
    assert "was not there before" in refused.content.decode()
    assert not Prescription.objects.exists()


def test_without_a_medicine_the_visit_is_over_and_a_diagnosis_is_needed(ward: Ward, browser_of: Any) -> None:
    client = browser_of(ward.house.staff["main_doctor"])
    form = hidden(client.get(at(ward)).content.decode(), at(ward, "/sign"))
    refused = send(client, at(ward, "/sign"), form)
    assert refused.status_code == 422
    assert "Write down a diagnosis first" in refused.content.decode()
    send(client, at(ward, "/diagnosis/add"), {"text": "Common cold", "draft": "0"})
    form = hidden(client.get(at(ward)).content.decode(), at(ward, "/sign"))
    assert send(client, at(ward, "/sign"), form).status_code == 303
    assert ward.state() == "done"


def test_the_second_window_is_told_and_overwrites_nothing(ward: Ward, browser_of: Any) -> None:
    client, other = browser_of(ward.house.staff["main_doctor"]), browser_of(ward.house.doctor)
    for who in (client, other):
        send(who, at(ward, "/diagnosis/add"), {"text": "Common cold", "draft": "0"})
    assert "is preparing something for this visit too" in client.get(at(ward)).content.decode()
    forms = [hidden(who.get(at(ward)).content.decode(), at(ward, "/sign")) for who in (client, other)]
    assert send(client, at(ward, "/sign"), forms[0]).status_code == 303
    assert send(other, at(ward, "/sign"), forms[1]).status_code in (409, 412)
    assert len(records.conditions(ward.main, ward.visit)) == 1
    version = Visit.objects.values_list("version", flat=True).get(pk=ward.visit)
    assert "has moved on" in other.get(at(ward, "/state?version=1")).content.decode()
    assert "has moved on" not in other.get(at(ward, f"/state?version={version}")).content.decode()


def test_a_signature_asks_who_it_is_again(ward: Ward, browser_of: Any) -> None:
    client = browser_of(ward.house.staff["main_doctor"], fresh=False)
    drafts.add_line(actor=ward.main, visit_id=ward.visit, line=ward.line(), version=0)
    form = hidden(client.get(at(ward)).content.decode(), at(ward, "/sign"))
    answer = send(client, at(ward, "/sign"), form)
    assert answer.headers["Location"].startswith("/step-up")
    assert not Prescription.objects.exists()


def test_a_prescription_is_cancelled_with_a_reason(ward: Ward, browser_of: Any) -> None:
    made = ward.sign()
    client = browser_of(ward.house.staff["main_doctor"])
    path = at(ward, f"/prescriptions/{made.pk}/cancel")
    assert send(client, path, {"version": "1", "reason": " "}).status_code == 422
    assert send(client, path, {"version": "1", "reason": "Wrong dose"}).status_code == 303
    made.refresh_from_db()
    assert made.state == "cancelled"
    assert send(client, path, {"version": "1", "reason": "Again"}).status_code in (409, 412)
    other = Ward.arrive(ward, ward.house.other_patient)
    assert send(client, f"/consulting/{other}/prescriptions/{made.pk}/cancel", {"reason": "x"}).status_code == 404


def test_a_star_keeps_a_medicine_at_hand(ward: Ward, browser_of: Any) -> None:
    client = browser_of(ward.house.staff["main_doctor"])
    given = {"medicine": ward.medicine("omeprazole-20-mg-capsule"), "starred": "yes"}
    for _turn in range(2):
        send(client, at(ward, "/medicine/star"), given)
    assert Favourite.objects.count() == 1
    assert "omeprazole 20 mg" in client.get(at(ward)).content.decode()
    send(client, at(ward, "/medicine/star"), {**given, "starred": "no"})
    assert not Favourite.objects.exists()


def test_notes_are_saved_and_drafted_here_too(ward: Ward, browser_of: Any) -> None:
    client = browser_of(ward.house.staff["main_doctor"])
    kept = send(client, at(ward, "/notes/plan/draft"), {"plan": "Rest", "version": "0", "draft": "0"})
    assert kept.json() == {"version": 1, "stale": False}
    assert "Rest" in client.get(at(ward, "/notes/plan/beside")).content.decode()
    assert send(client, at(ward, "/notes/plan"), {"plan": "Rest and tea", "version": "0"}).status_code == 303
    stale = send(client, at(ward, "/notes/plan"), {"plan": "Other", "version": "0"})
    assert stale.status_code == 412
    assert "Rest and tea" in stale.content.decode()
    send(client, at(ward, "/notes/exam/draft"), {"heart": "Clear", "version": "0", "draft": "0"})
    assert send(client, at(ward, "/notes/exam/draft/discard"), {}).status_code == 303


def test_nonsense_is_answered_in_words_and_never_breaks(ward: Ward, browser_of: Any) -> None:
    client = browser_of(ward.house.staff["main_doctor"])
    medicine = ward.medicine("amoxicillin-500-mg-capsule")
    for line in (
        {"medicine": "x"}, {"medicine": medicine, "dose": "NaN"}, {"medicine": medicine, "dose": "1e5"},
        {"medicine": medicine, "dose": "1", "frequency": "hourly"}, {"medicine": medicine, "days_other": "-1"},
        {"medicine": medicine, "dose": "1", "frequency": "three", "days": "7", "draft": "x"},
        {"medicine": medicine, "dose": "1", "frequency": "three", "days": "7", "draft": "0", "route": "magic"},
        {"medicine": medicine, "dose": "1", "frequency": "three", "days": "99999", "draft": "0"},
    ):  # fmt: skip
        for path in ("/medicine/add", "/medicine/preview", "/medicine/choose"):
            assert send(client, at(ward, path), line).status_code in (200, 404, 422), (path, line)
    for path, data in (
        ("/diagnosis/remove", {"place": "x"}), ("/medicine/remove", {"place": "99", "draft": "7"}),
        ("/sign", {"draft": "zz"}), ("/sign", {"draft": "5", "version": "5"}), ("/queue/dance", {}),
        ("/results/seen", {"result": "x"}), ("/diagnosis/add", {"text": "x" * 500, "draft": "0"}),
    ):  # fmt: skip
        assert 400 <= send(client, at(ward, path), data).status_code < 500, path
    assert not Prescription.objects.exists()


def test_the_page_asks_the_database_a_bounded_number_of_times(
    ward: Ward, browser_of: Any, django_assert_max_num_queries: Any
) -> None:
    client = browser_of(ward.house.staff["main_doctor"])
    for code in ("amoxicillin-500-mg-capsule", "omeprazole-20-mg-capsule", "amlodipine-5-mg-tablet"):
        version = drafts.prepared(ward.main, ward.visit).version
        drafts.add_line(actor=ward.main, visit_id=ward.visit, line=ward.line(code), version=version)
    client.get(at(ward))
    with django_assert_max_num_queries(75):
        client.get(at(ward))


def test_results_that_nobody_opened_are_asked_about_before_the_signature(house: House, browser_of: Any) -> None:
    bench = Bench(house)
    visit = bench.visit
    order = bench.ready("hb")
    bench.enter(order, hb="6.2")
    bench.verify(order, "hb")
    client, base = browser_of(house.staff["main_doctor"]), f"/consulting/{bench.visit}"
    send(client, f"{base}/diagnosis/add", {"text": "Anaemia", "draft": "0"})
    page = client.get(base).content.decode()
    assert "Results not yet seen" in page
    assert "Haemoglobin" in page.partition("Results not yet seen")[2]
    form = hidden(page, f"{base}/sign")
    refused = send(client, f"{base}/sign", form)
    assert refused.status_code == 409
    assert 'href="#results_seen"' in refused.content.decode()
    assert not AuditEntry.objects.filter(action="result.seen").exists()
    assert Visit.objects.get(pk=visit).state == "lab_done"
    # Somebody else's look is not the signer's.
    reviews.mark(actor=house.person(house.doctor), visit_id=visit, numbers={bench.test(order, "hb").pk: 1})
    assert "Results not yet seen" in client.get(base).content.decode()
    form = hidden(client.get(base).content.decode(), f"{base}/sign")
    # A result that was corrected while the page was open is not the one that was looked at.
    stale = {**form, "result": [one.replace(":1", ":9") for one in form["result"]], "results_seen": "yes"}
    assert send(client, f"{base}/sign", stale).status_code == 409
    form = hidden(client.get(base).content.decode(), f"{base}/sign")
    assert send(client, f"{base}/sign", {**form, "results_seen": "yes"}).status_code == 303
    assert AuditEntry.objects.filter(action="result.seen", actor=bench.main.label).count() == 1
    assert Visit.objects.get(pk=visit).state == "done"


def test_a_critical_result_one_was_called_for_stands_on_every_page(house: House, browser_of: Any) -> None:
    bench = Bench(house)
    order = actions.order(actor=bench.main, visit_id=bench.visit, codes=["k"])
    bench.bring(order)
    client = browser_of(house.staff["main_doctor"])
    pages = ("/consulting", f"/consulting/{bench.visit}", f"/consulting/{bench.visit}/follow-up")
    words = 'href="/lab/critical">See it</a>'
    assert all(words not in client.get(path).content.decode() for path in pages)
    bench.enter(order, k="7.1")
    bench.verify(order, "k")
    assert all(words in client.get(path).content.decode() for path in pages)


def test_the_follow_up_is_booked_for_the_day_of_return(ward: Ward, browser_of: Any) -> None:
    house, client = ward.house, browser_of(ward.house.staff["main_doctor"])
    path = at(ward, "/follow-up")
    assert f'href="{path}"' in client.get(at(ward)).content.decode()
    day = house.workday(20)
    page = client.get(f"{path}?day={day}").content.decode()
    assert f'name="day" value="{day}"' in page
    slot = re.search(r'name="slot" value="([^"]+)"', page)
    assert slot
    refused = send(client, f"{path}?day={day}", {})
    assert refused.status_code == 422
    answer = send(client, f"{path}?day={day}", {"slot": slot.group(1)})
    assert answer.headers["Location"] == at(ward)
    assert "The follow-up is booked" in client.get(at(ward)).content.decode()
    made = Appointment.objects.get()
    assert (made.patient_id, made.doctor_id, made.facility_id) == (
        house.patient.pk, house.doctor.pk, house.facility.pk,
    )  # fmt: skip
    assert made.starts == house.local(day, 9)
    # The time is gone for the next; odd days are told.
    assert slot.group(1) not in client.get(f"{path}?day={day}").content.decode()
    assert send(client, f"{path}?day={day}", {"slot": slot.group(1)}).status_code in (409, 422)
    assert client.get(f"{path}?day=yesterday").status_code == 422
    assert client.get(f"{path}?day=2020-01-01").status_code == 200
