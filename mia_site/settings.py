"""Settings of the desk: everything that differs between machines comes from the environment (docs/operations.md)."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import dj_database_url
import django_stubs_ext
from csp.constants import NONCE, NONE, SELF, UNSAFE_INLINE
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from mia_site import env, unfold
from mia_site.ops import logs

# Django's generic classes take their type parameters at run time too.
django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.text("MIA_DATA_DIR", str(BASE_DIR / "var"))).expanduser().resolve()
DEBUG = env.flag("MIA_DEBUG")
HTTPS = env.flag("MIA_HTTPS")
SECRET_KEY = env.text("MIA_SECRET_KEY") or env.secret_file(DATA_DIR / "secrets" / "django")
KEYS_DIR = Path(env.text("MIA_KEYS_DIR", str(DATA_DIR / "keys")))
CHECKPOINTS_DIR = Path(env.text("MIA_CHECKPOINTS_DIR", str(DATA_DIR / "checkpoints")))
SITE_NAME = env.text("MIA_SITE_NAME", "mia-risk-desk")
ALLOWED_HOSTS = env.words("MIA_ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]")
CSRF_TRUSTED_ORIGINS = env.words("MIA_TRUSTED_ORIGINS")

INSTALLED_APPS = [
    "mia_site.ops",
    "mia_site.audit",
    "knox",  # before risk, whose pages take the place of its own
    "risk",
    "decisions",
    "unfold",
    "csp",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]
MIDDLEWARE = [
    "mia_site.ops.middleware.RequestMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "mia_site.ops.middleware.ContentPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "mia_site.ops.middleware.AddressMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "mia_site.audit.middleware.ActorMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "mia_site.urls"
WSGI_APPLICATION = "mia_site.wsgi.application"
WEB_WORKERS = env.integer("MIA_WEB_WORKERS", 2, least=1)  # mia_site/gunicorn_conf.py
WEB_THREADS = env.integer("MIA_WEB_THREADS", 4, least=1)
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "mia_site" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
            ]
        },
    }
]


def _database() -> dict[str, Any]:
    """SQLite under the data directory unless `DATABASE_URL` says otherwise.

    SQLite: a receipt must survive power loss, hence FULL; IMMEDIATE takes the write lock at BEGIN, so that no
    transaction fails half-way with "database is locked" (docs/adr/0002). `MIA_DATABASE_WAIT` bounds every wait for a
    lock that has no deadline of its own.
    """
    url, wait = env.text("DATABASE_URL"), env.integer("MIA_DATABASE_WAIT", 20, least=1)
    if url and not url.startswith("sqlite"):
        config: dict[str, Any] = dict(dj_database_url.parse(url, conn_max_age=60, conn_health_checks=True))
        options = config.setdefault("OPTIONS", {})
        options.setdefault("application_name", "mia-risk-desk")
        options.setdefault("connect_timeout", 3)  # a database that is gone must be told within seconds
        options.setdefault("options", f"-c lock_timeout={wait}s")
        return config
    name = url.partition(":///")[2] if url else str(DATA_DIR / "mia.sqlite3")
    return {
        "ENGINE": "mia_site.ops.queued_sqlite3",
        "NAME": name,
        "CONN_MAX_AGE": 60,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": wait,
            "init_command": (
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; "
                "PRAGMA foreign_keys=ON; PRAGMA recursive_triggers=ON;"
            ),
        },
    }


DATABASES = {"default": _database()}
DATABASE_OWNER_URL = env.text("DATABASE_OWNER_URL")  # PostgreSQL: the role that owns and migrates the tables
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = reverse_lazy("admin:login")
LOGIN_REDIRECT_URL = reverse_lazy("admin:index")

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("fr", _("French"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["mia_site.formats"]
UNFOLD = unfold.UNFOLD
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
WHITENOISE_USE_FINDERS = True

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]  # asked from this machine, without TLS
CSRF_FAILURE_VIEW = "mia_site.ops.errors.csrf_failure"
if HTTPS:
    # TLS ends at a proxy, which must set this header itself and drop a client's own (docs/operations.md).
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 1024 * 1024
# Nothing from elsewhere, ever. Styles may be inline (the admin's theme is); scripts may not, save with a
# nonce.
# The admin may besides evaluate expressions: ContentPolicyMiddleware.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, UNSAFE_INLINE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
METRICS_TOKEN = env.text("MIA_METRICS_TOKEN")

logs.structlog_configure()
LOGGING = logs.logging_config(
    env.choice("MIA_LOG_LEVEL", "INFO", logs.LEVELS), env.choice("MIA_LOG_FORMAT", "auto", logs.FORMATS)
)

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["mia_site.ops.tokens.ApiTokens"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["mia_site.ops.http.JsonRenderer"],
    "EXCEPTION_HANDLER": "mia_site.ops.problems.handle",
    # `?format=` chooses the file of an export, not the renderer.
    "URL_FORMAT_OVERRIDE": None,
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.CursorPagination",
    "DEFAULT_FILTER_BACKENDS": ["risk.api.filters.StrictFilters"],
    "PAGE_SIZE": 100,
    "UNAUTHENTICATED_USER": None,
}
REST_KNOX = {
    "TOKEN_TTL": timedelta(days=env.integer("MIA_TOKEN_DAYS", 365, least=1)),
    "AUTH_HEADER_PREFIX": "Token",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "MIA Risk Desk",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "mia_site.ops.openapi.components_add",
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}


def _redis_url() -> str:
    """`REDIS_URL`, else the server that `manage.py up` started on this data directory, else Redis' usual place."""
    started = DATA_DIR / "secrets" / "redis_url"
    here = started.read_text(encoding="utf-8").strip() if started.exists() else ""
    return env.text("REDIS_URL", here or "redis://127.0.0.1:6379/0")


