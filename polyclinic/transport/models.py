"""Ambulances, who is in them, and the trips they make."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock
from polyclinic.core.crypto.fields import EncryptedTextField
from polyclinic.core.ids import new_id
from polyclinic.facilities.models import Facility
from polyclinic.people.models import Account, Patient
from polyclinic.transport.words import Kind, Seat, Source


class Station(models.Model):
    """Where a facility's ambulances stand and bring people to: a facility without one has no ambulances.

    Degrees of WGS 84. What is public of a facility says its address; this says where on the map that is.
    """

    facility = models.OneToOneField(Facility, models.PROTECT, primary_key=True, related_name="station")
    latitude = models.FloatField(_("latitude"))
    longitude = models.FloatField(_("longitude"))
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(latitude__gte=-90) & Q(latitude__lte=90), name="station_latitude"),
            models.CheckConstraint(condition=Q(longitude__gte=-180) & Q(longitude__lte=180), name="station_longitude"),
        ]


class Ambulance(models.Model):
    """One vehicle. Its states say whether it may be sent at all (`transport.states`); whether it is free follows from
    that, from its crew and from its trip (`transport.fleet`).

    The position is the last one its crew's phone sent; `moves` counts them, and is the number of their events.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="ambulances", db_index=False)
    call_sign = models.CharField(_("call sign"), max_length=20)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    state = models.CharField(max_length=16)
    version = models.PositiveIntegerField(default=1)
    latitude = models.FloatField(null=True, blank=True)
    longitude = models.FloatField(null=True, blank=True)
    position_at = models.DateTimeField(null=True, blank=True)
    moves = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["facility", "call_sign"], name="ambulance_call_sign"),
            models.CheckConstraint(
                condition=Q(position_at__isnull=True) | Q(latitude__isnull=False, longitude__isnull=False),
                name="ambulance_position_whole",
            ),
        ]

    def __str__(self) -> str:
        return self.call_sign


class CrewShift(models.Model):
    """Somebody's time in one seat of one vehicle. Nobody sits in two places, and nobody on another's lap."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    ambulance = models.ForeignKey(Ambulance, models.PROTECT, related_name="shifts", db_index=False)
    account = models.ForeignKey(Account, models.PROTECT, related_name="+", db_index=False)
    seat = models.CharField(_("seat"), max_length=12, choices=Seat.choices)
    state = models.CharField(max_length=16)
    version = models.PositiveIntegerField(default=1)
    started_at = models.DateTimeField(default=clock.now)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account"], condition=Q(ended_at__isnull=True), name="crew_one_place"),
            models.UniqueConstraint(
                fields=["ambulance", "seat"], condition=Q(ended_at__isnull=True), name="crew_one_in_a_seat"
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(ended_at__gte=F("started_at")), name="crew_order"
            ),
        ]
        indexes = [models.Index(fields=["ambulance", "started_at"], name="crew_of_vehicle")]


class AmbulanceTrip(models.Model):
    """One trip, from the call to the vehicle being free again. Steps: `transport.states`.

    The patient may be nobody known: somebody whom a hospital was called about. Where they are, how they are reached and
    what is wrong is sealed; `place` are the pick-up's coordinates ("51.50740,-0.12780") or empty.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="trips", db_index=False)
    ambulance = models.ForeignKey(
        Ambulance, models.PROTECT, null=True, blank=True, related_name="trips", db_index=False
    )
    patient = models.ForeignKey(Patient, models.PROTECT, null=True, blank=True, related_name="trips", db_index=False)
    source = models.CharField(max_length=12, choices=Source.choices)
    need = models.CharField(_("kind of ambulance"), max_length=12, choices=Kind.choices, default=Kind.BASIC)
    who = EncryptedTextField(_("who it is for"), owner="patient_id", purpose="transport", max_length=80, blank=True)
    phone = EncryptedTextField(_("phone"), owner="patient_id", purpose="transport", max_length=32, blank=True)
    address = EncryptedTextField(_("address"), owner="patient_id", purpose="transport", max_length=200, blank=True)
    place = EncryptedTextField(_("coordinates"), owner="patient_id", purpose="transport", max_length=40, blank=True)
    problem = EncryptedTextField(
        _("what is wrong"), owner="patient_id", purpose="transport", max_length=300, blank=True
    )
    outcome = EncryptedTextField(_("outcome"), owner="patient_id", purpose="transport", max_length=300, blank=True)
    state = models.CharField(max_length=16)
    version = models.PositiveIntegerField(default=1)
    requested_at = models.DateTimeField(default=clock.now)
    requested_by = models.CharField(max_length=64)
    # Of a call by somebody without an account (`transport.calling`): what their link's code is known by, and their
    # telephone number as it is compared. Neither can be read back.
    code = models.CharField(max_length=64, blank=True, default="")
    caller = models.CharField(max_length=22, blank=True, default="")
    # Road kilometres as estimated when it was sent: to the patient, and from there to the hospital. Which way of
    # estimating (`transport.roads`) gave them is kept beside them.
    km_to_patient = models.FloatField(null=True, blank=True)
    km_to_hospital = models.FloatField(null=True, blank=True)
    estimate = models.CharField(max_length=16, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            # A vehicle has one trip at a time, whoever sends it; a patient waits for one vehicle, however often they
            # press the button.
            models.UniqueConstraint(
                fields=["ambulance"],
                condition=Q(closed_at__isnull=True, ambulance__isnull=False),
                name="trip_one_of_a_vehicle",
            ),
            models.UniqueConstraint(
                fields=["patient"],
                condition=Q(closed_at__isnull=True, patient__isnull=False),
                name="trip_one_of_a_patient",
            ),
            # Of two clicks on one form, and of two calls with one telephone, one makes a trip.
            models.UniqueConstraint(fields=["code"], condition=Q(code__gt=""), name="trip_one_of_a_code"),
            models.UniqueConstraint(
                fields=["caller"], condition=Q(closed_at__isnull=True, caller__gt=""), name="trip_one_of_a_caller"
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True) | Q(closed_at__gte=F("requested_at")), name="trip_order"
            ),
        ]
        indexes = [
            models.Index(fields=["facility", "requested_at"], name="trip_facility"),
            models.Index(fields=["patient", "requested_at"], name="trip_patient"),
            models.Index(fields=["ambulance", "requested_at"], name="trip_vehicle"),
        ]


class TripStep(models.Model):
    """When a trip came to a state, and with which vehicle. A trip that is given to another vehicle is sent again."""

    trip = models.ForeignKey(AmbulanceTrip, models.CASCADE, related_name="steps", db_index=False)
    number = models.PositiveIntegerField()
    step = models.CharField(max_length=16)
    ambulance = models.ForeignKey(Ambulance, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["trip", "number"], name="trip_step_number")]
