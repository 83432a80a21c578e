"""One typed settings object, from ``wirewatch.toml`` in the data folder and the environment, the environment winning.

Environment names are the field's in capitals behind ``WIREWATCH_`` (``WIREWATCH_CONTACT``); lists are separated by
commas. A name that is no setting's is refused in either place: a typing error must not pass for a setting.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import platformdirs
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from pipeline import __version__
from pipeline.errors import SettingsError

FILE_NAME = "wirewatch.toml"
PREFIX = "WIREWATCH_"

HOUR, DAY = 3_600.0, 86_400.0

_OPTIONAL = (
    "index_api_key",
    "index_api_key_file",
    "index_user",
    "index_password",
    "index_password_file",
    "index_ca",
    "index_fingerprint",
)


LEAST_DAYS = 31
"""What is younger is never removed: claims are compared with those of thirty days, stories with those of fourteen."""


class Settings(BaseSettings):
    """All that can be set. Sizes are bytes, durations seconds; upper bounds are what nobody can mean to exceed."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True, allow_inf_nan=False)

    data: Path = Field(default_factory=lambda: _default_folder())
    """The one folder that holds ledger, archive and index."""

    ledger: str | None = Field(None, repr=False)
    """A PostgreSQL database as the ledger, ``postgresql+psycopg://user:password@host/name``, for workers on more than
    one machine; by default a file in the data folder."""

    contact: str = "https://github.com/wirewatch/wirewatch"
    """Address or e-mail that sites can complain to; it goes into the User-Agent."""
    allow_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    """Hosts (``name`` or ``name:port``) that may be private or loopback addresses."""
    concurrency: int = Field(32, ge=1, le=1000)
    """Requests under way at once, over all hosts."""
    per_host: int = Field(2, ge=1, le=32)
    """Requests under way at once to one host."""
    host_delay: float = Field(1.0, ge=0, le=HOUR)
    """Least time between the starts of two requests to one host."""
    crawl_delay_cap: float = Field(30.0, ge=0, le=HOUR)
    """A robots.txt Crawl-delay above this is taken as this."""
    connect_timeout: float = Field(10.0, ge=0.001, le=HOUR)
    read_timeout: float = Field(20.0, ge=0.001, le=HOUR)
    total_timeout: float = Field(60.0, ge=0.001, le=HOUR)
    max_bytes: int = Field(10 * 1024 * 1024, ge=1024, le=1024**3)
    """Cap on a response, on the wire and after decompression alike."""
    robots: bool = True
    """Whether article pages are asked for only where robots.txt allows."""

    min_interval: float = Field(120.0, ge=1, le=30 * DAY)
    max_interval: float = Field(DAY, ge=60, le=30 * DAY)

    keep_days: int | None = Field(None, ge=LEAST_DAYS, le=36_500)
    """Days after which a story that is over is removed from index, ledger and archive; without it, nothing ever is."""

    revisit: bool = True
    """Whether pages of new articles are looked at again, to see whether they were changed, corrected or withdrawn."""
    revisits_a_day: int = Field(500, ge=0, le=100_000)
    """Pages of one host that are looked at again in a day, at most."""
    listen: str | None = None
    """``host:port`` on which a resident worker answers ``/healthz``, ``/readyz`` and ``/metrics`` (Prometheus), to all
    who can reach it: keep it on ``127.0.0.1`` or an inner network."""

    websub: str | None = None
    """The address under which hubs reach ``listen``, as ``https://news.example/``: feeds that name a WebSub hub are
    pushed, and polled about once an hour once they are. Only ``/websub/…`` need be reachable from outside."""

    workers: int = Field(1, ge=1, le=64)
    """Processes that extract and enrich."""
    page_timeout: float = Field(60.0, ge=0.001, le=HOUR)
    """A page whose extraction and enrichment takes longer is quarantined and its process replaced."""
    page_memory: int = Field(1024**3, ge=256 * 1024**2, le=1024**4)
    """The same for a page that takes more bytes of memory beside what the process has with its models loaded. Of the
    recorded wire no page takes 60 MB; ten megabytes of tags alone make a tree of 600 (2026-11-25)."""
    batch: int = Field(200, ge=1, le=10_000)
    """Articles taken in hand and indexed at once; a commit of the index costs 60 ms and more, so not too few."""
    lease: float = Field(300.0, ge=10, le=DAY)
    """How long work in hand is held before another worker may take it; under 10 s two would do the same page."""
    claim_lease: float = Field(HOUR, ge=60, le=7 * DAY)
    """How long a batch that goes from task to task is held after the last task that touched it: its next task waits
    for a slot, or is tried again minutes later, and nobody else should begin it meanwhile."""
    fused: bool = False
    """Whether a scheduler's batch is one task (fetch to index) in place of four: for a host with few cores, where
    starting a task costs more than doing things beside each other saves."""
    max_attempts: int = Field(5, ge=1, le=100)
    """Failed attempts at one stage before an article is quarantined."""
    warc_size: int = Field(256 * 1024 * 1024, ge=1024, le=1024**4)
    """A WARC file above this is closed and a new one begun."""

    model: str | None = None
    """A model folder or an installed spaCy pipeline in place of the packaged model."""
    enrich: bool = True
    """Whether entities and claims are sought; off, articles are indexed without them."""

    index: str = "embedded"
    """``embedded``, or the address of an Elasticsearch: ``https://search.example:9200``."""
    index_prefix: str = Field("wire", pattern=r"^[a-z][a-z0-9]{0,30}$")
    """What the names of indices and aliases there begin with."""
    index_api_key: SecretStr | None = None
    """The key as Elasticsearch gives it, encoded. It, or ``index_user`` with ``index_password``, not both."""
    index_api_key_file: Path | None = None
    """A file that holds the key, in its place."""
    index_user: str | None = None
    index_password: SecretStr | None = None
    index_password_file: Path | None = None
    index_ca: Path | None = None
    """The certificate (PEM) of who signed the server's, where the system does not know it."""
    index_fingerprint: str | None = None
    """SHA-256 of the certificate of who signed the server's, as hexadecimal digits; in place of ``index_ca``."""
    index_timeout: float = Field(30.0, ge=0.1, le=HOUR)
    """How long an answer may take before the server counts as gone."""

    token: SecretStr | None = None
    """What visitors of the built-in page have to give; without one, the page asks for a token of its own making where
    other machines can reach it."""

    rules: Path | None = None
    """The folder with the alert rules; ``rules`` in the data folder where none is named."""
    alert_on_baseline: bool = False
    """Whether what was there at a feed's first poll is alerted to."""
    operations_channels: Annotated[tuple[str, ...], NoDecode] = ("log", "feed")
    """The alert channels by which Wirewatch tells of itself: a source gone quiet or loud, a DAG's task that failed."""
    alert_retry: float = Field(10.0, ge=0.01, le=HOUR)
    """Pause after a message's first failed delivery; it doubles with each, up to an hour."""
    alert_give_up: float = Field(2 * DAY, ge=1, le=30 * DAY)
    """A message that no attempt could deliver in this time is undeliverable."""

    @field_validator("token")
    @classmethod
    def _guarded(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not (len(value.get_secret_value()) >= 16 and value.get_secret_value().isascii()):
            raise ValueError("must have 16 characters or more, all ASCII: it is all that keeps others out")
        return value

    @field_validator("contact")
    @classmethod
    def _one_line(cls, value: str) -> str:
        if not value.strip() or not value.isprintable():
            raise ValueError(
                "must be an address or e-mail on one line, without control characters: it goes into a header"
            )
        return value

    @field_validator("ledger", mode="before")
    @classmethod
    def _database(cls, value: object) -> object:
        if value in (None, ""):
            return None
        if not isinstance(value, str) or not re.match(r"postgresql(\+psycopg)?://", value):
            # Without what was given: it may hold a password.
            raise ValueError("must be postgresql+psycopg://user:password@host/name, or left out for the file")
        return value.replace("postgresql://", "postgresql+psycopg://", 1)

    @field_validator("listen")
    @classmethod
    def _place(cls, value: str | None) -> str | None:
        host, colon, port = (value or "127.0.0.1:1").rpartition(":")
        if not (host and colon and port.isascii() and port.isdigit() and 0 < int(port[:9]) < 65536):
            raise ValueError(f"must be host:port, as 127.0.0.1:9464, not {value!r}")
        return value

    @field_validator("websub")
    @classmethod
    def _callback(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            parts = urlsplit(value)
            usable = parts.scheme in {"http", "https"} and parts.hostname and not parts.query and not parts.fragment
        except ValueError:
            usable = False
        if not usable or not value.isprintable() or " " in value:
            raise ValueError(f"must be an address that hubs can reach, as https://news.example/, not {value!r}")
        return value.rstrip("/") + "/"

    @field_validator("allow_hosts", "operations_channels", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("allow_hosts")
    @classmethod
    def _hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for host in value:
            if not host or not host.isprintable() or re.search(r"[\s/@]", host):
                raise ValueError(f"a host is a name or name:port, and {host!r} is neither")
        return value

    @field_validator("data", mode="before")
    @classmethod
    def _absolute(cls, value: object) -> object:
        return _folder(value) if isinstance(value, str | Path) else value

    @field_validator("index")
    @classmethod
    def _engine(cls, value: str) -> str:
        if value == "embedded":
            return value
        try:
            parts = urlsplit(value)
            usable = parts.scheme in {"http", "https"} and parts.hostname and not parts.query and not parts.fragment
            port = parts.port or {"http": 9200, "https": 9200}[parts.scheme] if usable else None
        except ValueError:
            usable, port = False, None
        if not usable or port is None:
            raise ValueError("must be 'embedded', or the address of an Elasticsearch as https://host:9200")
        if parts.username is not None or parts.password is not None:
            raise ValueError("must have no user or password in its address; give them as index_user and index_password")
        return f"{parts.scheme}://{_host(str(parts.hostname))}:{port}{parts.path.rstrip('/')}"

    @field_validator(*_OPTIONAL, mode="before")
    @classmethod
    def _none(cls, value: object) -> object:
        return None if value == "" else value  # what a compose file gives for a variable that is not set

    @field_validator("index_fingerprint")
    @classmethod
    def _sha256(cls, value: str | None) -> str | None:
        plain = value.replace(":", "").lower() if value else None
        if plain is not None and not re.fullmatch(r"[0-9a-f]{64}", plain):
            raise ValueError("must be the 64 hexadecimal digits of a SHA-256")
        return plain

    @model_validator(mode="after")
    def _credentials(self) -> Settings:
        for name in ("index_api_key", "index_password"):
            if getattr(self, name) is not None and getattr(self, f"{name}_file") is not None:
                raise ValueError(f"{name} and {name}_file are both given; one is enough")
        key = self.index_api_key or self.index_api_key_file
        password = self.index_password or self.index_password_file
        if key and (self.index_user or password):
            raise ValueError("index_api_key and index_user are both given; one is enough")
        if bool(self.index_user) != bool(password):
            raise ValueError("index_user and index_password belong together, and one of them is missing")
        if (key or password) and self.index.startswith("http://") and not _is_loopback(self.index):
            raise ValueError("a key or password would go over the network unencrypted: index must begin with https://")
        return self

    def secret(self, name: str) -> str | None:
        """``index_api_key`` or ``index_password``, from the setting or its file. Raises SettingsError."""
        given = getattr(self, name)
        if given is not None:
            return str(given.get_secret_value())
        file: Path | None = getattr(self, f"{name}_file")
        if file is None:
            return None
        try:
            text = file.read_text("utf-8").strip()
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no text"
            raise SettingsError(f"setting '{name}_file': {file} cannot be read: {reason}") from None
        if not text:
            raise SettingsError(f"setting '{name}_file': {file} is empty")
        return text

    @model_validator(mode="after")
    def _heard(self) -> Settings:
        if self.websub is not None and self.listen is None:
            raise ValueError("websub needs listen: a worker must answer what hubs send to that address")
        return self

    @model_validator(mode="after")
    def _intervals(self) -> Settings:
        if self.min_interval > self.max_interval:
            raise ValueError(f"min_interval is {self.min_interval:g}, above max_interval, {self.max_interval:g}")
        return self

    @property
    def user_agent(self) -> str:
        return f"Wirewatch/{__version__} (+{self.contact})"

    @property
    def ledger_at(self) -> Path | str:
        """Where the ledger is: what ``open_ledger`` takes."""
        return self.ledger or self.ledger_file

    @property
    def ledger_file(self) -> Path:
        return self.data / "ledger.sqlite"

    @property
    def rules_folder(self) -> Path:
        return self.data / "rules" if self.rules is None else self.data / self.rules.expanduser()

    @property
    def claims_folder(self) -> Path:
        return self.data / "claims"

    @property
    def archive_folder(self) -> Path:
        return self.data / "archive"

    @property
    def index_folder(self) -> Path:
        return self.data / "index"


def load_settings(data: Path | None = None, **overrides: Any) -> Settings:
    """The settings for a data folder: ``overrides``, then the environment, then ``wirewatch.toml`` in the folder.

    Raises SettingsError naming the setting, where it was given, and what is wrong with it.
    """
    environment = _environment()
    if data is not None:
        overrides["data"] = data
    file = Path(FILE_NAME)
    written: Mapping[str, Any] = {}
    try:
        chosen = _folder(overrides.get("data", environment.get("data", _default_folder())))
    except ValueError as error:
        where = "" if "data" in overrides else f" in environment variable {PREFIX}DATA"
        raise SettingsError(f"setting 'data'{where}: {error}") from error
    try:
        if chosen.exists() and not chosen.is_dir():
            raise SettingsError(f"{chosen} is a file, not a folder; the data folder is given by --data or {PREFIX}DATA")
        file = chosen / FILE_NAME
        written = _read(file)
        kept = {name: value for name, value in written.items() if name not in environment}
        return Settings(**(kept | overrides))
    except ValidationError as error:
        raise SettingsError(_sentence(error, file, written, environment, overrides)) from error
    except OSError as error:
        raise SettingsError(f"settings file {file}: {error.strerror or error}") from error


def _host(name: str) -> str:
    return f"[{name}]" if ":" in name else name


def _is_loopback(url: str) -> bool:
    name = urlsplit(url).hostname or ""
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


def _default_folder() -> Path:
    return Path(platformdirs.user_data_dir("wirewatch"))


def _folder(given: str | Path) -> Path:
    """The data folder, absolute. Raises ValueError with a reason."""
    if given == "":
        raise ValueError("it is empty; name a folder, or leave it out")
    if "\0" in str(given):
        raise ValueError("a folder's name cannot hold a zero byte")
    try:
        return Path(given).expanduser().absolute()
    except RuntimeError as error:  # ~nobody
        raise ValueError(f"there is no home folder for {str(given)!r}") from error


_CLUSTER = re.compile(r"(\w+_)?(SERVICE_(HOST|PORT)(_\w+)?|PORT(_\d+_\w+)?)")
"""What Kubernetes puts into the environment of every container beside a service whose name begins with wirewatch."""


def _environment() -> dict[str, str]:
    """The settings in the environment. Raises SettingsError for a name that is no setting's."""
    found = {}
    for name, value in os.environ.items():
        if not name.upper().startswith(PREFIX):
            continue
        field = name[len(PREFIX) :].lower()
        if field in Settings.model_fields:
            found[field] = value
        elif not _CLUSTER.fullmatch(field.upper()):
            near = _near(field)
            advice = f"; did you mean {PREFIX}{near.upper()}?" if near else ""
            raise SettingsError(f"environment variable {name}: there is no such setting{advice}")
    return found


def _read(file: Path) -> dict[str, Any]:
    """What stands in the settings file; nothing where there is none."""
    try:
        written = tomllib.loads(file.read_bytes().decode("utf-8-sig"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except IsADirectoryError as error:
        raise SettingsError(f"settings file {file}: it is a folder, and should be a file") from error
    except ValueError as error:
        raise SettingsError(f"settings file {file} cannot be read: {error}") from error
    if "data" in written:
        raise SettingsError(
            f"setting 'data' in {file}: a folder cannot say from within where it is; use --data or {PREFIX}DATA"
        )
    for name in written:
        if name not in Settings.model_fields:
            raise SettingsError(f"setting {name!r} in {file}: {_unknown(name)}")
    return written


def _unknown(name: str) -> str:
    near = _near(name)
    return "there is no such setting" + (f"; did you mean {near!r}?" if near else "")


def _near(name: str) -> str | None:
    return next(iter(difflib.get_close_matches(name.lower(), Settings.model_fields, n=1, cutoff=0.6)), None)


def _sentence(
    error: ValidationError,
    file: Path,
    written: Mapping[str, Any],
    environment: Mapping[str, str],
    overrides: Mapping[str, Any],
) -> str:
    """Which setting is at fault, where it was given, and what it should be."""
    first = error.errors()[0]
    if not first["loc"]:
        return f"settings: {first['ctx']['error']}"
    name = str(first["loc"][0])
    where = ""
    if name in overrides:
        where = " on the command line"
    elif name in environment:
        where = f" in environment variable {PREFIX}{name.upper()}"
    elif name in written:
        where = f" in {file}"
    return f"setting {name!r}{where}: {_words(name, dict(first))}"


_SECRETS = {"index_api_key", "index_password"}


def _words(name: str, problem: dict[str, Any]) -> str:
    kind, given, limits = problem["type"], problem["input"], problem.get("ctx", {})
    shown = repr(given) if len(repr(given)) <= 60 else repr(given)[:60] + "…"
    if name in _SECRETS:
        shown = "what is given"
    match kind:
        case "extra_forbidden":
            return _unknown(name)
        case "value_error":
            return str(limits["error"])
        case "greater_than_equal":
            return f"must be {limits['ge']:,g} or more, not {shown}"
        case "less_than_equal":
            return f"must be {limits['le']:,g} or less, not {shown}"
        case "finite_number":
            return f"must be a finite number, not {shown}"
    if kind == "string_pattern_mismatch":
        return f"must be small letters and digits, beginning with a letter, not {shown}"
    if name in ("allow_hosts", "operations_channels"):
        what = "hosts" if name == "allow_hosts" else "channels"
        return f"must be a list of {what} (in the environment, parted by commas), not {shown}"
    wanted = {"int": "a whole number", "float": "a number", "bool": "true or false", "string": "text", "path": "a path"}
    return f"must be {wanted.get(kind.split('_')[0], 'something else')}, not {shown}"
