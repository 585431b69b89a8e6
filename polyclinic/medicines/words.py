"""How forms, routes and units of medicines read."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Form(models.TextChoices):
    """Dose forms, as far as an outpatient pharmacy needs to tell them apart."""

    TABLET = "tablet", _("tablet")
    CAPSULE = "capsule", _("capsule")
    SYRUP = "syrup", _("oral liquid")
    INJECTION = "injection", _("injection")
    INHALER = "inhaler", _("inhaler")
    CREAM = "cream", _("cream")
    OINTMENT = "ointment", _("ointment")
    EYE_DROPS = "eye_drops", _("eye drops")
    EAR_DROPS = "ear_drops", _("ear drops")
    NASAL_SPRAY = "nasal_spray", _("nasal spray")
    SUPPOSITORY = "suppository", _("suppository")
    PESSARY = "pessary", _("pessary")
    PATCH = "patch", _("patch")
    POWDER = "powder", _("powder in sachets")
    NEBULISER = "nebuliser", _("nebuliser solution")


class Route(models.TextChoices):
    """Ways into the body (after FHIR's route codes), as they read in a sentence."""

    ORAL = "oral", _("by mouth")
    SUBLINGUAL = "sublingual", _("under the tongue")
    INHALED = "inhaled", _("inhaled")
    NASAL = "nasal", _("into the nose")
    EYE = "eye", _("into the eye")
    EAR = "ear", _("into the ear")
    SKIN = "skin", _("on the skin")
    RECTAL = "rectal", _("into the rectum")
    VAGINAL = "vaginal", _("into the vagina")
    SUBCUTANEOUS = "subcutaneous", _("under the skin")
    INTRAMUSCULAR = "intramuscular", _("into a muscle")
    INTRAVENOUS = "intravenous", _("into a vein")
