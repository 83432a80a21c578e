"""The built-in page: search, articles, names, alerts, feeds and operations in a browser, by ``wirewatch serve``.

``app`` puts the parts together; ``site`` is what they share; ``guard``, ``login`` and ``limits`` keep others out;
``address`` is a search as its address; ``search``, ``article``, ``names``, ``feeds``, ``operations`` and ``live`` are
the pages, one a noun; ``chart`` and ``marking`` make what templates cannot. Everything is rendered here and works
without JavaScript; nothing is fetched from outside.
"""

from __future__ import annotations

from pipeline.web.app import application

__all__ = ["application"]
