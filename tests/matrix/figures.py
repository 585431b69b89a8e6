"""What the matrix needs of the figures: whose day is asked for."""

from __future__ import annotations

from tests.house import House


def queries(house: House) -> dict[str, str]:
    """Which doctor's."""
    return {"/analytics/day": f"?doctor={house.doctor.pk}"}
