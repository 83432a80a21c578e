"""What a good guest does, as rules over the log of requests; each counts what it looked at, and names what broke it."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.manners.world import CRAWL_DELAY, DAY, Request, World

SLACK = 1e-6


@dataclass
class Setting:
    """What the run was told."""

    min_interval: float
    max_interval: float
    host_delay: float
    per_host: int
    unconditional: int = 48


@dataclass(frozen=True)
class Verdict:
    rule: str
    looked_at: int
    broken: tuple[str, ...]


Rule = Callable[[World, Setting], Iterator[str | None]]
"""One value for each thing looked at: ``None``, or what was wrong."""

RULES: dict[str, Rule] = {}


def rule(words: str) -> Callable[[Rule], Rule]:
    def add(made: Rule) -> Rule:
        RULES[words] = made
        return made

    return add


def judge(world: World, setting: Setting) -> list[Verdict]:
    verdicts = []
    for words, made in RULES.items():
        found = list(made(world, setting))
        verdicts.append(Verdict(words, len(found), tuple(broken for broken in found if broken)))
    return verdicts


def table(verdicts: list[Verdict], world: World) -> str:
    polls = sum(one.path.endswith(".xml") for one in world.log)
    lines = [
        f"{polls} polls of {len(world.feeds)} feeds on {len(world.hosts)} hosts in {world.log[-1].at / DAY:.1f} days"
    ]
    width = max(len(verdict.rule) for verdict in verdicts)
    lines += [f"{one.rule:<{width}}  {one.looked_at:>7}  {len(one.broken) or 'kept':>6}" for one in verdicts]
    return "\n".join(lines)


def _by_place(world: World, *, feeds: bool = True) -> dict[tuple[str, str], list[Request]]:
    found: dict[tuple[str, str], list[Request]] = defaultdict(list)
    for one in sorted(world.log, key=lambda one: one.at):
        if not feeds or one.path.endswith(".xml"):
            found[one.host, one.path].append(one)
    return found


def _by_host(world: World) -> dict[str, list[Request]]:
    found: dict[str, list[Request]] = defaultdict(list)
    for one in sorted(world.log, key=lambda one: one.at):
        found[one.host].append(one)
    return found


@rule("validators go back byte for byte, but for one poll in 48")
def validators(world: World, setting: Setting) -> Iterator[str | None]:
    for place, requests in _by_place(world).items():
        etag = modified = None
        bare = 0
        for number, one in enumerate(requests):
            sent = one.headers.get("If-None-Match"), one.headers.get("If-Modified-Since")
            if etag or modified:
                if sent == (None, None):
                    bare += 1
                    yield (
                        f"{place}: {bare} of {number + 1} without conditions"
                        if bare > 2 + number // setting.unconditional
                        else None
                    )
                else:
                    yield None if sent == (etag, modified) else f"{place}: {sent} for {(etag, modified)}"
            if one.status == 200:
                etag, modified = one.etag, one.modified
            elif one.status == 304:
                etag, modified = one.etag or etag, one.modified or modified


@rule("a host that says when is not asked before (Retry-After on 429, 503, 403)")
def patience(world: World, setting: Setting) -> Iterator[str | None]:
    for host, requests in _by_host(world).items():
        until = 0.0
        for one in requests:
            if until:
                yield f"{host} asked {until - one.at:.0f} s early" if one.at < until - 1 else None
            until = max(until, one.at + one.retry_after) if one.retry_after else until


@rule("a 429 that does not say when gives a minute of peace at least")
def peace(world: World, setting: Setting) -> Iterator[str | None]:
    for host, requests in _by_host(world).items():
        for one, then in itertools.pairwise(requests):
            if one.status == 429 and one.retry_after is None:
                yield f"{host} asked again after {then.at - one.at:.0f} s" if then.at - one.at < 59 else None


@rule("what moved for good is asked at its new address only")
def moved_for_good(world: World, setting: Setting) -> Iterator[str | None]:
    for place, requests in _by_place(world).items():
        if requests[0].status in (301, 308):
            yield f"{place} asked {len(requests)} times" if len(requests) > 1 else None


@rule("what moved for now is asked at its old address every time")
def moved_for_now(world: World, setting: Setting) -> Iterator[str | None]:
    for (host, path), requests in _by_place(world).items():
        if requests[0].status == 302:
            target = next(way.moves for _, way in world.feeds if way.path == path and way.moved == 302)
            new = [one for one in world.log if (one.host, one.path) == (host, target)]
            yield None if len(requests) == len(new) > 1 else f"{host}{path}: {len(requests)} and {len(new)}"


@rule("what is gone is asked once a day at most")
def gone(world: World, setting: Setting) -> Iterator[str | None]:
    for place, requests in _by_place(world).items():
        for one, then in itertools.pairwise(requests):
            if one.status == 410:
                yield f"{place} asked after {then.at - one.at:.0f} s" if then.at - one.at < DAY - 1 else None


@rule("requests to one host start its delay apart")
def pace(world: World, setting: Setting) -> Iterator[str | None]:
    for host, requests in _by_host(world).items():
        for one, then in itertools.pairwise(requests):
            apart = then.at - one.at
            yield f"{host}: {apart:.3f} s apart at {then.at:.0f}" if apart < setting.host_delay - SLACK else None


@rule("no host has more than its share under way")
def share(world: World, setting: Setting) -> Iterator[str | None]:
    for one in world.log:
        yield f"{one.host}: {one.busy} at once" if one.busy > setting.per_host else None


@rule("robots.txt is kept, with its crawl-delay")
def robots(world: World, setting: Setting) -> Iterator[str | None]:
    for host, requests in _by_host(world).items():
        asked = next((one.at for one in requests if one.path == "/robots.txt"), None)
        if asked is None:
            continue
        after = [one for one in requests if one.at > asked]
        for one in after:
            yield f"{host}{one.path}" if one.path.startswith("/private/") else None
        for one, then in itertools.pairwise(after):
            if then.path == "/robots.txt":
                continue  # a new worker, who cannot know it yet
            yield (
                f"{host}: {one.path} and {then.path}, {then.at - one.at:.2f} s apart at {then.at:.0f}"
                if then.at - one.at < CRAWL_DELAY - SLACK
                else None
            )


@rule("no cookie and no referrer goes out, and our name does")
def identity(world: World, setting: Setting) -> Iterator[str | None]:
    for one in world.log:
        clean = "Cookie" not in one.headers and "Referer" not in one.headers
        yield None if clean and one.headers["User-Agent"].startswith("Wirewatch/") else f"{one.host}{one.path}"


@rule("a feed is asked once in its interval, over restarts and workers")
def interval(world: World, setting: Setting) -> Iterator[str | None]:
    ttl = {(world.hosts[host], way.path): way.ttl * 60.0 for host, way in world.feeds}
    for place, requests in _by_place(world).items():
        least = max(setting.min_interval, min(ttl.get(place, 0.0), setting.max_interval))
        for one, then in itertools.pairwise(requests):
            yield f"{place} asked after {then.at - one.at:.0f} s" if then.at - one.at < least - 1 else None


@rule("every feed is asked")
def served(world: World, setting: Setting) -> Iterator[str | None]:
    asked = {(one.host, one.path) for one in world.log}
    for host, way in world.feeds:
        yield None if (world.hosts[host], way.path) in asked else f"{way.name} {way.path}"
