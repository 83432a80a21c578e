"""The courier against real receivers: signed, retried, never twice once taken, and nobody waits for who hangs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import pytest

from pipeline.alerts import message
from pipeline.alerts.channels import RefusedError, _without, append, atom, content_of, signature
from pipeline.alerts.courier import pause_after
from pipeline.alerts.rules import Channel, Secret
from pipeline.ledger import Ledger, Parcel, StoryNow, open_ledger
from pipeline.records import Alert, AlertClaim, Excerpt, Reason
from pipeline.settings import Settings, load_settings
from tests.alerts.test_outbox import NOW, an_alert, fired, later, story
from tests.support.receiver import SECRET, Receiver


def now() -> datetime:
    return datetime.now(UTC)


def desk(folder: Path, **channels: dict[str, object]) -> tuple[Settings, Ledger]:
    """A data folder whose ledger knows these channels."""
    settings = load_settings(folder, alert_retry=0.1)
    ledger = open_ledger(settings.ledger_file)
    ledger.outbox.keep_rules(
        [
            {
                "kind": "channel",
                "name": name,
                "file": "",
                "line": 1,
                "form": msgspec.json.encode(plain).decode(),
                "fault": None,
            }
            for name, plain in channels.items()
        ]
    )
    return settings, ledger


def hook(url: str, **more: object) -> dict[str, object]:
    return {"type": "webhook", "url": url, "secret": {"env": "HOOK_SECRET"}, "timeout": 20.0} | more


def owe(ledger: Ledger, *alerts: Alert, channels: tuple[str, ...]) -> None:
    stories: tuple[StoryNow, ...] = tuple(story(alert.story) for alert in alerts)
    matches = [fired(alert, channels=channels) for alert in alerts]
    ledger.apply([], now(), "me", also=lambda db: ledger.outbox.record(db, matches, stories, now()))


@contextmanager
def courier(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline.alerts.courier"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"HOOK_SECRET": SECRET},
        start_new_session=True,
    )
    assert process.stdin is not None
    process.stdin.write(settings.model_dump_json().encode() + b"\n")
    process.stdin.flush()
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            with suppress(BrokenPipeError):
                pipe.close()


def finish(settings: Settings) -> None:
    """One courier's pass over what is due."""
    with courier(settings) as process:
        process.communicate(b"finish\n", timeout=60)
        assert process.returncode == 0


def until(holds: Callable[[], object]) -> None:
    for _ in range(600):
        if holds():
            return
        time.sleep(0.05)
    raise AssertionError("it never came to be")


def test_a_webhook_gets_each_alert_once_and_signed(tmp_path: Path) -> None:
    with Receiver() as receiver:
        settings, ledger = desk(tmp_path, hook=hook(receiver.url))
        alerts = [an_alert(story=f"s{n}") for n in range(6)]
        owe(ledger, *alerts, channels=("hook",))
        finish(settings)
        finish(settings)
        assert sorted(taken.key for taken in receiver.taken) == sorted(alert.id for alert in alerts)
        assert all(taken.signed and taken.acknowledged for taken in receiver.taken)
        body = receiver.taken[0].body
        assert (body["id"], body["rule"], len(body["alerts"])) == (receiver.taken[0].key, "kashmir", 1)
        assert ledger.outbox.counts()["sent"] == 6


@pytest.mark.parametrize("mood", ["fail", "lie", "hang"])
def test_a_message_that_was_not_acknowledged_comes_again_under_its_key(mood: str, tmp_path: Path) -> None:
    with Receiver(mood=lambda _, nth: mood if nth == 0 else "ok") as receiver:
        settings, ledger = desk(tmp_path, hook=hook(receiver.url, timeout=1.0 if mood == "hang" else 20.0))
        owe(ledger, an_alert(), channels=("hook",))
        finish(settings)
        told = ledger.outbox.told()[0].deliveries[0]
        assert (told.attempts, told.state) == (1, "owed")
        assert told.reason is not None
        until(lambda: (due := ledger.outbox.next_due()) is not None and due <= now())
        finish(settings)
        assert receiver.taken[-1].acknowledged
        assert receiver.keys == {an_alert().id}
        assert receiver.doubled() == []
        assert ledger.outbox.told()[0].deliveries[0].state == "sent"


