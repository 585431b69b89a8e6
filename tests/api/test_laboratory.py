"""The laboratory over REST: a file goes in, is seen with its result and withdrawn; own ranges are set and ended."""

from __future__ import annotations

from typing import Any

import pytest

from polyclinic.core.models import AuditEntry
from polyclinic.files.models import ResultFile
from polyclinic.laboratory import entering
from polyclinic.laboratory.models import HouseRange, LabOrder
from tests.api.calling import Answer, Sent, bearer, call, upload
from tests.files.hostile import hostile_documents, pdf
from tests.house import House, missing
from tests.laboratory.bench import Bench

pytestmark = pytest.mark.django_db
Token = dict[str, str]
PRINTED = b"Sodium 140\nPotassium 4.1\n"


@pytest.fixture
def bench(house: House) -> Bench:
    return Bench(house)


@pytest.fixture
def order(bench: Bench) -> LabOrder:
    """Potassium is entered, and nobody has verified it."""
    made = bench.ready("k")
    bench.enter(made, k="4.1")
    return made


@pytest.fixture
def tech(house: House) -> Token:
    return bearer(house.staff["lab_technician"])


@pytest.fixture
def head(house: House) -> Token:
    return bearer(house.staff["main_doctor"])


def sent(bench: Bench, order: LabOrder, token: Token, body: Any) -> Answer:
    return call("POST", f"/api/lab/results/{bench.test(order, 'k').pk}/files", body=body, headers=token)


def listed(order: LabOrder, token: Token) -> list[dict[str, Any]]:
    answer = call("GET", f"/api/lab/orders/{order.pk}/files", headers=token)
    return list(answer.json["data"]) if answer.status == 200 else []


def test_a_file_is_seen_with_its_result_and_not_before(bench: Bench, order: LabOrder, tech: Token) -> None:
    house, test = bench.house, bench.test(order, "k")
    patient, checker = bearer(house.patient), bearer(house.staff["checker_doctor"])
    made = sent(bench, order, tech, upload(PRINTED, "text/plain", name="Smith HIV.txt"))
    assert (made.status, made.headers["etag"]) == (201, '"1"')
    row = made.json
    assert (row["testId"], row["mediaType"], row["size"], row["state"]) == (
        str(test.pk), "text/plain", len(PRINTED), "clean",
    )  # fmt: skip
    address = f"/api/lab/files/{row['id']}"
    assert [one["id"] for one in listed(order, tech)] == [row["id"]]
    assert listed(order, checker) == []
    assert call("GET", address, headers=checker).status == 404
    bench.verify(order, "k")
    assert [one["id"] for one in listed(order, checker)] == [row["id"]]
    assert (listed(order, patient), call("GET", address, headers=patient).status) == ([], 404)
    entering.release(actor=bench.tech, test_id=test.pk)
    assert [one["id"] for one in listed(order, patient)] == [row["id"]]
    given = call("GET", address, headers=patient)
    assert (given.status, given.body, given.headers["content-type"]) == (200, PRINTED, "text/plain")
    assert given.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in given.headers["content-security-policy"]
    assert "Smith" not in str(given.headers) + made.body.decode()
    assert AuditEntry.objects.filter(action="result_file.keep", subject_id=row["id"]).count() == 1


def test_sent_again_it_is_the_same_one(bench: Bench, order: LabOrder, tech: Token) -> None:
    first, again = (sent(bench, order, tech, upload(PRINTED)) for _time in range(2))
    assert (first.status, again.status, first.json) == (201, 201, again.json)
    assert ResultFile.objects.count() == 1


def test_what_is_no_file_is_refused_by_name(bench: Bench, order: LabOrder, tech: Token) -> None:
    for body in (None, {"file": "x"}, upload(PRINTED, field="picture"), Sent(b"x", "multipart/form-data; boundary=y")):
        answer = sent(bench, order, tech, body)
        assert (answer.status, answer.json.get("field")) in ((422, "file"), (400, None)), body
        assert answer.code
    for name, data in hostile_documents():
        answer = sent(bench, order, tech, upload(data))
        assert (answer.status, answer.json.get("field")) in ((422, "file"), (201, None)), name
        if answer.status == 201:
            address = f"/api/lab/files/{answer.json['id']}"
            assert call("POST", f"{address}/withdraw", body={"reason": "Trial"}, headers=tech).status == 200
    script = sent(bench, order, tech, upload(pdf(script="app.alert(1)"), "application/pdf"))
    assert (script.status, script.code) == (422, "active_content")


