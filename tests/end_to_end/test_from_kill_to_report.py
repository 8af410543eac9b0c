"""A process is OOM-killed on a watched host, and what then happens by itself."""

from __future__ import annotations

import json

from end_to_end.running import until
from end_to_end.site import read

MIB = 1024 * 1024


def test_a_kill_on_a_host_is_diagnosed_and_people_are_told(site, figures, capsys):
    here = site("bookworm-6.1")
    here.guest.run("systemd-run --quiet --wait --unit=hungry --property=MemoryMax=64M --property=MemorySwapMax=0 tail /dev/zero", check=False)
    answer = here.answer_to("HostOomKill")

    killed = here.guest.time_of("oom-kill:")
    response = read(answer)
    assert (response["verdict"]["code"], response["verdict"]["kind"], response["verdict"]["cause"]) == ("memory", "memcg_oom", "working_set_over_limit")
    assert response["decision"]["code"] == "observed"
    assert response["alert"]["problems"] == []

    report = json.loads((answer.parents[2] / "report.json").read_text())
    diagnosis = json.loads((answer.parent / "diagnosis.json").read_text())
    (incident,) = diagnosis["incidents"]
    assert (incident["victim"]["process"], incident["unit"]) == ("tail", "hungry.service")
    assert incident["memory"]["total_bytes"] == 64 * MIB
    assert [host["host"] for host in report["hosts"]] == ["web1"]

    (notice,) = here.told
    assert notice["title"] == "web1: memory (HostOomKill)"
    assert "hungry.service" in notice["message"] and "Cause: working_set_over_limit (certain)" in notice["message"]
    assert str(answer.parents[2]) in notice["message"]

    assert [line["decision"] for line in here.service.alerts() if line["alert"] == "HostOomKill"] == ["run"]
    until(lambda: here.people, "who was told before is told as before, half a minute later", 120)
    assert [alert["labels"]["alertname"] for told in here.people for alert in told["alerts"]] == ["HostOomKill"]

    times = here.times(answer)
    assert killed < min(times.values())
    ours = times["the report is written"] - times["the service has taken it"]
    rows = [(step, f"{at - killed:.1f}") for step, at in times.items()]
    figures("from kill to report", ["step", "seconds after the kill"], [*rows, ("from the alert's arrival to the report", f"{ours:.1f}")], here.guest.told)
    with capsys.disabled():
        print("".join(f"\n  {step}: {seconds}" for step, seconds in [*rows, ("ours", f"{ours:.1f}")]))
