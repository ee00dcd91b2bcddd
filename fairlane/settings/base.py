"""What every place shares. Each value from the environment is read here, and only here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import environ

from fairlane.settings import unfold
from fairlane.settings.env import Environment
from fairlane.settings.stablecoin import evm_chains

BASE_DIR = Path(__file__).resolve().parents[2]
if (BASE_DIR / ".env").is_file():
    environ.Env.read_env(BASE_DIR / ".env")
env = Environment()

# Django

SECRET_KEY = env.text("SECRET_KEY")
DEBUG = env.flag("DEBUG", default=False)
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", default="127.0.0.1,localhost,[::1]")
ROOT_URLCONF = "fairlane.urls"
ASGI_APPLICATION = "fairlane.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
APPEND_SLASH = False
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
USE_I18N = False

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "channels",
    "django_celery_beat",
    "fairlane.core",
    "orders",
    "stablecoin",
    "batches",
]

MIDDLEWARE = [
    "fairlane.core.middleware.RequestContext",
    "fairlane.core.middleware.Security",
    "fairlane.core.middleware.ContentSecurityPolicy",
    "fairlane.core.middleware.StaticFiles",
    "fairlane.core.middleware.Sessions",
    "fairlane.core.middleware.Common",
    "fairlane.core.middleware.Csrf",
    "fairlane.core.middleware.Authentication",
    "fairlane.core.middleware.Messages",
    "fairlane.core.middleware.Problems",
]

# The checks look for Django's own class names; ours are subclasses, and tests see their headers.
SILENCED_SYSTEM_CHECKS = ["security.W001", "security.W002", "security.W003"]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [path for path in [BASE_DIR / "static"] if path.is_dir()]

# Where people and programs reach this site; commands that call the API use it.
PUBLIC_URL = env.url("PUBLIC_URL", "http", "https", default="http://127.0.0.1:8000")

# PostgreSQL: the only truth

DATABASES: dict[str, dict[str, Any]] = {"default": env.database("DATABASE_URL")}
DATABASES["default"].setdefault("OPTIONS", {}).update(
    {
        "application_name": "fairlane",
        # A dead server must show before a load balancer gives up on us.
        "connect_timeout": 5,
        # A process that hangs inside a transaction must not hold its row locks for ever. And what
        # stages touch is in memory or on flash: under the default of 4, made for turning disks, the
        # planner reads a whole table of 20,000 open orders rather than 500 of them by key.
        "options": "-c idle_in_transaction_session_timeout=60s -c random_page_cost=1.1",
        "pool": {
            "min_size": 1,
            # A dozen processes share PostgreSQL's usual 100 connections.
            "max_size": env.integer("DATABASE_POOL_SIZE", 8, least=2, most=200),
            "timeout": 5,
        },
    }
)
# The pool keeps connections; Django must not keep them as well, and checks each one it takes,
# so that a restart of PostgreSQL costs no failed request.
DATABASES["default"].update({"CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": True})

# Redis: wake-ups, fan-out, throttles and tickets; losing it costs latency only

REDIS_URL = env.url("REDIS_URL", "redis", "rediss")
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": "fairlane"},
    }
}

# Celery

CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_QUEUES: dict[str, dict[str, Any]] = {
    "orders": {},
    "confirmations": {},
    "stablecoin": {},
    "relayer": {},
    "default": {},
}
CELERY_TASK_CREATE_MISSING_QUEUES = False
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# A stage answers within seconds; 25 leave room for a slow venue and a full set.
CELERY_TASK_TIME_LIMIT = env.integer("TASK_TIME_LIMIT_SECONDS", 25, least=2, most=300)
# The last fifth is for recording what is known before the child is killed.
CELERY_TASK_SOFT_TIME_LIMIT = CELERY_TASK_TIME_LIMIT * 0.8
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # Longer than any task can run, so that no task is delivered twice while it runs; shorter than
    # a sweeper's patience would be pointless, since a lost wake-up is found by the sweeper anyway.
    "visibility_timeout": max(60, 2 * CELERY_TASK_TIME_LIMIT),
    "socket_keepalive": True,
    "health_check_interval": 10,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A worker that gave up after a while would have to be started by hand when Redis is back.
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# Celery would close the process's pool around every task, and each task would log in to PostgreSQL
# anew. fairlane.celery gives the connection back to the pool instead.
CELERY_DB_REUSE_MAX = 1_000_000_000
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"

# The outside world

SOLANA_RPC_URL = env.url("SOLANA_RPC_URL", "http", "https")
# By default one port after the RPC.
SOLANA_WEBSOCKET_URL = env.url("SOLANA_WEBSOCKET_URL", "ws", "wss", default="")
RFQ_MAKERS = env.urls("RFQ_MAKERS", "http", "https")
WALLET_KEYS_DIR = env.folder("WALLET_KEYS_DIR")

# Orders

ORDERS_STAGE_SIZE = env.integer("ORDERS_STAGE_SIZE", 500, least=1, most=5_000)
ORDERS_DEFAULT_SLIPPAGE_BPS = env.integer("ORDERS_DEFAULT_SLIPPAGE_BPS", 50, least=0, most=10_000)
ORDERS_MAX_SLIPPAGE_BPS = env.integer("ORDERS_MAX_SLIPPAGE_BPS", 1_000, least=0, most=10_000)
ORDERS_MAX_PRICE_IMPACT_BPS = env.integer("ORDERS_MAX_PRICE_IMPACT_BPS", 500, least=0, most=10_000)
ORDERS_MAX_ATTEMPTS = env.integer("ORDERS_MAX_ATTEMPTS", 3, least=1, most=20)
# How long a claim keeps others away. Longer than a task may run, so only a dead worker's lease
# runs out, and short, because that is how long its orders wait.
ORDERS_LEASE_SECONDS = env.integer("ORDERS_LEASE_SECONDS", 30, least=3, most=600)
env.refuse(
    ORDERS_DEFAULT_SLIPPAGE_BPS > ORDERS_MAX_SLIPPAGE_BPS,
    "ORDERS_DEFAULT_SLIPPAGE_BPS is above ORDERS_MAX_SLIPPAGE_BPS",
)
env.refuse(
    ORDERS_LEASE_SECONDS <= CELERY_TASK_TIME_LIMIT,
    f"ORDERS_LEASE_SECONDS must be above the task time limit of {CELERY_TASK_TIME_LIMIT} s",
)

# Stablecoin

EVM_CHAINS = evm_chains(env)
if EVM_CHAINS:
    KMS_KEY_ID = env.text("KMS_KEY_ID")
    # The address of that key: what is signed by another is never sent.
    KMS_ADDRESS = env.text("KMS_ADDRESS", default="")
    AWS_REGION = env.text("AWS_REGION")
    KURO_WEBSOCKET_URL = env.url("KURO_WEBSOCKET_URL", "ws", "wss")
    KURO_REST_URL = env.url("KURO_REST_URL", "http", "https")
    KURO_TOKEN = env.secret("KURO_TOKEN", default="")
else:
    # A site that only swaps has none of this in its queues.
    del CELERY_TASK_QUEUES["stablecoin"], CELERY_TASK_QUEUES["relayer"]
STABLECOIN_STAGE_SIZE = env.integer("STABLECOIN_STAGE_SIZE", 100, least=1, most=1_000)
STABLECOIN_LEASE_SECONDS = env.integer("STABLECOIN_LEASE_SECONDS", 30, least=3, most=600)
# A block this deep is taken for final. Reorganisations of a dozen blocks were seen elsewhere.
STABLECOIN_CONFIRMATIONS = env.integer("STABLECOIN_CONFIRMATIONS", 12, least=1, most=10_000)
STABLECOIN_APPROVAL_HOURS = env.integer("STABLECOIN_APPROVAL_HOURS", 24, least=1, most=240)
# Transactions of one relayer that wait to be mined; nodes drop the ones queued beyond 64.
STABLECOIN_IN_FLIGHT = env.integer("STABLECOIN_IN_FLIGHT", 60, least=1, most=1_000)
STABLECOIN_MAX_FEE_GWEI = env.integer("STABLECOIN_MAX_FEE_GWEI", 500, least=1, most=1_000_000)
# How long a transaction waits for a block before its fees are raised.
STABLECOIN_BUMP_SECONDS = env.integer("STABLECOIN_BUMP_SECONDS", 30, least=1, most=3_600)
# Below this balance of a relayer (in thousandths of the native coin) people are told.
STABLECOIN_LOW_BALANCE_MILLI = env.integer(
    "STABLECOIN_LOW_BALANCE_MILLI", 100, least=0, most=1_000_000_000
)
env.refuse(
    STABLECOIN_LEASE_SECONDS <= CELERY_TASK_TIME_LIMIT,
    f"STABLECOIN_LEASE_SECONDS must be above the task time limit of {CELERY_TASK_TIME_LIMIT} s",
)

# Fair batches

# The keys of the vault and of the receipts; without this folder there are no batches.
BATCHES_KEYS_DIR = env.optional_folder("BATCHES_KEYS_DIR")
if BATCHES_KEYS_DIR:
    CELERY_TASK_QUEUES["batches"] = {}
    CELERY_TASK_QUEUES["transfers"] = {}
    CELERY_TASK_QUEUES["reservations"] = {}
# Batches that are kept planned, the milliseconds between passes, and those between a batch's cutoff
# and its slot; markets may have their own.
BATCH_LOOK_AHEAD = env.integer("BATCH_LOOK_AHEAD", 10, least=1, most=1_000)
BATCH_PLAN_INTERVAL = env.integer("BATCH_PLAN_INTERVAL", 1_000, least=100, most=60_000)
CUTOFF_LEAD_MS = env.integer("CUTOFF_LEAD_MS", 500, least=1, most=60_000)
# How many open orders a market takes, and so a batch of it.
BATCH_MAX_ORDERS = env.integer("BATCH_MAX_ORDERS", 100_000, least=1, most=1_000_000)
# Where block space is reserved; none is where this is empty.
RAIKU_URL = env.url("RAIKU_URL", "http", "https", default="")
RAIKU_TOKEN = env.secret("RAIKU_TOKEN", default="")
# The most that a reserved compute unit may cost, in micro-lamports, and the units that are reserved
# for a tick's settlement.
BATCH_MAX_BID = env.integer("BATCH_MAX_BID", 10_000, least=1, most=10**12)
BATCH_RESERVED_UNITS = env.integer("BATCH_RESERVED_UNITS", 1_000_000, least=1_000, most=10**8)
BATCHES_STAGE_SIZE = env.integer("BATCHES_STAGE_SIZE", 500, least=1, most=5_000)
BATCHES_LEASE_SECONDS = env.integer("BATCHES_LEASE_SECONDS", 30, least=3, most=600)
env.refuse(
    BATCHES_LEASE_SECONDS <= CELERY_TASK_TIME_LIMIT,
    f"BATCHES_LEASE_SECONDS must be above the task time limit of {CELERY_TASK_TIME_LIMIT} s",
)

# Callers

AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
    )
]
LOGIN_URL = "/sign-in"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/sign-in"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 7 * 24 * 3600
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "fairlane.core.error_views.csrf_failure"

THROTTLE_KEY = env.rate("THROTTLE_KEY", "6000/minute")
THROTTLE_ADDRESS = env.rate("THROTTLE_ADDRESS", "12000/minute")
THROTTLE_SIGN_IN = env.rate("THROTTLE_SIGN_IN", "20/minute")
# How many proxies of our own stand before us, each adding one address to X-Forwarded-For.
TRUSTED_PROXIES = env.integer("TRUSTED_PROXIES", 0, least=0, most=10)

# Who asks from these reads health and metrics without a key; nobody else sees the health in full.
MONITORING_NETWORKS = env.networks("MONITORING_NETWORKS")

X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
# Unfold's pages carry inline scripts and styles, and Alpine evaluates their attributes.
ADMIN_CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

# REST

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["fairlane.core.rest.authentication.Callers"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_THROTTLE_CLASSES": ["fairlane.core.rest.throttles.Throttle"],
    "DEFAULT_PARSER_CLASSES": ["fairlane.core.rest.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "fairlane.core.rest.pagination.CursorPage",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "fairlane.core.rest.exceptions.handle",
    "UNAUTHENTICATED_USER": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Fairlane",
    "DESCRIPTION": "Swap orders on Solana, fair batches that anyone can verify, and a stablecoin"
    " that is minted and redeemed on several EVM chains.",
    "VERSION": "1",
    # Request bodies are described by pydantic, whose JSON schemas are those of 3.1.
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    # Nobody else's server is asked what it thinks of the schema.
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "validatorUrl": None},
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "StablecoinRequestType": ["mint", "redeem"],
        "BatchOrderType": ["limit", "market"],
    },
}

# Operation

LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR"))
LOG_FORMAT = env.choice("LOG_FORMAT", "json", ("json", "console"))
LOGGING_CONFIG = "fairlane.core.logging.configure"
LOGGING = {"level": LOG_LEVEL, "format": LOG_FORMAT}
# Read by prometheus_client itself; named here so that the environment is known in one place.
PROMETHEUS_MULTIPROC_DIR = env.text("PROMETHEUS_MULTIPROC_DIR", default="")
if PROMETHEUS_MULTIPROC_DIR:
    Path(PROMETHEUS_MULTIPROC_DIR).mkdir(parents=True, exist_ok=True)

# The back office

FORMAT_MODULE_PATH = "fairlane.formats"
UNFOLD = unfold.UNFOLD
if EVM_CHAINS:
    UNFOLD["SIDEBAR"]["navigation"].insert(2, unfold.STABLECOIN)
if BATCHES_KEYS_DIR:
    UNFOLD["SIDEBAR"]["navigation"].insert(2, unfold.BATCHES)
