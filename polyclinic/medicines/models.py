"""The formulary: what can be prescribed and dispensed. Shared by all facilities; holds nothing about a patient."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from polyclinic.core.ids import new_id
from polyclinic.medicines.words import Form, Route


class Medicine(models.Model):
    """One product: a substance in one strength and form (FHIR Medication).

    `dose_unit` is what is taken (capsule, mL, puff), `unit` what is counted on the shelf and dispensed (capsule, mL,
    inhaler). `doses_per_unit` says how many of the one are in one of the other; empty where nobody can count it, as in
    a tube of cream. `strength_value` is the amount of substance in one `dose_unit`, in `strength_unit`.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    code = models.CharField(_("code"), max_length=60, unique=True)
    generic = models.CharField(_("generic name"), max_length=120)
    brand = models.CharField(_("brand"), max_length=80, blank=True)
    form = models.CharField(_("form"), max_length=16, choices=Form.choices)
    strength = models.CharField(_("strength"), max_length=40)
    strength_value = models.DecimalField(max_digits=12, decimal_places=4, null=True, blank=True)
    strength_unit = models.CharField(max_length=16, blank=True)
    unit = models.CharField(_("dispensing unit"), max_length=16)
    dose_unit = models.CharField(_("dose unit"), max_length=16)
    doses_per_unit = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True)
    route = models.CharField(_("usual route"), max_length=16, choices=Route.choices)
    atc = models.CharField(_("ATC code"), max_length=7, blank=True)
    controlled = models.BooleanField(_("controlled"), default=False)
    active = models.BooleanField(_("in use"), default=True)
    price_code = models.CharField(_("price code"), max_length=40)

    class Meta:
        ordering = ["generic", "strength_value", "code"]
        indexes = [models.Index(fields=["atc"], name="medicine_atc")]
        constraints = [
            models.CheckConstraint(
                condition=Q(strength_value__isnull=True) | Q(strength_value__gt=0), name="medicine_strength"
            ),
            models.CheckConstraint(
                condition=Q(doses_per_unit__isnull=True) | Q(doses_per_unit__gt=0), name="medicine_doses"
            ),
        ]

    def __str__(self) -> str:
        """ "amoxicillin 500 mg capsule"."""
        return " ".join(part for part in (self.generic, self.strength, str(self.get_form_display())) if part)
