"""Accounts, patients and doctors. One human being has one account and may be patient and doctor at once."""

from __future__ import annotations

from importlib import import_module
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.sessions.base_session import AbstractBaseSession, BaseSessionManager
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock
from polyclinic.core.crypto.fields import BlindIndexField, EncryptedTextField
from polyclinic.core.ids import new_id
from polyclinic.people import passwords


class AccountManager(BaseUserManager["Account"]):
    def get_by_natural_key(self, username: str | None) -> Account:
        return self.get(email__iexact=(username or "").strip())

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> Account:  # noqa: ANN401
        """Make an account with a hashed password; without one, the account cannot sign in by password."""
        account = self.model(email=self.normalize_email(email).strip(), **fields)
        account.set_password(password)
        account.save(using=self._db)
        return account


class Account(AbstractBaseUser):
    """A way to sign in. What the person may do comes from memberships and from being a patient or doctor."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    email = models.EmailField(_("email address"), max_length=254)
    name = models.CharField(_("name"), max_length=160)
    language = models.CharField(_("language"), max_length=12, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    email_verified_at = models.DateTimeField(null=True, blank=True)
    password_changed_at = models.DateTimeField(default=clock.now)
    # Set by an administrator's reset: the next sign-in leads to choosing a password and nowhere else.
    must_change_password = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=clock.now)
    # Counts what people change on forms: language, closing and opening, roles given and taken (`people.revisions`).
    version = models.PositiveIntegerField(default=1, db_default=1)

    objects = AccountManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="account_email_ci")]

    def __str__(self) -> str:
        return self.name

    def set_password(self, raw_password: str | None) -> None:
        """Hash a password in the one form that every keyboard's way of writing it comes to (NFKC)."""
        super().set_password(None if raw_password is None else passwords.normalised(raw_password))

    def check_password(self, raw_password: str | None) -> bool:
        return super().check_password(None if raw_password is None else passwords.normalised(raw_password))


class Sex(models.TextChoices):
    """Administrative gender as in FHIR."""

    FEMALE = "female", _("Female")
    MALE = "male", _("Male")
    OTHER = "other", _("Other")
    UNKNOWN = "unknown", _("Not known")


class Patient(models.Model):
    """Someone who is cared for. Two identifiers: the record number (MRN) and the date of birth."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    account = models.OneToOneField(Account, models.PROTECT, null=True, blank=True, related_name="patient")
    mrn = models.CharField(_("record number"), max_length=16, unique=True)
    family_name = models.CharField(_("family name"), max_length=80)
    given_name = models.CharField(_("given name"), max_length=80)
    born = models.DateField(_("date of birth"))
    sex = models.CharField(_("sex"), max_length=8, choices=Sex.choices, default=Sex.UNKNOWN)
    phone = EncryptedTextField(_("phone"), owner="id", max_length=32, blank=True)
    phone_index = BlindIndexField(source="phone", purpose="phone", normal="polyclinic.core.crypto.blind.digits")
    # Somebody who could not say who they are; their names describe them until somebody does.
    temporary = models.BooleanField(default=False)
    version = models.PositiveIntegerField(default=1)
    # The version that can be found by searching (`people.search`); another one waits for the index to follow.
    searchable = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [
            models.Index(fields=["family_name", "given_name"], name="patient_name"),
            models.Index(fields=["born"], name="patient_born"),
            models.Index(fields=["id"], name="patient_unindexed", condition=~models.Q(searchable=models.F("version"))),
            models.Index(fields=["phone_index"], name="patient_phone", condition=~models.Q(phone_index="")),
        ]

    def __str__(self) -> str:
        return f"{self.family_name.upper()}, {self.given_name}"


class PatientPlace(models.Model):
    """A facility that knows this patient: they were registered there or came there. Its front desk may find them."""

    patient = models.ForeignKey(Patient, models.CASCADE, related_name="places", db_index=False)
    # Facilities lie above people, so this is no foreign key.
    facility_id = models.UUIDField()
    since = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["patient", "facility_id"], name="patient_place_once")]


class PatientWord(models.Model):
    """A word of a patient's names as it is searched: in small letters, without accents."""

    patient = models.ForeignKey(Patient, models.CASCADE, related_name="words", db_index=False)
    word = models.CharField(max_length=40)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["patient", "word"], name="patient_word_once")]
        indexes = [models.Index(fields=["word", "patient"], name="patient_word")]


class WordVariant(models.Model):
    """A way to come to a word of somebody's name: the word itself, the word less a letter, or (with ~) its sound."""

    variant = models.CharField(max_length=41, db_index=True)
    word = models.CharField(max_length=40)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["variant", "word"], name="word_variant_once")]


class PhoneTail(models.Model):
    """The blind index of the last digits of a patient's phone, for whoever remembers no more of it."""

    patient = models.ForeignKey(Patient, models.CASCADE, related_name="tails")
    tail = models.CharField(max_length=22, db_index=True)


class PatientNumber(models.Model):
    """The last record number given. One row, moved under the write lock, so no number is given twice."""

    last = models.PositiveIntegerField(default=10_000)


