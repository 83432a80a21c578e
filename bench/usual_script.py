"""The script that most people would write: feedparser, requests, trafilatura, one write an article.

The peer of ``bench.pipeline``, in a process of its own: ``python -m bench.usual_script DATABASE FEED…``. It prints how
many articles it stored.
"""

from __future__ import annotations

import sqlite3
import sys
from calendar import timegm

import feedparser
import requests
import trafilatura


def main(database: str, feeds: list[str]) -> int:
    db = sqlite3.connect(database)
    db.execute("CREATE TABLE IF NOT EXISTS articles (url TEXT PRIMARY KEY, title TEXT, published INTEGER, body TEXT)")
    session, stored = requests.Session(), 0
    for feed in feeds:
        for entry in feedparser.parse(session.get(feed, timeout=30).content).entries:
            response = session.get(entry.link, timeout=30)
            body = trafilatura.extract(response.text, url=entry.link)
            if body:
                when = entry.get("published_parsed")
                row = (entry.link, entry.title, timegm(when) if when else None, body)
                db.execute("INSERT OR REPLACE INTO articles VALUES (?, ?, ?, ?)", row)
                db.commit()
                stored += 1
    return stored


if __name__ == "__main__":
    print(main(sys.argv[1], sys.argv[2:]))
