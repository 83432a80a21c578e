"""URLs as identities: normalised, resolved, and compared by site.

Normalising serves identity only (one story, one address); what is fetched is the URL as the feed or page gave it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, quote, urljoin, urlsplit, urlunsplit

if TYPE_CHECKING:
    from tldextract import TLDExtract

_DEFAULT_PORTS = {"http": 80, "https": 443, "ftp": 21}

# Parameters that say how a reader came to the page, never which page it is. Names are compared in lower case. A name
# that some site also uses to choose a page (`id`, `ref`, `source`, `p`) must not stand here; see _TRACKING_VALUES.
_TRACKING_NAMES = frozenset(
    """
    fbclid gclid gclsrc dclid gbraid wbraid msclkid yclid ysclid twclid ttclid li_fat_id igshid igsh epik srsltid
    mc_cid mc_eid mkt_tok _ga _gl _ke _hsenc _hsmi __hssc __hstc __hsfp hsctatracking vero_id vero_conv oly_anon_id
    oly_enc_id dm_i s_cid ml_subscriber ml_subscriber_hash rb_clickid wickedid sc_cid sc_campaign
    fb_action_ids fb_action_types fb_ref fb_source action_object_map action_type_map action_ref_map
    at_medium at_campaign at_custom1 at_custom2 at_custom3 at_custom4 at_format at_link_id at_link_origin
    at_link_type at_bbc_team at_ptr_name at_campaign_type
    ns_mchannel ns_source ns_campaign ns_linkname ns_fee
    traffic_source maca cmp cmpid ocid ncid taid xtor ftag ito smid smtyp icid intcid intcmp wt_mc wt.mc_id wt.mc_ev
    wt.nav wt.tsrc wprov spref ref_src ref_url __twitter_impression guccounter guce_referrer guce_referrer_sig
    cvid feedtype feedname sr_share soc_src soc_trk tsrc
    """.split()  # noqa: SIM905
)
_TRACKING_PREFIXES = ("utm_", "mtm_", "pk_", "piwik_", "matomo_", "hsa_", "ga_", "stm_", "oref_", "pf_rd_")
# Names that choose a page on one site and tell the way on another: dropped only with a value that speaks of feeds.
_TRACKING_VALUES = {
    "ref": re.compile(r"rss|feed|twitter|facebook", re.I),
    "source": re.compile(r"rss|feed|twitter|facebook", re.I),
    "src": re.compile(r"rss|feed", re.I),
    "from": re.compile(r"rss|feed", re.I),
    "via": re.compile(r"rss|feed", re.I),
    "partner": re.compile(r"rss", re.I),
    "emc": re.compile(r"rss", re.I),
    "mod": re.compile(r"rss", re.I),
    "cid": re.compile(r"rss|feed", re.I),
}

# What may stand unescaped in a path or query; "%" too, so that quoting twice changes nothing.
_SAFE = "%/:@!$&'()*+,;=~-._?"

_BLANKS = re.compile(r"[\t\n\r]+")


def normalise(url: str) -> str:
    """The URL as an identity: scheme and host in lower case (IDNA), default port, fragment and tracking parameters
    off, non-ASCII percent-encoded, the order of the query kept. Idempotent. Never raises: garbage comes back stripped.
    """
    if len(url) > _LONG:
        return _normalised(url)
    return _remembered(str(url))  # a plain one: lxml's strings hold on to their documents


def _normalised(url: str) -> str:
    stripped = _BLANKS.sub("", url).strip()
    try:
        parts = urlsplit(stripped)
        port = parts.port
    except ValueError:
        return stripped
    if not parts.scheme or not parts.hostname:
        return stripped
    netloc = _ascii_host(parts.hostname)
    if port is not None and port != _DEFAULT_PORTS.get(parts.scheme):
        netloc = f"{netloc}:{port}"
    if "@" in parts.netloc:
        netloc = f"{parts.netloc.rpartition('@')[0]}@{netloc}"
    path = quote(parts.path, safe=_SAFE, errors="replace") or "/"
    query = "&".join(
        quote(pair, safe=_SAFE, errors="replace") for pair in parts.query.split("&") if pair and not _tracks(pair)
    )
    return urlunsplit(SplitResult(parts.scheme, netloc, path, query, ""))


_LONG = 2_000
_remembered = lru_cache(maxsize=1024)(_normalised)
"""An entry's link is asked for four times on its way from the feed into the ledger, and as often with its page; each
time took 13 us (2026-11-26)."""


def host(url: str) -> str:
    """The URL's host in lower case, with ``:port`` where the port is not the scheme's own; "" where there is none."""
    try:
        parts = urlsplit(url.strip())
        name, port = parts.hostname, parts.port
    except ValueError:
        return ""
    if not name:
        return ""
    name = _ascii_host(name)
    return name if port is None or port == _DEFAULT_PORTS.get(parts.scheme) else f"{name}:{port}"


def resolve(base: str, link: str) -> str:
    """The link as an absolute URL, seen from a page at ``base``. A link that cannot be read comes back stripped."""
    stripped = _BLANKS.sub("", link).strip()
    try:
        return urljoin(base, stripped)
    except ValueError:
        return stripped


def is_web(url: str) -> bool:
    """Whether this is an absolute http or https URL with a host."""
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def same_site(a: str, b: str) -> bool:
    """Whether two URLs belong to one registered domain ("news.bbc.co.uk" and "www.bbc.co.uk"). Addresses and names
    without a public suffix (``localhost``) are compared whole, without their ports."""
    first, second = _site(a), _site(b)
    return bool(first) and first == second


def _tracks(pair: str) -> bool:
    name, _, value = pair.partition("=")
    name = name.lower()
    if name in _TRACKING_NAMES or name.startswith(_TRACKING_PREFIXES):
        return True
    pattern = _TRACKING_VALUES.get(name)
    return pattern is not None and pattern.match(value) is not None


def _ascii_host(name: str) -> str:
    name = name.lower().rstrip(".") or name
    if ":" in name:
        return f"[{name}]"
    if name.isascii():
        return name
    try:
        return name.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return name


@lru_cache(maxsize=1)
def _suffixes() -> TLDExtract:
    # Imported late: it brings requests, half a second that most commands need not spend (2026-11-23).
    from tldextract import TLDExtract

    # The list of public suffixes comes with the package; nothing is fetched and nothing is written.
    return TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True)


@lru_cache(maxsize=4096)
def _domain_of(name: str) -> str:
    return _suffixes()(name).top_domain_under_public_suffix or name


def _site(url: str) -> str:
    try:
        name = urlsplit(url.strip()).hostname
    except ValueError:
        return ""
    return _domain_of(_ascii_host(name)) if name else ""
