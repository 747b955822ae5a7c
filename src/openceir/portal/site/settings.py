"""Django's settings, made from the register's own (`[portal]` in openceir.toml); nothing is set here by hand elsewhere.

Importing this opens nothing and writes nothing: `prepare.py` makes the secret and the database before a server starts.
"""

import os
from pathlib import Path

from csp.constants import NONE, SELF
from django.contrib.messages import constants as messages

from openceir.portal.site.database import database_of
from openceir.portal.site.identity import forms_may_lead_to, providers_of
from openceir.portal.site.secret import secret_key
from openceir.settings import load_settings

OPENCEIR_HOME = Path(os.environ.get("OPENCEIR_HOME", "openceir-home")).absolute()
OPENCEIR, _origins = load_settings(OPENCEIR_HOME, os.environ)
PORTAL_FOLDER = OPENCEIR_HOME / "portal"  # evidence and what else the portal keeps in files

SECRET_KEY = secret_key(PORTAL_FOLDER)
DEBUG = False
ALLOWED_HOSTS = OPENCEIR.portal_hosts.split()
INSTALLED_APPS = [
    "openceir.portal.site",
    "openceir.portal.accounts",
    "openceir.portal.cases",
    "openceir.portal.citizens",
    "openceir.portal.channels",
    "openceir.portal.api",
    "openceir.portal.police",
    "openceir.portal.customs",
    "openceir.portal.trade",
    "openceir.portal.operators",
    "openceir.portal.regulator",
    "openceir.portal.auditor",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "axes",
    "csp",
    "rules.apps.AutodiscoverRulesConfig",
    "django_tasks",
    "django_tasks_db",
]
MIDDLEWARE = [
    "openceir.portal.site.middleware.OneLogLine",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.gzip.GZipMiddleware",  # pads what it packs, so that lengths do not tell a secret (BREACH)
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "openceir.portal.site.language.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "openceir.portal.accounts.idle.IdleSessions",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "openceir.portal.site.middleware.PrivateAnswers",
    "openceir.portal.site.middleware.RefusalsAsPages",
    "openceir.portal.api.middleware.ProblemsForPrograms",
    "allauth.account.middleware.AccountMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "openceir.portal.site.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "openceir.portal.site.context.site",
            ],
            "builtins": ["openceir.portal.site.templatetags.portal", "django.templatetags.i18n"],
        },
    }
]
FORM_RENDERER = "openceir.portal.site.forms.Renderer"

DATABASES = {"default": database_of(OPENCEIR.portal_database, OPENCEIR_HOME / "portal.sqlite")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": []}}

# -- languages ---------------------------------------------------------------------------------------------------------
LANGUAGE_CODE = OPENCEIR.portal_language
LANGUAGES = [
    ("en", "English"),
    ("fr", "français"),
    ("ar", "العربية"),
    ("es", "español"),
    ("pt", "português"),
    ("hi", "हिन्दी"),
]
LANGUAGE_COOKIE_NAME = "language"
LANGUAGE_COOKIE_SAMESITE = "Lax"
LOCALE_PATHS = [Path(__file__).parent / "libraries"]  # what allauth says, in languages that it lacks
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# -- who is who --------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "rules.permissions.ObjectPermissionBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_LOGOUT_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "openceir.portal.accounts.adapter.Adapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_REAUTHENTICATION_TIMEOUT = 900  # an officer's acts need a second factor shown within this many seconds
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_UNIQUE_EMAIL = False  # a family may share one; and nobody learns from us which addresses have accounts
PASSWORD_RESET_TIMEOUT = 3600
ACCOUNT_RATE_LIMITS = {"login_failed": "30/m/ip"}  # coarse; axes below counts by name and address
SOCIALACCOUNT_ADAPTER = "openceir.portal.accounts.sign_on.Adapter"
SOCIALACCOUNT_PROVIDERS = providers_of(OPENCEIR, OPENCEIR_HOME)
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = OPENCEIR.portal_name
MFA_TOTP_TOLERANCE = 1  # a code may have been read off in the 30 s before (RFC 6238 §5.2 allows one step)
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not OPENCEIR.portal_https
# A name at an address: the default would lock a whole address, and thousands share one behind an operator's NAT.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_TEMPLATE = "accounts/locked.html"
AXES_VERBOSE = False
AXES_ENABLE_ACCESS_FAILURE_LOG = False
AXES_SENSITIVE_PARAMETERS = ["login", "username", "password"]
AXES_USERNAME_FORM_FIELD = "login"
AXES_USERNAME_CALLABLE = "openceir.portal.accounts.adapter.name_that_was_tried"

# -- what a browser may do ---------------------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],  # QR codes of two-factor set-up
        "font-src": [NONE],
        "connect-src": [SELF],
        "form-action": [SELF, *forms_may_lead_to(OPENCEIR)],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31_536_000 if OPENCEIR.portal_https else 0
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = OPENCEIR.portal_https
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if OPENCEIR.portal_https else None
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
CSRF_FAILURE_VIEW = "openceir.portal.site.errors.expired_form"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1 << 20
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200
DATA_UPLOAD_MAX_NUMBER_FILES = 10
FILE_UPLOAD_MAX_MEMORY_SIZE = 1 << 20
FILE_UPLOAD_PERMISSIONS = 0o600

STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},  # evidence has a shelf of its own
    "staticfiles": {"BACKEND": "openceir.portal.site.assets.HashedByContent"},
}
MESSAGE_TAGS = {messages.ERROR: "error", messages.SUCCESS: "success"}

_kind = "filebased" if OPENCEIR.portal_mail_server == "folder" else "smtp"
EMAIL_BACKEND = f"django.core.mail.backends.{_kind}.EmailBackend"
EMAIL_FILE_PATH = PORTAL_FOLDER / "mail"
EMAIL_HOST, _colon, _port = OPENCEIR.portal_mail_server.partition(":")
EMAIL_PORT = int(_port or 25)
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = OPENCEIR.portal_mail_from or "nobody@localhost"

# Django's loggers write paths, queries and values of forms; what the portal logs is said in site/middleware.py.
LOGGING_CONFIG = None