def test_a_channel_that_hangs_delays_no_other(tmp_path: Path) -> None:
    with Receiver(mood=lambda *_: "hang") as hanging, Receiver() as quick:
        settings, ledger = desk(tmp_path, slow=hook(hanging.url, timeout=20.0), quick=hook(quick.url))
        owe(ledger, *(an_alert(story=f"s{n}") for n in range(12)), channels=("slow", "quick", "log"))
        with courier(settings) as process:
            until(lambda: len(quick.taken) == 12 and len((tmp_path / "alerts.jsonl").read_text().splitlines()) == 12)
            assert process.poll() is None
            assert not any(taken.acknowledged for taken in hanging.taken)


def test_an_answer_is_written_down_though_the_worker_is_gone(tmp_path: Path) -> None:
    with Receiver(mood=lambda *_: (time.sleep(1.0), "ok")[1]) as receiver:
        settings, ledger = desk(tmp_path, hook=hook(receiver.url, timeout=20.0))
        owe(ledger, an_alert(), channels=("hook",))
        with courier(settings) as process:
            until(lambda: ledger.outbox.told()[0].deliveries[0].attempts == 1)
            assert process.stdin is not None
            process.stdin.close()  # what a kill of the worker looks like from here
            process.wait(20)
        finish(settings)
        assert [taken.key for taken in receiver.taken] == [an_alert().id]
        assert ledger.outbox.counts()["sent"] == 1


def test_a_courier_that_is_killed_with_a_message_under_way_loses_it_to_the_next(tmp_path: Path) -> None:
    with Receiver(mood=lambda _, nth: "hang" if nth == 0 else "ok") as receiver:
        settings, ledger = desk(tmp_path, hook=hook(receiver.url, timeout=30.0))
        owe(ledger, an_alert(), channels=("hook",))
        with courier(settings) as process:
            until(lambda: receiver.taken)
            process.send_signal(signal.SIGKILL)
            process.wait(10)
        ledger.release_dead()
        finish(settings)
        assert [(taken.key, taken.attempt) for taken in receiver.taken] == [(an_alert().id, 1), (an_alert().id, 2)]


def test_two_couriers_on_one_outbox_send_everything_once(tmp_path: Path) -> None:
    with Receiver() as receiver:
        settings, ledger = desk(tmp_path, hook=hook(receiver.url))
        owe(ledger, *(an_alert(story=f"s{n}") for n in range(40)), channels=("hook", "log", "feed"))
        with courier(settings) as one, courier(settings) as other:
            for process in (one, other):
                assert process.stdin is not None
                process.stdin.write(b"finish\n")
                process.stdin.flush()
            for process in (one, other):
                assert process.wait(60) == 0
        assert len(receiver.taken) == len(receiver.keys) == 40
        lines = (tmp_path / "alerts.jsonl").read_text().splitlines()
        assert len(lines) == len({json.loads(line)["id"] for line in lines}) == 40
        entries = ET.parse(tmp_path / "alerts.atom").findall("{http://www.w3.org/2005/Atom}entry")
        assert len(entries) == 40


def test_a_secret_that_is_not_there_is_an_attempt_that_failed_and_says_which(tmp_path: Path) -> None:
    with Receiver() as receiver:
        settings, ledger = desk(
            tmp_path,
            hook=hook(receiver.url, secret={"env": "NOT_THERE"}),
            gone=hook(receiver.url, secret={"file": "/nowhere/secret"}),
        )
        owe(ledger, an_alert(), channels=("hook", "gone", "undefined"))
        finish(settings)
        reasons = {delivery.channel: delivery.reason or "" for delivery in ledger.outbox.told()[0].deliveries}
        assert "NOT_THERE is not set" in reasons["hook"]
        assert "/nowhere/secret" in reasons["gone"]
        assert "no channel 'undefined'" in reasons["undefined"]
        assert not receiver.taken


def test_apprise_delivers_to_a_service_it_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with AppriseTarget() as target:
        monkeypatch.setenv("CHAT_URL", target.url)
        settings, ledger = desk(tmp_path, chat={"type": "apprise", "url": {"env": "CHAT_URL"}})
        owe(ledger, an_alert(headline="Talks denied"), channels=("chat",))
        finish(settings)
        (body,) = target.bodies
        assert "Talks denied" in body["title"]
        assert "https://wire.example/a1" in body["message"]
        assert ledger.outbox.counts()["sent"] == 1


def test_an_apprise_address_never_comes_into_the_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAT_URL", "json://somebody:hunter2secret@127.0.0.1:9/token12345")
    settings, ledger = desk(tmp_path, chat={"type": "apprise", "url": {"env": "CHAT_URL"}})
    owe(ledger, an_alert(), channels=("chat",))
    finish(settings)
    reason = ledger.outbox.told()[0].deliveries[0].reason
    assert reason
    everything = (tmp_path / "ledger.sqlite").read_bytes() + (tmp_path / "ledger.sqlite-wal").read_bytes()
    assert b"hunter2secret" not in everything
    assert b"token12345" not in everything
    assert _without("slack://tokenA/tokenB/#chan", "POST to /tokenA/tokenB failed") == "POST to /***/*** failed"