REDIS_URL = _redis_url()
CELERY_BROKER_URL = REDIS_URL
CELERY_RESULT_BACKEND = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a broker that comes back finds its workers waiting
CELERY_IMPORTS = ["mia_site.ops.heartbeat"]
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 120}
CELERY_TIMEZONE = "UTC"

# How long a bot waits for an answer, at most: the gate answers in time, or says that it could not record (DESIGN 4.5).
MIA_DEADLINE_MS = env.integer("MIA_DEADLINE_MS", 500, least=50, most=60_000)

# Work rows of operations (mia_site/ops): alerts and where they go, timings, how long they are kept.
MIA_TIMINGS_BACKGROUND = env.flag("MIA_TIMINGS_BACKGROUND", True)  # 0: rows wait for flush() (tests)
MIA_TIMINGS_DAYS = env.integer("MIA_TIMINGS_DAYS", 7)
MIA_ALERT_DAYS = env.integer("MIA_ALERT_DAYS", 90)
MIA_ALERT_COOLDOWN = env.integer("MIA_ALERT_COOLDOWN", 300)
MIA_ALERT_LANGUAGE = env.text("MIA_ALERT_LANGUAGE", "en")
MIA_ALERT_TIMEOUT = env.integer("MIA_ALERT_TIMEOUT", 5, least=1)
MIA_ALERT_ATTEMPTS = env.integer("MIA_ALERT_ATTEMPTS", 14, least=1)
MIA_ALERT_WEBHOOKS = env.words("MIA_ALERT_WEBHOOKS")
MIA_ALERT_WEBHOOK_SECRET = env.text("MIA_ALERT_WEBHOOK_SECRET")  # empty: DATA_DIR/secrets/webhook, made once
MIA_ALERT_EMAILS = env.words("MIA_ALERT_EMAILS")
MIA_ALERT_APPRISE = env.words("MIA_ALERT_APPRISE")
vars().update(env.mail("EMAIL_URL"))  # smtp://user:password@host:587?tls=1
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.text("MIA_EMAIL_FROM", f"{SITE_NAME}@localhost")

# The ledger (mia_site/audit): signed checkpoints outside the database, and the clocks that the record relies on.
MIA_CHECKPOINT_SECONDS = env.integer("MIA_CHECKPOINT_SECONDS", 60)  # one note a minute is kept for good
MIA_CHECKPOINT_WEBHOOKS = env.words("MIA_CHECKPOINT_WEBHOOKS")
MIA_TSA_URL = env.text("MIA_TSA_URL")  # an RFC 3161 time-stamping authority
MIA_CLOCK_LIMIT_MS = env.integer("MIA_CLOCK_LIMIT_MS", 1000)

# Calendars over HTTP: hosts that may be asked, and which of them may have a private address.
MIA_CALENDAR_HOSTS = env.words(
    "MIA_CALENDAR_HOSTS",
    "nfs.faireconomy.media,api.tradingeconomics.com,www.bls.gov,www.bea.gov,www.federalreserve.gov",
)
MIA_CALENDAR_PRIVATE_HOSTS = env.words("MIA_CALENDAR_PRIVATE_HOSTS")

# Where times without a zone in imported MIA files were written (IANA name), unless --timezone says so.
MIA_IMPORT_TIMEZONE = env.text("MIA_IMPORT_TIMEZONE")
