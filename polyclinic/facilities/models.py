"""Hospitals and clinics, their departments, rooms and services, and who works there."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock
from polyclinic.core.access.rules import CUSTOM, Role
from polyclinic.core.ids import new_id
from polyclinic.people.models import Account, Doctor

_ROLES = [*((role.value, role.value) for role in Role), (CUSTOM, CUSTOM)]


class Facility(models.Model):
    """A place that gives care, with its time zone and its booking rules (FHIR Location/Organization)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=120)
    address = models.CharField(_("address"), max_length=200, blank=True)
    city = models.CharField(_("city"), max_length=80, blank=True)
    phone = models.CharField(_("phone"), max_length=32, blank=True)
    emergency_phone = models.CharField(_("emergency phone"), max_length=32, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=40, default="UTC")
    slot_minutes = models.PositiveSmallIntegerField(_("slot length, minutes"), default=20)
    buffer_minutes = models.PositiveSmallIntegerField(_("buffer after each slot, minutes"), default=0)
    notice_hours = models.PositiveSmallIntegerField(_("notice to cancel or move, hours"), default=24)
    lead_minutes = models.PositiveSmallIntegerField(_("earliest booking before start, minutes"), default=0)
    horizon_days = models.PositiveSmallIntegerField(_("bookable ahead, days"), default=90)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name_plural = "facilities"
        constraints = [
            models.CheckConstraint(
                condition=Q(slot_minutes__gte=5) & Q(slot_minutes__lte=480), name="facility_slot_minutes"
            ),
            models.CheckConstraint(condition=Q(buffer_minutes__lte=120), name="facility_buffer_minutes"),
        ]

    def __str__(self) -> str:
        return self.name


class Department(models.Model):
    """A unit of a facility, such as Cardiology."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="departments")
    slug = models.SlugField(max_length=60)
    name = models.CharField(_("name"), max_length=80)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["facility", "slug"], name="department_slug")]

    def __str__(self) -> str:
        return self.name


class Room(models.Model):
    """A room that one appointment at a time can have."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="rooms")
    name = models.CharField(_("name"), max_length=40)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["facility", "name"], name="room_name")]

    def __str__(self) -> str:
        return self.name


class Equipment(models.Model):
    """A kind of device that a house has some of (FHIR Device). Each of them is taken by one appointment at a time."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="equipment", db_index=False)
    name = models.CharField(_("name"), max_length=60)
    # How many can be used; 0 while all are away.
    count = models.PositiveSmallIntegerField(_("how many"), default=1)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name_plural = "equipment"
        constraints = [models.UniqueConstraint(F("facility"), Lower("name"), name="equipment_name")]

    def __str__(self) -> str:
        return self.name


class Service(models.Model):
    """A reason to come: how long it takes and which specialty gives it (FHIR HealthcareService).

    The list is of all houses; on what terms a house gives a service is a setting of the house (`offers`).
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    # The only house that gives it, where a house added it for itself.
    facility = models.ForeignKey(Facility, models.PROTECT, null=True, blank=True, related_name="own_services")
    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=80)
    specialty = models.CharField(_("specialty"), max_length=40, db_index=True)
    minutes = models.PositiveSmallIntegerField(_("duration, minutes"), null=True, blank=True)
    about = models.CharField(_("about"), max_length=200, blank=True)

    def __str__(self) -> str:
        return self.name


class CustomRole(models.Model):
    """A role of a facility's own: a name and some of the rights that are held at facilities."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="custom_roles")
    name = models.CharField(_("name"), max_length=60)
    permissions = models.JSONField(default=list)
    version = models.PositiveIntegerField(default=1)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Lower("name"), F("facility"), condition=Q(ended_at__isnull=True), name="custom_role_name"
            )
        ]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A role that an account holds at a facility. Ended, not deleted: the past stays explainable."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    account = models.ForeignKey(Account, models.PROTECT, related_name="memberships")
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="memberships")
    role = models.CharField(_("role"), max_length=16, choices=_ROLES)
    # Set exactly when `role` is "custom".
    custom_role = models.ForeignKey(CustomRole, models.PROTECT, null=True, blank=True, related_name="memberships")
    department = models.ForeignKey(Department, models.PROTECT, null=True, blank=True)
    started_at = models.DateTimeField(default=clock.now)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "facility", "role"],
                condition=Q(ended_at__isnull=True, custom_role__isnull=True),
                name="membership_once",
            ),
            models.UniqueConstraint(
                fields=["account", "custom_role"],
                condition=Q(ended_at__isnull=True, custom_role__isnull=False),
                name="membership_custom_once",
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(ended_at__gte=F("started_at")), name="membership_order"
            ),
            models.CheckConstraint(
                condition=Q(role=CUSTOM, custom_role__isnull=False) | (~Q(role=CUSTOM) & Q(custom_role__isnull=True)),
                name="membership_custom",
            ),
        ]


class StaffInvitation(models.Model):
    """Somebody is asked to work at a facility. The link in the mail is made when it is sent and kept nowhere."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="invitations")
    email = models.EmailField(_("email address"), max_length=254)
    name = models.CharField(_("name"), max_length=160)
    role = models.CharField(_("role"), max_length=16, choices=_ROLES)
    custom_role = models.ForeignKey(CustomRole, models.PROTECT, null=True, blank=True)
    # How often it was sent; only the newest link works.
    sendings = models.PositiveSmallIntegerField(default=1)
    state = models.CharField(max_length=16)
    version = models.PositiveIntegerField(default=1)
    invited_by = models.ForeignKey(Account, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField()
    account = models.ForeignKey(Account, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("email"), F("facility"), condition=Q(state="sent"), name="invitation_once")
        ]
        indexes = [models.Index(fields=["facility", "created_at"], name="invitation_facility")]


class SettingVersion(models.Model):
    """One value of a setting of a facility (`declared`), who set it when, and from when on it holds. Never changed."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="settings")
    # Where a department has its own.
    department = models.ForeignKey(Department, models.PROTECT, null=True, blank=True)
    key = models.CharField(max_length=40)
    # Counts from 1 for each setting of a place.
    number = models.PositiveIntegerField()
    value = models.TextField(_("value"))
    effective_from = models.DateTimeField(_("effective from"))
    note = models.CharField(_("reason"), max_length=200, blank=True)
    # The version that this one is equal to again; 0 is what was before the first.
    undoes = models.PositiveIntegerField(null=True, blank=True)
    made_at = models.DateTimeField(default=clock.now)
    made_by = models.ForeignKey(Account, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["facility", "key", "number"], condition=Q(department__isnull=True), name="setting_number"
            ),
            models.UniqueConstraint(
                fields=["department", "key", "number"],
                condition=Q(department__isnull=False),
                name="setting_number_department",
            ),
        ]


__all__ = [
    "CustomRole", "Department", "Doctor", "Equipment", "Facility", "Membership", "Room", "Service", "SettingVersion",
    "StaffInvitation",
]  # fmt: skip
