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
from polyclinic.core.ids import new_id


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
    created_at = models.DateTimeField(default=clock.now)

    objects = AccountManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="account_email_ci")]

    def __str__(self) -> str:
        return self.name


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
    phone = models.CharField(_("phone"), max_length=32, blank=True)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [models.Index(fields=["family_name", "given_name"], name="patient_name")]

    def __str__(self) -> str:
        return f"{self.family_name.upper()}, {self.given_name}"


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

    def __str__(self) -> str:
        return f"{self.title} {self.given_name} {self.family_name}"


class Session(AbstractBaseSession):
    """A signed-in browser or API client. Deleting the row signs it out everywhere, sockets and streams included."""

    account_id = models.UUIDField(null=True, db_index=True)
    kind = models.CharField(max_length=8, default="web")
    seen_at = models.DateTimeField(default=clock.now)
    user_agent = models.CharField(max_length=160, blank=True)

    objects: ClassVar[BaseSessionManager[Session]] = BaseSessionManager()  # type: ignore[assignment]

    @classmethod
    def get_session_store_class(cls) -> Any:  # noqa: ANN401 - the store's class, named by the settings alone
        return import_module(settings.SESSION_ENGINE).SessionStore
