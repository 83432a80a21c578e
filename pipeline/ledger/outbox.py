"""The outbox of alerts: every match there ever was, and what is still to be told.

A match is keyed by rule, story and version, and written in the transaction in which its article becomes indexed; so it
is there exactly when the article is, and once. An attempt to deliver is written down before it is made. What was
acknowledged is never sent again; what may have arrived (a worker died while waiting for the answer) is sent again
under the same key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, and_, delete, func, or_, select, update

from pipeline.ledger import tables as t
from pipeline.ledger.access import Access
from pipeline.ledger.recorder import Recorder
from pipeline.ledger.telling import (
    AlertState,
    Delivery,
    DeliveryState,
    Fired,
    Hold,
    Parcel,
    StoryNow,
    Told,
    Verdict,
    Waiting,
)
from pipeline.records import Alert, AlertKind, digest, from_json, to_json

AT_ONCE = 200
"""Deliveries looked at in one claim."""
LARGEST = 100
"""Alerts in one message; what is more goes into the next."""


class Outbox(Access):
    """The alerts of one ledger. Every method is one transaction, but :meth:`record`, which is part of another."""

    # -- what came to be told -----------------------------------------------------------------------------------------

    def record(self, db: Connection, fired: Sequence[Fired], stories: Sequence[StoryNow], now: datetime) -> None:
        """Write down matches and how stories stand, within the transaction in which their articles become indexed."""
        Recorder(self, db, stories, now).record(fired)

    def add(self, db: Connection, alert: Alert, state: AlertState, need: int, channels: Sequence[str]) -> None:
        """Store a match, in place of a silent one under its id, and owe it to the channels where it has fired."""
        row = {
            "id": alert.id,
            "rule": alert.rule,
            "story": alert.story,
            "version": alert.version,
            "article": alert.article,
            "kind": alert.kind.value,
            "state": state.value,
            "need": need,
            "channels": " ".join(channels),
            "fired": alert.fired,
            "record": to_json(alert).decode(),
        }
        insert = self._insert(t.alerts).values(**row)
        silent = t.alerts.c.state == AlertState.BASELINE.value
        db.execute(insert.on_conflict_do_update(index_elements=[t.alerts.c.id], set_=row, where=silent))
        if state is AlertState.FIRED:
            self.owe(db, alert, channels)

    def owe(self, db: Connection, alert: Alert, channels: Sequence[str]) -> None:
        """Put an alert into the outbox, for each channel once."""
        rows = [
            {
                "alert": alert.id,
                "channel": channel,
                "rule": alert.rule,
                "state": DeliveryState.OWED.value,
                "due": alert.fired,
                "attempts": 0,
            }
            for channel in channels
        ]
        if rows:
            db.execute(self._insert(t.deliveries).on_conflict_do_nothing(), rows)

    # -- delivery -----------------------------------------------------------------------------------------------------

    def claim(
        self,
        now: datetime,
        owner: str,
        lease: float,
        judge: Callable[[Waiting], Verdict | Hold],
        busy: Iterable[str] = (),
    ) -> list[Parcel]:
        """Take in hand what is due by channels that are not busy, made up into messages, attempts counted.

        ``judge`` says of each delivery whether it goes out now; what it holds goes out later, with what else the same
        rule holds for the same channel then.
        """
        d = t.deliveries.c
        where = [d.state == DeliveryState.OWED.value, d.due <= now, or_(d.lease_until.is_(None), d.lease_until <= now)]
        busy = list(busy)
        if busy:
            where.append(d.channel.not_in(busy))
        chosen = (
            select(t.deliveries, t.alerts.c.kind, t.alerts.c.fired, t.alerts.c.record)
            .join(t.alerts, t.alerts.c.id == d.alert)
            .where(*where)
            .order_by(d.due, t.alerts.c.fired, d.alert)
            .limit(AT_ONCE)
            .with_for_update(skip_locked=True, of=t.deliveries)
        )
        while True:
            held, parcels = self._claim(chosen, now, owner, lease, judge)
            if parcels or not held:
                return parcels  # else all that was looked at is held, and there may be more

    def _claim(
        self, chosen: Select[Any], now: datetime, owner: str, lease: float, judge: Callable[[Waiting], Verdict | Hold]
    ) -> tuple[int, list[Parcel]]:
        """One look: how many deliveries were held or silenced, and what goes out."""
        put_off = 0
        with self._write() as db:
            rows = [dict(row) for row in db.execute(chosen).mappings()]
            if not rows:
                return 0, []
            silences = {row.rule: row.until for row in db.execute(select(t.silences).where(t.silences.c.until > now))}
            last = self._last(db, {row["rule"] for row in rows})
            making: dict[tuple[str, ...], list[dict[str, Any]]] = {}
            for row in rows:
                stream = (row["rule"], row["channel"])
                together = ("held", *stream) if row["held"] else ("alone", row["alert"], row["channel"])
                parcel = ("again", row["message"], row["channel"]) if row["message"] else together
                if parcel in making:
                    verdict: Verdict | Hold = Verdict.SEND  # in one message with what goes out now
                else:
                    verdict = judge(
                        Waiting(
                            rule=row["rule"],
                            channel=row["channel"],
                            kind=AlertKind(row["kind"]),
                            fired=row["fired"],
                            held=row["held"],
                            attempts=row["attempts"],
                            last=last.get(stream),
                            silenced=silences.get(row["rule"]),
                        )
                    )
                put_off += verdict is not Verdict.SEND
                if isinstance(verdict, Hold):
                    self._set(db, row, due=verdict.until, held=verdict.why)
                elif verdict is Verdict.SILENCE:
                    self._set(db, row, state=DeliveryState.SILENCED.value, due=None)
                else:
                    making.setdefault(parcel, []).append(row)
                    if not row["message"]:
                        last[stream] = now
            return put_off, self._seal(db, making.values(), now, owner, lease)

    def _seal(
        self, db: Connection, making: Iterable[list[dict[str, Any]]], now: datetime, owner: str, lease: float
    ) -> list[Parcel]:
        parcels = []
        for whole in making:
            for at in range(0, len(whole), LARGEST):
                rows = whole[at : at + LARGEST]
                ids = [row["alert"] for row in rows]
                key = rows[0]["message"] or (ids[0] if len(ids) == 1 else digest("message", *ids))
                first = rows[0]["first_attempt"] or now
                for row in rows:
                    self._set(
                        db,
                        row,
                        message=key,
                        attempts=row["attempts"] + 1,
                        first_attempt=first,
                        last_attempt=now,
                        lease_owner=owner,
                        lease_until=now + timedelta(seconds=lease),
                    )
                parcels.append(
                    Parcel(
                        key=key,
                        rule=rows[0]["rule"],
                        channel=rows[0]["channel"],
                        alerts=tuple(from_json(row["record"], Alert) for row in rows),
                        attempt=rows[0]["attempts"] + 1,
                        first_attempt=first,
                    )
                )
        return parcels

    def _set(self, db: Connection, row: dict[str, Any], **values: Any) -> None:
        d = t.deliveries.c
        db.execute(update(t.deliveries).where(d.alert == row["alert"], d.channel == row["channel"]).values(**values))

    def _last(self, db: Connection, rules: set[str]) -> dict[tuple[str, str], datetime]:
        """When each rule last tried to send something by each channel."""
        d = t.deliveries.c
        found = db.execute(
            select(d.rule, d.channel, func.max(d.last_attempt))
            .where(d.rule.in_(sorted(rules)), d.last_attempt.is_not(None))
            .group_by(d.rule, d.channel)
        ).all()
        return {(rule, channel): at for rule, channel, at in found}

    def sent(self, parcel: Parcel, now: datetime) -> None:
        """The channel has acknowledged the message: it is never sent again, whoever has it in hand by now."""
        done = {"state": DeliveryState.SENT.value, "delivered": now, "due": None, "reason": None}
        with self._write() as db:
            db.execute(update(t.deliveries).where(_of(parcel)).values(**done, lease_owner=None, lease_until=None))

    def failed(self, parcel: Parcel, owner: str, reason: str, again: datetime | None) -> None:
        """The message was not acknowledged: it is sent again then, or with ``None`` given up."""
        state = DeliveryState.UNDELIVERABLE if again is None else DeliveryState.OWED
        values = {"state": state.value, "due": again, "reason": reason, "lease_owner": None, "lease_until": None}
        mine = and_(_of(parcel), t.deliveries.c.lease_owner == owner, t.deliveries.c.state == DeliveryState.OWED.value)
        with self._write() as db:
            db.execute(update(t.deliveries).where(mine).values(**values))

    def renew(self, parcels: Iterable[Parcel], owner: str, now: datetime, lease: float) -> None:
        """Keep messages that are still under way."""
        with self._write() as db:
            for parcel in parcels:
                mine = and_(_of(parcel), t.deliveries.c.lease_owner == owner)
                until = now + timedelta(seconds=lease)
                db.execute(update(t.deliveries).where(mine).values(lease_until=until))

    def next_due(self) -> datetime | None:
        """When the next delivery that nobody has in hand is due; ``None`` where none is owed."""
        d = t.deliveries.c
        with self._read() as db:
            return db.execute(
                select(func.min(d.due)).where(d.state == DeliveryState.OWED.value, d.lease_owner.is_(None))
            ).scalar()

    # -- rules, and what people do ------------------------------------------------------------------------------------

    def rules(self) -> list[dict[str, Any]]:
        """The rules and channels in force: kind, name, file, line, form and fault."""
        with self._read() as db:
            rows = db.execute(select(t.alert_rules).order_by(t.alert_rules.c.kind, t.alert_rules.c.name))
            return [dict(row) for row in rows.mappings()]

    def keep_rules(self, rows: Sequence[dict[str, Any]]) -> None:
        """Put these in the place of all rules and channels in force."""
        with self._write() as db:
            db.execute(delete(t.alert_rules))
            if rows:
                db.execute(t.alert_rules.insert(), list(rows))

    def silence(self, rule: str, until: datetime | None) -> None:
        """Send nothing of a rule until then; ``None`` ends its silence."""
        with self._write() as db:
            db.execute(delete(t.silences).where(t.silences.c.rule == rule))
            if until is not None:
                db.execute(t.silences.insert().values(rule=rule, until=until))

    def silences(self, now: datetime) -> dict[str, datetime]:
        """The rules that are silent now, and until when."""
        with self._read() as db:
            rows = db.execute(select(t.silences).where(t.silences.c.until > now).order_by(t.silences.c.rule))
            return {row.rule: row.until for row in rows}

    def retry(self, ids: Sequence[str] | None, now: datetime) -> int:
        """Owe again what was given up (of these alerts; all, for ``None``), under the same keys. Returns how many."""
        where = [t.deliveries.c.state == DeliveryState.UNDELIVERABLE.value]
        if ids is not None:
            where.append(t.deliveries.c.alert.in_(list(ids)))
        again = {"state": DeliveryState.OWED.value, "due": now, "first_attempt": None, "attempts": 0}
        with self._write() as db:
            return db.execute(update(t.deliveries).where(*where).values(**again)).rowcount

    def told(
        self,
        *,
        rule: str | None = None,
        state: AlertState | DeliveryState | None = None,
        since: datetime | None = None,
        limit: int = 100,
    ) -> list[Told]:
        """Alerts with what became of them, newest first."""
        where = []
        if rule is not None:
            where.append(t.alerts.c.rule == rule)
        if since is not None:
            where.append(t.alerts.c.fired >= since)
        if isinstance(state, AlertState):
            where.append(t.alerts.c.state == state.value)
        elif state is not None:
            inside = select(t.deliveries.c.alert).where(t.deliveries.c.state == state.value)
            where.append(t.alerts.c.id.in_(inside))
        with self._read() as db:
            rows = db.execute(
                select(t.alerts).where(*where).order_by(t.alerts.c.fired.desc(), t.alerts.c.id).limit(limit)
            )
            return self._told(db, [dict(row) for row in rows.mappings()])

    def latest(self, rule: str) -> dict[str, Alert]:
        """The last alert of a rule on each story."""
        of = select(t.alerts.c.story, t.alerts.c.record).where(t.alerts.c.rule == rule).order_by(t.alerts.c.fired)
        newest: dict[str, str] = {}
        with self._read() as db:
            for row in db.execute(of):
                newest[row.story] = row.record  # the later takes the place of the earlier
        return {story: from_json(record, Alert) for story, record in newest.items()}

    def changed(self, since: datetime, limit: int) -> list[Told]:
        """The alerts that fired, or that something became of, since then; the oldest first."""
        d = t.deliveries.c
        touched = select(d.alert).where(or_(d.last_attempt >= since, d.delivered >= since))
        fresh = and_(t.alerts.c.state == AlertState.FIRED.value, t.alerts.c.fired >= since)
        with self._read() as db:
            rows = db.execute(
                select(t.alerts)
                .where(or_(fresh, t.alerts.c.id.in_(touched)))
                .order_by(t.alerts.c.fired, t.alerts.c.id)
                .limit(limit)
            )
            return self._told(db, [dict(row) for row in rows.mappings()])

    def find(self, prefix: str, limit: int = 10) -> list[Told]:
        """The alerts whose ids begin so."""
        with self._read() as db:
            rows = db.execute(
                select(t.alerts).where(t.alerts.c.id.startswith(prefix, autoescape=True)).order_by(t.alerts.c.id)
            )
            return self._told(db, [dict(row) for row in rows.mappings()][:limit])

    def _told(self, db: Connection, rows: Sequence[dict[str, Any]]) -> list[Told]:
        deliveries: dict[str, list[Delivery]] = {}
        ids = [row["id"] for row in rows]
        for at in range(0, len(ids), 400):
            found = db.execute(
                select(t.deliveries)
                .where(t.deliveries.c.alert.in_(ids[at : at + 400]))
                .order_by(t.deliveries.c.alert, t.deliveries.c.channel)
            )
            for row in found.mappings():
                deliveries.setdefault(row["alert"], []).append(
                    Delivery(
                        alert=row["alert"],
                        channel=row["channel"],
                        state=DeliveryState(row["state"]),
                        due=row["due"],
                        held=row["held"],
                        message=row["message"],
                        attempts=row["attempts"],
                        delivered=row["delivered"],
                        reason=row["reason"],
                    )
                )
        return [
            Told(
                alert=from_json(row["record"], Alert),
                state=AlertState(row["state"]),
                need=row["need"],
                deliveries=tuple(deliveries.get(row["id"], ())),
            )
            for row in rows
        ]

    def by_channel(self, channel: str, limit: int) -> list[Alert]:
        """The alerts that were handed to a channel last, newest first; those under way among them."""
        d = t.deliveries.c
        with self._read() as db:
            rows = db.execute(
                select(t.alerts.c.record)
                .join(t.deliveries, d.alert == t.alerts.c.id)
                .where(d.channel == channel, d.attempts > 0, d.state != DeliveryState.UNDELIVERABLE.value)
                .order_by(t.alerts.c.fired.desc(), d.alert)
                .limit(limit)
            ).scalars()
            return [from_json(record, Alert) for record in rows]

    def counts(self) -> dict[str, int]:
        """Deliveries by state, and matches that were not told by why."""
        found = {state.value: 0 for state in (*DeliveryState, *AlertState) if state is not AlertState.FIRED}
        with self._read() as db:
            for table in (t.deliveries, t.alerts):
                for state, number in db.execute(select(table.c.state, func.count()).group_by(table.c.state)):
                    if state in found:
                        found[state] += number
        return found


def _of(parcel: Parcel) -> Any:
    """The deliveries that are in a message."""
    return and_(t.deliveries.c.message == parcel.key, t.deliveries.c.channel == parcel.channel)
