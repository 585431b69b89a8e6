"""What Django is told. Anything an administrator may change is read through `declared.read`."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
from django.utils.translation import gettext_lazy as _

from polyclinic.settings.declared import read

PACKAGE = Path(__file__).resolve().parent.parent
MODE: str = read("POLYCLINIC_MODE")
DEMO = MODE == "demo"
DATA: Path = read("POLYCLINIC_DATA")
try:
    DATA.mkdir(mode=0o700, parents=True, exist_ok=True)
except OSError as problem:
    raise SystemExit(f"The data folder {DATA} cannot be made ({problem}). Name another: POLYCLINIC_DATA.") from None
DEBUG = False


def _kept_secret() -> str:
    """The signing secret of this installation, made once and readable by its owner only."""
    given: str = read("SECRET_KEY")
    if given:
        return given
    path = DATA / "secret.key"
    try:
        # O_EXCL: of two processes starting together exactly one makes the key, the other reads it.
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    made = secrets.token_urlsafe(48)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(made)
    return made


SECRET_KEY = _kept_secret()
KEYS_FOLDER: str = read("KEYS_FOLDER")
MASTER_KEY: str = read("MASTER_KEY")
KEY_VAULT_URL: str = read("KEY_VAULT_URL")
KMS_URL: str = read("KMS_URL")
KMS_TOKEN: str = read("KMS_TOKEN")
BACKUP_FOLDER: Path | None = read("BACKUP_FOLDER")
BACKUP_EVERY_MINUTES: int = read("BACKUP_EVERY_MINUTES")
BACKUP_KEEP_DAYS: int = read("BACKUP_KEEP_DAYS")
ALLOWED_HOSTS: list[str] = read("ALLOWED_HOSTS")
PUBLIC_URL: str = read("PUBLIC_URL").rstrip("/")
CORS_ORIGINS: list[str] = read("CORS_ORIGINS")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "polyclinic.core",
    "polyclinic.relay",
    "polyclinic.people",
    "polyclinic.notify",
    "polyclinic.factors",
    "polyclinic.consent",
    "polyclinic.tokens",
    "polyclinic.facilities",
    "polyclinic.billing",
    "polyclinic.scheduling",
    "polyclinic.reminders",
    "polyclinic.medicines",
    "polyclinic.visits",
    "polyclinic.records",
    "polyclinic.laboratory",
    "polyclinic.prescribing",
    "polyclinic.pharmacy",
    "polyclinic.transport",
    "polyclinic.files",
    "polyclinic.papers",
    "polyclinic.inpatient",
    "polyclinic.analytics",
    "polyclinic.imports",
    "polyclinic.nursing",
    "polyclinic.webhooks",
    "polyclinic.privacy",
    "polyclinic.live",
    "polyclinic.api",
    "polyclinic.portals.ui",
    "polyclinic.demo",
]

# The outermost work (security headers, body cap, request id) is done by polyclinic.web before Django, so that
# streams, static files and crashes carry it too.
MIDDLEWARE = [
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "polyclinic.web.language.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "polyclinic.api.cors.ApiEdgeMiddleware",
    "polyclinic.web.viewer.ViewerMiddleware",
]
# /api has its own short chain: no templates, no messages, and CSRF is checked only for cookie callers.
API_MIDDLEWARE = [
    "polyclinic.api.cors.ApiEdgeMiddleware",
    "polyclinic.web.language.LanguageMiddleware",
    "polyclinic.web.viewer.ApiViewerMiddleware",
]

ROOT_URLCONF = "polyclinic.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "APP_DIRS": False,
        "DIRS": [PACKAGE / "portals" / "templates", PACKAGE / "portals" / "ui" / "templates"],
        "OPTIONS": {"environment": "polyclinic.portals.ui.environment.make", "auto_reload": False},
    },
]

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
_SQLITE: dict[str, Any] = {
    "ENGINE": "polyclinic.core.sqlite",
    "NAME": DATA / "polyclinic.sqlite3",
    "CONN_MAX_AGE": None,
    "OPTIONS": {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        # FULL: an acknowledged booking survives a power cut, not only a crashed process.
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
            "PRAGMA cache_size=-16000; PRAGMA mmap_size=268435456; PRAGMA temp_store=MEMORY;"
            "PRAGMA journal_size_limit=67108864;"
        ),
    },
}


def _database() -> dict[str, Any]:
    url: str = read("DATABASE_URL")
    if not url:
        return _SQLITE
    parsed: dict[str, Any] = dict(dj_database_url.parse(url, conn_max_age=0))
    if "sqlite" in parsed["ENGINE"]:
        return {**_SQLITE, "NAME": parsed["NAME"]}
    # Django's own, with statements that travel together.
    parsed["ENGINE"] = "polyclinic.core.postgresql"
    parsed["OPTIONS"] = {
        **parsed.get("OPTIONS", {}),
        # Hands each thread a connection; CONN_MAX_AGE must be 0 with it. A thread keeps it (`core.apps`), so there must
        # be one for each that may ever ask: pages, one a core for sign-ins, and the dozen of the house itself.
        "pool": {"min_size": 2, "max_size": read("WORKER_THREADS") + (os.cpu_count() or 1) + 16, "timeout": 20},
        # Allows statements to be prepared; only those of `core.db` ask for it.
        "prepare_threshold": 5,
    }
    return parsed


DATABASES = {"default": _database()}

AUTH_USER_MODEL = "people.Account"
# The address is unique without regard to case, by a constraint that this check does not recognise.
SILENCED_SYSTEM_CHECKS = ["auth.E003"]
SESSION_ENGINE = "polyclinic.people.sessions"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = urlsplit(PUBLIC_URL).scheme == "https"
# Over HTTPS no neighbouring host and no plain page can set or replace them (RFC 6265bis, __Host-). Browsers refuse that
# prefix over plain HTTP, which only a machine for trying out speaks.
_HOST = "__Host-" if SESSION_COOKIE_SECURE else ""
SESSION_COOKIE_NAME = f"{_HOST}polyclinic_session"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_IDLE_MINUTES: int = read("SESSION_IDLE_MINUTES")
CSRF_COOKIE_NAME = f"{_HOST}polyclinic_csrf"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "polyclinic.portals.public.errors.csrf_failure"
MESSAGE_STORAGE = "polyclinic.web.cookies.MessageStorage"
LOGIN_URL = "/sign-in"
LOGIN_REDIRECT_URL = "/home"
LOGOUT_REDIRECT_URL = "/"
PASSWORD_RESET_TIMEOUT = 3600

# Which passwords are accepted is decided by `people.passwords`, where the account's second factor is known.
PASSWORD_HASHERS = ["polyclinic.people.hashing.Argon2id"]
AUTH_PASSWORD_VALIDATORS: list[dict[str, Any]] = []

LANGUAGE_CODE: str = read("DEFAULT_LANGUAGE")
# A language is offered once its catalogue is there: half a translated page is worse than an English one.
LANGUAGES = [("en", _("English"))]
LOCALE_PATHS = [PACKAGE / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATIC_ROOT = DATA / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "polyclinic.web.static.HashedStaticFiles"},
}
WHITENOISE_MAX_AGE = 3600

_mail = urlsplit(read("EMAIL_URL"))
EMAIL_BACKEND = (
    "django.core.mail.backends.console.EmailBackend"
    if _mail.scheme == "console"
    else "django.core.mail.backends.smtp.EmailBackend"
)
EMAIL_HOST = _mail.hostname or "localhost"
EMAIL_PORT = _mail.port or 587
EMAIL_HOST_USER = _mail.username or ""
EMAIL_HOST_PASSWORD = _mail.password or ""
# Links that choose a password travel here: encrypted, but on this machine and where an administrator says otherwise.
EMAIL_USE_TLS = _mail.scheme == "smtp" and (
    bool(_mail.username) or (EMAIL_HOST not in {"localhost", "127.0.0.1", "::1"} and not read("PLAIN_LINES"))
)
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL: str = read("EMAIL_FROM")

AUDIT_CHECKPOINTS: Path | None = read("AUDIT_CHECKPOINTS")
AUDIT_SINK: str = read("AUDIT_SINK")
_second_factor: bool | None = read("STAFF_SECOND_FACTOR")
STAFF_SECOND_FACTOR: bool = not DEMO if _second_factor is None else _second_factor
# Whoever passes the ordinary rights by breaking the glass has shown two factors, whatever else an installation allows
# (ASVS 5.0, 7.5.3). No switch of the environment: only the demo, whose passwords are public, does without.
EMERGENCY_SECOND_FACTOR: bool = not DEMO
SMS_URL: str = read("SMS_URL")

MAX_BODY_BYTES: int = read("MAX_BODY_BYTES")
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY_BYTES
MAX_UPLOAD_BYTES: int = read("MAX_UPLOAD_BYTES")
IMPORT_MAX_ROWS: int = read("IMPORT_MAX_ROWS")
IMPORT_KEEP_DAYS: int = read("IMPORT_KEEP_DAYS")
# In memory only: a file that nobody has checked or sealed yet must not lie in a temporary folder.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * MAX_UPLOAD_BYTES + MAX_BODY_BYTES
DATA_UPLOAD_MAX_NUMBER_FILES = 4
CLAMAV_URL: str = read("CLAMAV_URL")
OUTGOING_ALLOW: list[str] = read("OUTGOING_ALLOW")
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
RESEARCH_CONSENT: str = read("RESEARCH_CONSENT")
RETENTION_YEARS: dict[str, int] = read("RETENTION_YEARS")
RETENTION_BASIS: dict[str, str] = read("RETENTION_BASIS")
WORKER_THREADS: int = read("WORKER_THREADS")
CURRENCY: str = read("CURRENCY")
STRIPE_SECRET_KEY: str = read("STRIPE_SECRET_KEY")
STRIPE_WEBHOOK_SECRET: str = read("STRIPE_WEBHOOK_SECRET")
STRIPE_URL: str = read("STRIPE_URL").rstrip("/")
METRICS_TOKEN: str = read("METRICS_TOKEN")
SLOW_QUERY_MS: int = read("SLOW_QUERY_MS")
BROKER_URL: str = read("BROKER_URL")
BROKER_EXCHANGE: str = read("BROKER_EXCHANGE")
RATE_LIMITS: bool = read("RATE_LIMITS")
APPEND_SLASH = False


def _log_handler() -> dict[str, Any]:
    """Standard error, or a file that is put aside when it has grown; both as `LOG_FORMAT` says."""
    shape, file = read("LOG_FORMAT"), read("LOG_FILE")
    if file is None:
        return {"class": "logging.StreamHandler", "formatter": shape}
    return {
        "class": "logging.handlers.RotatingFileHandler", "formatter": shape, "filename": str(file), "encoding": "utf-8",
        "maxBytes": read("LOG_FILE_BYTES"), "backupCount": read("LOG_FILES"), "delay": True,
    }  # fmt: skip


LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "lines": {"()": "polyclinic.web.logs.LineFormatter"},
        "json": {"()": "polyclinic.web.logs.JsonFormatter"},
    },
    "handlers": {"log": _log_handler()},
    "root": {"handlers": ["log"], "level": read("LOG_LEVEL")},
    "loggers": {
        # Django would write the offending path and query of each 4xx; paths can carry identifiers.
        "django.request": {"level": "ERROR"},
        "django.security": {"level": "ERROR"},
        # What ails the broker's line the relay says itself, in one line; these would say it in thirty.
        "aiormq": {"level": "CRITICAL"},
        "aio_pika": {"level": "CRITICAL"},
    },
}