def test_too_large_is_said_with_the_limit(bench: Bench, order: LabOrder, tech: Token, settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES = 1 << 20
    answer = sent(bench, order, tech, upload(b"x" * ((1 << 20) + 1)))
    assert (answer.status, answer.code, answer.json["field"]) == (422, "too_large", "file")


def test_withdrawn_it_is_the_laboratorys_alone(bench: Bench, order: LabOrder, tech: Token) -> None:
    bench.verify(order, "k")
    checker = bearer(bench.house.staff["checker_doctor"])
    file = sent(bench, order, tech, upload(PRINTED)).json["id"]
    address = f"/api/lab/files/{file}"

    def withdraw(token: Token, **more: Any) -> Answer:
        return call("POST", f"{address}/withdraw", body=more, headers=token)

    assert withdraw(checker, reason="Mine").status == 403
    assert withdraw(tech).json["field"] == "reason"
    assert withdraw(tech, reason=" ").json["field"] == "reason"
    assert withdraw({**tech, "If-Match": '"7"'}, reason="Another patient's").status == 412
    done = withdraw({**tech, "If-Match": '"1"'}, reason="Another patient's")
    assert (done.status, done.json["state"], done.headers["etag"]) == (200, "withdrawn", '"2"')
    assert (withdraw(tech, reason="Again").status, call("GET", address, headers=checker).status) == (409, 404)
    assert call("GET", address, headers=tech).status == 200
    assert listed(order, checker) == []


def test_a_stranger_cannot_tell_foreign_from_missing(bench: Bench, order: LabOrder, tech: Token) -> None:
    file = sent(bench, order, tech, upload(PRINTED)).json["id"]
    for who in (bench.house.stranger_doctor, bench.house.other_doctor, bench.house.other_patient):
        token = bearer(who)
        for there, absent in (
            (f"/api/lab/files/{file}", f"/api/lab/files/{missing()}"),
            (f"/api/lab/orders/{order.pk}/files", f"/api/lab/orders/{missing()}/files"),
        ):
            foreign, none = call("GET", there, headers=token), call("GET", absent, headers=token)
            assert (foreign.status, foreign.body) == (404, none.body)


def test_a_range_of_the_house_is_set_listed_and_ended(bench: Bench, head: Token, tech: Token) -> None:
    address = "/api/lab/tests/k/ranges"
    wish = {"hospitalId": bench.house.facility.pk, "low": "3.6", "high": "5.4", "source": "Leaflet of the method"}
    assert call("POST", address, body=wish, headers=tech).status == 403
    keyed = {**head, "Idempotency-Key": "one-click"}
    made, again = (call("POST", address, body=wish, headers=keyed) for _time in range(2))
    assert (made.status, again.status, made.json) == (201, 201, again.json)
    assert (made.json["low"], made.json["high"], made.json["toYears"]) == ("3.6", "5.4", 150)
    rows = call("GET", address, headers=tech).json["data"]
    assert [row["id"] for row in rows] == [made.json["id"]]
    order = bench.ready("k")
    bench.enter(order, k="5.2")
    assert bench.report(order, "k").flag == ""
    end = f"/api/lab/ranges/{made.json['id']}/end"
    assert call("POST", end, headers=tech).status == 403
    assert (call("POST", end, headers=head).status, call("POST", end, headers=head).status) == (204, 404)
    bench.enter(order, k="5.3")
    assert bench.report(order, "k").flag == "H"
    assert call("GET", address, headers=tech).json["pagination"]["total"] == 0
    assert HouseRange.objects.count() == 1


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("high", {"high": "5,4"}), ("high", {"high": "3.0"}), ("low", {"low": "", "high": ""}),
        ("source", {"source": " x"}), ("sex", {"sex": "x"}), ("toYears", {"fromYears": 60, "toYears": 18}),
        ("fromYears", {"fromYears": 151}), ("pregnancy", {"pregnancy": "no"}), ("unit", {"unit": "mmol/L"}),
        ("sex", {"sex": "female", "pregnancy": "first"}),
    ],
)  # fmt: skip
def test_a_range_that_cannot_be_is_refused_by_its_field(
    bench: Bench, head: Token, field: str, wrong: dict[str, Any]
) -> None:
    wish = {"hospitalId": bench.house.facility.pk, "low": "3.6", "high": "5.4", "source": "Leaflet", **wrong}
    answer = call("POST", "/api/lab/tests/k/ranges", body=wish, headers=head)
    assert (answer.status, answer.json["field"]) == (422, field)
    assert not HouseRange.objects.exists()


def test_a_range_that_overlaps_names_the_age(bench: Bench, head: Token) -> None:
    wish = {"hospitalId": bench.house.facility.pk, "low": "3.6", "source": "Leaflet", "fromYears": 18}
    assert call("POST", "/api/lab/tests/k/ranges", body=wish, headers=head).status == 201
    answer = call("POST", "/api/lab/tests/k/ranges", body={**wish, "fromYears": 20}, headers=head)
    assert (answer.status, answer.code, answer.json["field"]) == (422, "overlaps", "fromYears")
    elsewhere = {**wish, "hospitalId": bench.house.elsewhere.pk}
    assert call("POST", "/api/lab/tests/k/ranges", body=elsewhere, headers=head).status == 403
    assert call("POST", "/api/lab/tests/nothing/ranges", body=wish, headers=head).status == 404
    assert call("GET", "/api/lab/tests/nothing/ranges", headers=head).status == 404
