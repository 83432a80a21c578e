"""The words of a message: one alert or several as plain text, by the house's template or the rule's own.

Templates are Jinja2 in its sandbox, with ``alerts`` (a list of :class:`pipeline.records.Alert`), ``alert`` (its first)
and ``rule`` (its name); ``excerpt|marked`` gives an excerpt with its words in asterisks, ``time|stamp`` a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache

from jinja2 import Template
from jinja2.sandbox import ImmutableSandboxedEnvironment

from pipeline.records import Alert, AlertKind, Excerpt

LONGEST = 20_000
"""Characters of a message; the services that take the most take this."""

HOUSE = """\
{%- for alert in alerts %}
{%- if alert.kind == "notice" %}{{ alert.status|upper }}: {% endif %}{{ alert.headline }}
{{ alert.source }}{% if alert.carriers|length > 1 %} and {{ alert.carriers|length - 1 }} more \
({{ alert.independent_sources }} independent){% endif %} · {{ (alert.published or alert.first_seen)|stamp }}
{% if alert.kind == "operations" %}{{ alert.url }}
{% else %}{% if alert.kind == "notice" %}{{ alert.note or "You were alerted to an earlier version of this story." }}
{% else %}{% for excerpt in alert.excerpts if excerpt.field != "title" %}{{ excerpt|marked }}
{% endfor %}{% for claim in alert.claims if claim.speaker or claim.cue %}{{ claim.speaker or "?" }}\
{% if claim.role %} ({{ claim.role }}){% endif %} · {{ claim.cue or "no cue" }}\
{% if claim.cue_class %} ({{ claim.cue_class }}){% endif %}\
{% if claim.anonymous %} · anonymous{% if claim.reason %}: {{ claim.reason }}{% endif %}{% endif %}
{% endfor %}{% endif %}{{ alert.url }}
Why: {% for reason in alert.why %}{{ reason.clause }} in {{ reason.field }}\
{% if reason.matched %} ({{ reason.matched|join(", ") }}){% endif %}{% if not loop.last %}; {% endif %}{% endfor %}
{% endif %}{% if not loop.last %}
{% endif %}{% endfor %}"""


def marked(excerpt: Excerpt, before: str = "*", after: str = "*") -> str:
    """An excerpt's text with its marked words between signs."""
    parts, at = [], 0
    for start, end in excerpt.marks:
        if start >= at:
            parts += [excerpt.text[at:start], before, excerpt.text[start:end], after]
            at = end
    return "".join([*parts, excerpt.text[at:]])


def stamp(when: datetime | None) -> str:
    """A time as people read it, in UTC."""
    return "—" if when is None else when.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


_environment = ImmutableSandboxedEnvironment(autoescape=False, trim_blocks=False, keep_trailing_newline=False)
_environment.filters |= {"marked": marked, "stamp": stamp}


@lru_cache(maxsize=1_024)
def compiled(source: str) -> Template:
    """A template made ready. Raises jinja2.TemplateError."""
    return _environment.from_string(source)


def title(rule: str, alerts: Sequence[Alert]) -> str:
    """The subject of a message."""
    first = alerts[0]
    if len(alerts) == 1:
        what = f"{first.status}: " if first.kind is AlertKind.NOTICE else ""
        return f"[{rule}] {what}{first.headline}"
    return f"[{rule}] {len(alerts)} alerts"


def body(rule: str, alerts: Sequence[Alert], template: str | None = None) -> str:
    """The text of a message. A rule's template that fails costs its own form only: the house's takes its place, and
    says why."""
    values = {"rule": rule, "alerts": list(alerts), "alert": alerts[0]}
    said = ""
    if template is not None:
        try:
            return compiled(template).render(values)[:LONGEST]
        except Exception as error:  # noqa: BLE001 - whatever a template does, the alert must go out
            said = f"(the rule's template failed: {type(error).__name__}: {error})\n\n"
    return (said + compiled(HOUSE).render(values).strip())[:LONGEST]
