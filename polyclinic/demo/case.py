"""What every station of the demo knows of the one patient in front of it."""

from __future__ import annotations

import random
from collections import Counter

from polyclinic.demo.cast import Cast, Post
from polyclinic.demo.fates import Comer
from polyclinic.visits.models import Visit


class Case:
    """One patient's fate, visit and doctor. `tally` counts what came of it; `rng` invents findings, guards nothing."""

    visit: Visit

    def __init__(self, cast: Cast, comer: Comer, tally: Counter[str]) -> None:
        self.cast, self.comer, self.fate, self.tally = cast, comer, comer.fate, tally
        self.post: Post = cast.post_of(comer.doctor_id)
        self.rng = random.Random(comer.fate.seed)  # noqa: S311