class Doctor(models.Model):
    """A practitioner who sees patients (FHIR Practitioner). Where and when is told by schedules."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    account = models.OneToOneField(Account, models.PROTECT, related_name="doctor")
    title = models.CharField(_("title"), max_length=16, default="Dr")
    family_name = models.CharField(_("family name"), max_length=80)
    given_name = models.CharField(_("given name"), max_length=80)
    specialty = models.CharField(_("specialty"), max_length=40, db_index=True)
    languages = models.CharField(_("languages spoken"), max_length=80, blank=True)
    about = models.CharField(_("about"), max_length=300, blank=True)
    # What lies at least between work at two places; their own, for they know how they travel.
    travel_minutes = models.PositiveSmallIntegerField(_("time between hospitals, minutes"), default=0, db_default=0)

    def __str__(self) -> str:
        return f"{self.title} {self.given_name} {self.family_name}"


class Session(AbstractBaseSession):
    """A signed-in browser or API client. Deleting the row signs it out everywhere, sockets and streams included."""

    account_id = models.UUIDField(null=True, db_index=True)
    kind = models.CharField(max_length=8, default="web")
    seen_at = models.DateTimeField(default=clock.now)
    user_agent = models.CharField(max_length=160, blank=True)
    started_at = models.DateTimeField(default=clock.now)
    # How surely its person was known at sign-in (NIST AAL), and when a factor was last shown.
    aal = models.PositiveSmallIntegerField(default=1)
    stepped_up_at = models.DateTimeField(null=True)
    # The network it was opened from, without its last part; the device it was remembered on, if any.
    network = models.CharField(max_length=64, blank=True)
    device_id = models.UUIDField(null=True)
    # An administrator who looks through this account's eyes ("view as"): reads only.
    seen_by = models.UUIDField(null=True)

    objects: ClassVar[BaseSessionManager[Session]] = BaseSessionManager()  # type: ignore[assignment]

    @classmethod
    def get_session_store_class(cls) -> Any:  # noqa: ANN401 - the store's class, named by the settings alone
        return import_module(settings.SESSION_ENGINE).SessionStore


class Device(models.Model):
    """A browser that an account has signed in from before, known by the digest of its own cookie.

    Guesses made elsewhere never lock this browser out (see `people.guesses`).
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    account = models.ForeignKey(Account, models.CASCADE, related_name="devices")
    token = models.CharField(max_length=64)
    user_agent = models.CharField(max_length=160, blank=True)
    first_at = models.DateTimeField(default=clock.now)
    last_at = models.DateTimeField(default=clock.now, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "token"], name="device_account_token")]


class KnownNetwork(models.Model):
    """A network that an account has signed in from before."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="networks")
    network = models.CharField(max_length=64)
    last_at = models.DateTimeField(default=clock.now, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "network"], name="known_account_network")]


class Guesses(models.Model):
    """Wrong passwords under one name from one place. `key` is a digest: no typed name can be read from here.

    `failures` counts since the last success, `recent` since `window_at`. `told` is False while the account's person is
    still to hear of a lock.
    """

    key = models.CharField(max_length=64, primary_key=True)
    account_id = models.UUIDField(null=True, db_index=True)
    failures = models.PositiveIntegerField(default=0)
    recent = models.PositiveIntegerField(default=0)
    window_at = models.DateTimeField()
    locks = models.PositiveSmallIntegerField(default=0)
    locked_until = models.DateTimeField(null=True)
    told = models.BooleanField(default=True)
    at = models.DateTimeField(db_index=True)

    class Meta:
        indexes = [models.Index(fields=["told"], name="guesses_untold", condition=models.Q(told=False))]


class EmailCheck(models.Model):
    """An address that a person says is theirs, to be shown by opening the link we mail there. Works once."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    account = models.ForeignKey(Account, models.CASCADE, related_name="email_checks")
    email = models.EmailField(max_length=254)
    made_at = models.DateTimeField(default=clock.now, db_index=True)
    used_at = models.DateTimeField(null=True)


class SignUp(models.Model):
    """Somebody who wants an account and has yet to open the link in their mail (`people.joining`). Gone after a day.

    `said` is all they told us, their password's hash too; `browser` is the digest of the asking browser's secret.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    said = EncryptedTextField(purpose="accounts")
    language = models.CharField(max_length=12, blank=True)
    back = models.CharField(max_length=500, blank=True)
    browser = models.CharField(max_length=64, blank=True, db_index=True)
    tries = models.PositiveSmallIntegerField(default=0)
    made_at = models.DateTimeField(default=clock.now, db_index=True)


class Merge(models.Model):
    """Two records that are one person's: `gone` is read together with `patient`, which stays (`people.merge`).

    No row of either is rewritten, so that undoing it leaves both as they were. `places` are the facilities that know
    the staying record by this merge alone, joined by commas.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="merges")
    gone = models.ForeignKey(Patient, models.PROTECT, related_name="+", db_index=False)
    # Facilities lie above people, so this is no foreign key.
    facility_id = models.UUIDField()
    state = models.CharField(max_length=12)
    version = models.PositiveIntegerField(default=1)
    reason = EncryptedTextField(_("reason"), owner="patient_id", max_length=200)
    places = models.TextField(blank=True)
    merged_at = models.DateTimeField(default=clock.now)
    merged_by = models.CharField(max_length=64)
    undone_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["gone"], condition=models.Q(state="merged"), name="merge_once"),
            models.CheckConstraint(condition=~models.Q(gone=models.F("patient")), name="merge_of_two"),
        ]
        indexes = [models.Index(fields=["facility_id", "merged_at"], name="merge_facility")]
