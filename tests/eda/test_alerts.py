"""From a notification to the run of a runbook, with the real ansible-rulebook."""

from __future__ import annotations

import base64
import json

from eda.service import firing


def test_an_alert_runs_its_runbook_on_its_host_and_the_others_are_recorded(service):
    service.start()
    resolved = {**firing("HostOomKill", "web1:9100"), "status": "resolved"}
    sent = [firing("HostOomKill", "db1:9100"), resolved, firing("HostOomKill", "web7:9100"), firing("Watchdog", "web1:9100")]
    assert service.send(sent) == 200
    service.until(lambda: service.runs(), "a run")
    assert [(alert["alert"], alert["host"], alert["decision"]) for alert in service.alerts()] == [
        ("HostOomKill", "db1.example.com", "run"),
        ("HostOomKill", None, "resolved"),
        ("HostOomKill", None, "unknown_host"),
        ("Watchdog", None, "unknown_alert"),
    ]
    assert service.send([firing("HostOomKill", "web1:9100")]) == 200
    service.until(lambda: len(service.runs()) == 2, "the next run")
    assert service.runs() == {("db1.example.com", "HostOomKill"): 1, ("web1", "HostOomKill"): 1}, "and nothing was run for the others"
    (_host, _alert, event), *_rest = (line.split() for line in service.record.read_text().splitlines())
    assert json.loads(base64.b64decode(event))["annotations"] == {"summary": "a summary"}


def test_an_alert_that_is_repeated_runs_once_within_the_throttle_and_again_after_it(services):
    service = services(THROTTLE="4 seconds")
    service.runbook("HostOomKill")
    service.start()
    for _time in range(3):
        service.send([firing("HostOomKill", "web1:9100"), firing("HostOomKill", "web1.example.com:9100")])
    service.send([firing("HostOomKill", "db1:9100")])
    service.until(lambda: len(service.runs()) == 2, "both hosts' runs")
    assert service.runs()["web1", "HostOomKill"] == 1

    def again():
        service.send([firing("HostOomKill", "web1:9100")])
        return service.runs()["web1", "HostOomKill"] > 1

    service.until(again, "a run after the throttle")


def test_group_vars_beside_the_inventory_reach_the_runbook(service):
    (service.folder / "group_vars").mkdir()
    (service.folder / "group_vars" / "all.yml").write_text("respond_policy: propose\n")
    run = service.runbooks / "HostOomKill" / "run.yml"
    run.write_text(run.read_text().replace("respond_event", "respond_policy"))
    service.start()
    service.send([firing("HostOomKill", "web1:9100")])
    service.until(lambda: service.runs(), "a run")
    assert service.record.read_text().split() == ["web1", "HostOomKill", "propose"]


def test_a_host_that_comes_into_the_inventory_is_answered_for_without_a_restart(service):
    service.start()
    service.send([firing("HostOomKill", "web2:9100")])
    inventory = json.loads(service.inventory.read_text())
    inventory["all"]["hosts"]["web2"] = {}
    service.inventory.write_text(json.dumps(inventory))
    service.send([firing("HostOomKill", "web2:9100")])
    service.until(lambda: service.runs(), "a run")
    assert [alert["decision"] for alert in service.alerts()] == ["unknown_host", "run"]
    service.inventory.write_text("not an inventory: [")
    assert service.send([firing("HostOomKill", "db1:9100")]) == 200, "the hosts of before are used"
    assert "its hosts of before are used" in service.said()


def test_hostile_labels_never_become_code_a_path_a_limit_or_a_template(service):
    trace = service.folder / "trace"
    texts = [
        f"{{{{ lookup('pipe', 'touch {trace}') }}}}",
        f"{{% for x in lookup('pipe', 'touch {trace}') %}}{{% endfor %}}",
        f"$(touch {trace})",
        f"`touch {trace}`",
        f"web1; touch {trace}",
        f"web1\ntouch {trace}",
        "../../../../etc/passwd",
        "all",
        "all:!web1",
        "web1,db1.example.com",
        "*",
        "~.*",
        "@/etc/passwd",
        "$ANSIBLE_VAULT;1.1;AES256",
        "<script>alert(1)</script>",
        "\u202eweb1\u2028\x00\x1b[2J",
        "\ud800",
        "x" * 100_000,
    ]
    service.start()
    for text in texts:
        hostile = firing("HostOomKill", text, process=text, container=text, **{"node": text, "k" + text[:200]: text})
        assert service.send([hostile, firing(text, text)]) == 200, text[:80]
    assert {alert["decision"] for alert in service.alerts()} == {"unknown_host", "unknown_alert"}
    # And of a host that is known: they travel to the runbook, where they are text in base64.
    known = firing("HostOomKill", "web1:9100", **{f"label{number}": text for number, text in enumerate(texts[:-1])})
    known["annotations"] = {"summary": texts[0], "description": texts[1]}
    assert service.send([known]) == 200
    service.until(lambda: service.runs(), "the run of the host that is known")
    assert service.runs() == {("web1", "HostOomKill"): 1}
    (_host, _alert, event), *_rest = (line.split() for line in service.record.read_text().splitlines())
    assert json.loads(base64.b64decode(event))["labels"]["label0"] == texts[0]
    assert not trace.exists()
