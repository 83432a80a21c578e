"""One typed settings object, from ``wirewatch.toml`` in the data folder and the environment, the environment winning.

Environment names are the field's in capitals behind ``WIREWATCH_`` (``WIREWATCH_CONTACT``); lists are separated by
commas.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import platformdirs
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from pipeline import __version__
from pipeline.errors import SettingsError

FILE_NAME = "wirewatch.toml"


class Settings(BaseSettings):
    """All that can be set. Sizes are bytes, durations seconds."""

    model_config = SettingsConfigDict(env_prefix="WIREWATCH_", extra="forbid", frozen=True)

    data: Path = Field(default_factory=lambda: Path(platformdirs.user_data_dir("wirewatch")))
    """The one folder that holds ledger, archive and index."""

    contact: str = "https://github.com/wirewatch/wirewatch"
    """Address or e-mail that sites can complain to; it goes into the User-Agent."""
    allow_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    """Hosts (``name`` or ``name:port``) that may be private or loopback addresses."""
    concurrency: int = Field(32, ge=1, le=1000)
    """Requests under way at once, over all hosts."""
    per_host: int = Field(2, ge=1, le=32)
    """Requests under way at once to one host."""
    host_delay: float = Field(1.0, ge=0)
    """Least time between the starts of two requests to one host."""
    crawl_delay_cap: float = Field(30.0, ge=0)
    """A robots.txt Crawl-delay above this is taken as this."""
    connect_timeout: float = Field(10.0, gt=0)
    read_timeout: float = Field(20.0, gt=0)
    total_timeout: float = Field(60.0, gt=0)
    max_bytes: int = Field(10 * 1024 * 1024, ge=1024)
    """Cap on a response, on the wire and after decompression alike."""
    robots: bool = True
    """Whether article pages are asked for only where robots.txt allows."""

    min_interval: float = Field(120.0, ge=1)
    max_interval: float = Field(86_400.0, ge=60)

    workers: int = Field(1, ge=1, le=64)
    """Processes that extract and enrich."""
    page_timeout: float = Field(60.0, gt=0)
    """A page whose extraction and enrichment takes longer is quarantined and its process replaced."""
    batch: int = Field(100, ge=1, le=10_000)
    """Articles taken in hand at once; a commit of the index costs 40-50 ms, so not too few."""
    lease: float = Field(300.0, gt=0)
    """How long work in hand is held before another worker may take it."""
    max_attempts: int = Field(5, ge=1)
    """Failed attempts at one stage before an article is quarantined."""
    warc_size: int = Field(256 * 1024 * 1024, ge=1024)
    """A WARC file above this is closed and a new one begun."""

    model: str | None = None
    """A model folder or an installed spaCy pipeline in place of the packaged model."""
    enrich: bool = True
    """Whether entities and claims are sought; off, articles are indexed without them."""

    @field_validator("allow_hosts", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("data")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @property
    def user_agent(self) -> str:
        return f"Wirewatch/{__version__} (+{self.contact})"

    @property
    def ledger_file(self) -> Path:
        return self.data / "ledger.sqlite"

    @property
    def archive_folder(self) -> Path:
        return self.data / "archive"

    @property
    def index_folder(self) -> Path:
        return self.data / "index"


def load_settings(data: Path | None = None, **overrides: Any) -> Settings:
    """The settings for a data folder: ``overrides``, then the environment, then ``wirewatch.toml`` in the folder.

    Raises SettingsError naming the setting and what is wrong with it.
    """
    file = Path(FILE_NAME)
    try:
        chosen = data if data is not None else Settings().data
        file = chosen.expanduser() / FILE_NAME

        class FromFolder(Settings):
            model_config = SettingsConfigDict(toml_file=file)

        found = FromFolder(data=chosen, **overrides)
        return Settings(**found.model_dump())  # of a class that can be sent to a worker process
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"]) or "settings"
        raise SettingsError(f"setting {name!r}: {first['msg']}") from error
    except (OSError, ValueError) as error:
        raise SettingsError(f"settings file {file}: {error}") from error