class AppriseTarget:
    """What Apprise's ``json://`` talks to."""

    def __enter__(self) -> AppriseTarget:
        import threading
        from http.server import BaseHTTPRequestHandler, HTTPServer

        self.bodies: list[dict[str, str]] = []
        target = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                target.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"json://127.0.0.1:{self.server.server_address[1]}/"
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


# -- the parts by themselves


def parcel(*alerts: Alert, attempt: int = 1, first: datetime = NOW) -> Parcel:
    return Parcel(key=alerts[0].id, rule="kashmir", channel="c", alerts=alerts, attempt=attempt, first_attempt=first)


def test_pauses_double_up_to_an_hour_and_end_after_two_days(tmp_path: Path) -> None:
    settings = load_settings(tmp_path)
    pauses = []
    for attempt in range(1, 12):
        again = pause_after(parcel(an_alert(), attempt=attempt), None, settings, NOW)
        assert again is not None
        pauses.append((again - NOW).total_seconds())
    assert pauses == [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]
    assert pause_after(parcel(an_alert(), attempt=60), None, settings, later(hours=47)) == later(hours=48)
    assert pause_after(parcel(an_alert(), attempt=60), None, settings, later(hours=47, minutes=1)) is None
    assert pause_after(parcel(an_alert()), 120.0, settings, NOW) == NOW + timedelta(seconds=120)


def test_the_signature_is_that_of_standard_webhooks() -> None:
    # The example of the specification's reference libraries.
    made = signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}'
    )
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    with pytest.raises(RefusedError, match="not base64"):
        signature("whsec_!!", "a", "1", b"")


def test_a_secret_file_holds_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hush\n")
    assert content_of(Secret(file=str(tmp_path / "secret"))) == "hush"


LOG = Channel(name="log", type="jsonl", path="alerts.jsonl")


def test_a_line_that_a_killed_writer_left_half_is_written_anew(tmp_path: Path) -> None:
    one, two = an_alert(), an_alert(story="s2")
    append(LOG, parcel(one), tmp_path)
    with (tmp_path / "alerts.jsonl").open("ab") as file:
        file.write(b'{"id":"' + two.id.encode() + b'","rule":"ka')
    append(LOG, parcel(two, attempt=2), tmp_path)
    append(LOG, parcel(one, two, attempt=3), tmp_path)
    lines = [json.loads(line) for line in (tmp_path / "alerts.jsonl").read_text().splitlines()]
    assert [line["id"] for line in lines] == [one.id, two.id]


def test_the_feed_is_well_formed_whatever_a_headline_holds() -> None:
    odd = an_alert(headline="<b>\x00\x1b[31m & \ud83d </b>", source="")
    root = ET.fromstring(atom(Channel(name="feed", type="atom", path="x"), [odd]))
    assert root.findtext("{*}entry/{*}title", "").startswith("[kashmir] <b>")


def full_alert() -> Alert:
    return an_alert(
        excerpts=(Excerpt(field="body", text="Talks over Kashmir had collapsed.", marks=((11, 18),)),),
        claims=(AlertClaim(n=0, content="x", speaker="Mary Ann Smith", role="envoy", cue="denied", cue_class="deny"),),
        why=(Reason(clause="kashmir", field="body", matched=("Kashmir",)),),
        carriers=("Meridian", "The Hindu"),
    )


def test_a_message_says_what_where_who_and_why() -> None:
    text = message.body("kashmir", [full_alert()])
    for part in (
        "Headline of a1",
        "Meridian and 1 more",
        "Talks over *Kashmir* had",
        "Mary Ann Smith (envoy) · denied (deny)",
        "https://wire.example/a1",
        "Why: kashmir in body (Kashmir)",
    ):
        assert part in text


def test_a_rules_own_template_is_sandboxed_and_its_failure_costs_only_its_form() -> None:
    alert = full_alert()
    assert message.body("kashmir", [alert], "{{ alert.headline }} {{ alerts|length }}") == "Headline of a1 1"
    for bad in ("{{ alert.nothing.more }}", "{{ ''.__class__.__mro__ }}", "{% for x in range(10**9) %}{% endfor %}"):
        text = message.body("kashmir", [alert], bad)
        assert "Headline of a1" in text
        assert text.startswith("(the rule's template failed")
