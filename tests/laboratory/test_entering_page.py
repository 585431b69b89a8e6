"""Entering results on the page: comments beside values, and nothing typed is lost or dropped in silence."""

from __future__ import annotations

from typing import Any

from tests.laboratory.bench import Bench
from tests.portals.conftest import browser_of, send

__all__ = ["browser_of"]


def test_a_comment_is_entered_beside_its_value(bench: Bench, browser_of: Any) -> None:
    order = bench.ready("k")
    test = bench.test(order, "k")
    client = browser_of(bench.house.staff["lab_technician"])
    page, address = client.get(f"/lab/orders/{order.pk}"), f"/lab/orders/{order.pk}/results"
    alone = send(client, page, address, **{f"comment-{test.pk}": "Haemolysed"})
    assert alone.status_code == 422
    text = alone.content.decode()
    assert "Write the result that this comment is about." in text
    assert ">Haemolysed</textarea>" in text
    too_long = send(client, page, address, **{f"value-{test.pk}": "4.1", f"comment-{test.pk}": "x" * 301})
    assert too_long.status_code == 422
    assert f'id="remark-{test.pk}"' in too_long.content.decode()
    both = {f"value-{test.pk}": "4.1", f"comment-{test.pk}": "Slightly haemolysed"}
    assert send(client, page, address, **both).status_code == 303
    assert bench.report(order, "k").comment == "Slightly haemolysed"
    # Sent again as it stands it is no new entry; the comment alone changed is one, and stale pages change nothing.
    again = client.get(f"/lab/orders/{order.pk}")
    assert send(client, again, address, **both).status_code == 422
    assert send(client, page, address, **{**both, f"value-{test.pk}": "4.3"}).status_code == 412
    changed = {**both, f"comment-{test.pk}": "Not haemolysed after all"}
    assert send(client, again, address, **changed).status_code == 303
    assert (bench.test(order, "k").number, bench.report(order, "k").value) == (2, "4.1")
