# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is decided for each alert of a notification."""

from __future__ import annotations

import base64
import datetime
import json

import pytest

from ansible_collections.memops.linux.plugins.plugin_utils.eda import alerts, records
from ansible_collections.memops.linux.plugins.plugin_utils.eda.targets import read_hosts

HOSTS = read_hosts({"_meta": {"hostvars": {"web1": {}}}, "all": {"hosts": ["web1"]}})
KILL = {
    "status": "firing",
    "labels": {"alertname": "HostOomKill", "instance": "web1:9100"},
    "annotations": {"summary": "a kill"},
    "startsAt": "2026-11-25T03:00:00Z",
    "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "http://prometheus/graph",
    "fingerprint": "c0ffee",
}


def decide(*sent):
    return alerts.decide({"version": "4", "alerts": list(sent)}, HOSTS, lambda name: name == "HostOomKill")


def changed(**keys):
    return {**KILL, **keys}


def labelled(**labels):
    return changed(labels={**KILL["labels"], **labels})


@pytest.mark.parametrize(
    ("alert", "decision", "host"),
    [
        (KILL, "run", "web1"),
        (changed(status="resolved"), "resolved", None),
        (changed(status="resolved", labels={"alertname": "Whatever"}), "resolved", None),
        (labelled(instance="web2:9100"), "unknown_host", None),
        (labelled(alertname="Watchdog"), "unknown_alert", None),
        (labelled(alertname="../HostOomKill"), "unknown_alert", None),
        (labelled(alertname="HostOomKill/../HostOomKill"), "unknown_alert", None),
        (labelled(alertname="HostOomKill\n"), "unknown_alert", None),
        (labelled(alertname="{{ 7 * 7 }}"), "unknown_alert", None),
        (labelled(alertname=""), "unknown_alert", None),
        (labelled(alertname=7), "malformed", None),
        (changed(status="on fire"), "malformed", None),
        (changed(status=None), "malformed", None),
        (changed(labels=None), "malformed", None),
        (changed(labels=[]), "malformed", None),
        (changed(labels={}), "malformed", None),
        ("an alert", "malformed", None),
        (None, "malformed", None),
    ],
)
def test_one_alert_is_decided(alert, decision, host):
    (decided,) = decide(alert)
    assert (decided.decision, decided.host) == (decision, host)
    assert (decided.event is not None) == (decision == "run")
    assert (decided.why is None) == (decision in ("run", "resolved"))


def test_one_that_is_malformed_keeps_no_other_from_running():
    assert [decided.decision for decided in decide(None, KILL, {}, labelled(alertname="HostOomKill"))] == ["malformed", "run", "malformed", "run"]


def test_a_runbook_is_only_looked_for_by_a_plain_name():
    asked = []
    for name in ("../../etc", "a/b", "Host.Oom", "1st", "a" * 65, "Ünder", "HostOomKill"):
        alerts.decide({"alerts": [labelled(alertname=name)]}, HOSTS, asked.append)
    assert asked == ["HostOomKill"]


@pytest.mark.parametrize("sent", [None, [], "text", 7, {}, {"alerts": None}, {"alerts": {}}, {"alerts": [KILL] * (alerts.MOST_ALERTS + 1)}])
def test_what_is_no_notification_is_refused(sent):
    with pytest.raises(alerts.BadNotification):
        alerts.decide(sent, HOSTS, lambda name: True)


def test_the_event_holds_the_alerts_own_text_in_base64_alone():
    (decided,) = decide(labelled(process="{{ lookup('pipe', 'touch /tmp/x') }}\n"))
    assert set(decided.event) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")
    assert json.loads(base64.b64decode(decided.event)) == {
        "labels": {"alertname": "HostOomKill", "instance": "web1:9100", "process": "{{ lookup('pipe', 'touch /tmp/x') }}\n"},
        "annotations": {"summary": "a kill"},
        "startsAt": "2026-11-25T03:00:00Z",
        "fingerprint": "c0ffee",
        "generatorURL": "http://prometheus/graph",
    }


def test_the_event_is_bounded_whatever_was_sent():
    huge = {f"label{number}": "x" * 2**20 for number in range(200)} | {"k" * 1000: "x", "number": 7}
    (decided,) = decide(changed(labels={**huge, **KILL["labels"]}, annotations=huge, startsAt="x" * 2**20, fingerprint=7))
    event = json.loads(base64.b64decode(decided.event))
    assert (decided.host, decided.alert) == ("web1", "HostOomKill")
    assert len(decided.event) < 4 * alerts.MOST_LABELS * alerts.LONGEST_VALUE
    assert event["fingerprint"] is None


@pytest.mark.parametrize("text", ["a\nb", "a\r\x1b[31m", "\u2028", "\ud800", "{{ x }}", '"}', "\x00"])
def test_a_record_is_one_line_of_ascii_whatever_the_alert_was_called(text):
    (decided,) = decide(labelled(alertname=text))
    line = records.line(decided, datetime.datetime(2026, 11, 25, tzinfo=datetime.UTC))
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["alert"] == text
    assert json.loads(line)["time"] == "2026-11-25T00:00:00.000000Z"
