"""A storm: a thousand alerts in ten seconds about a hundred hosts."""

from __future__ import annotations

import random
import threading
import time

import pytest
from eda.service import firing

HOSTS = 100  # 110 runs: each host for one alert, every tenth for another too


@pytest.mark.long
def test_a_thousand_alerts_in_ten_seconds_for_a_hundred_hosts_run_once_per_host_and_alert(services, figure):
    service = services({f"web{number}": {} for number in range(HOSTS)}, THROTTLE="1 hour")
    for name in ("HostOomKill", "HostMemoryLow"):
        service.runbook(name)
    service.start()
    # Every host says HostOomKill nine times and every tenth HostMemoryLow ten times, as group after group repeats itself.
    alerts = [firing("HostOomKill", f"web{number}:9100") for number in range(HOSTS)] * 9
    alerts += [firing("HostMemoryLow", f"web{number}:9100") for number in range(0, HOSTS, 10)] * 10
    random.Random(7).shuffle(alerts)
    waits, statuses = [], []

    def send(alert):
        start = time.monotonic()
        statuses.append(service.send([alert]))
        waits.append(time.monotonic() - start)

    start = time.monotonic()
    clients = []
    for number, alert in enumerate(alerts):
        time.sleep(max(0, start + number / 100 - time.monotonic()))
        clients.append(threading.Thread(target=send, args=(alert,)))
        clients[-1].start()
    for client in clients:
        client.join()
    sent = time.monotonic() - start
    assert statuses == [200] * 1000
    service.until(lambda: len(service.runs()) == 110, "all runs", seconds=1200)
    ran = time.monotonic() - start
    # What would come after the last one is given the time of two runs to come.
    time.sleep(5)
    assert set(service.runs().values()) == {1}
    assert len(service.alerts()) == 1000
    waits.sort()
    figure(
        "1,000 alerts in 10 s, 100 hosts, two kinds of alert, each told 9 or 10 times",
        f"all answered 200 within {sent:.0f} s (median {waits[500]:.2f} s, 99th percentile {waits[989]:.2f} s), 110 runs, one per host and alert;"
        f" the last had ended after {ran:.0f} s, 4 at a time",
    )
