"""Makes a large syslog: the lines of many services, and recorded OOM reports spread among them; the same for the same numbers.

``python -m bench.mixed_syslog PATH [BYTES [REPORTS]]`` writes one to look at.
"""

from __future__ import annotations

import datetime
import functools
import itertools
import pathlib
import random
import re
import sys
from collections.abc import Iterator

RECORDINGS = pathlib.Path(__file__).resolve().parent.parent / "collections/ansible_collections/memops/linux/tests/unit/fixtures/kernel_logs"
HOST = "node-17"
_FIRST = datetime.datetime(2026, 11, 2, tzinfo=datetime.UTC)
_SPAN_SECONDS = 14 * 86400
_MESSAGES = 20_000  # said again and again, with other times
_UPTIME = re.compile(r"\[ *\d+\.\d+\] ")
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


def write(path: pathlib.Path, size_bytes: int, reports: int, first: int = 0) -> None:
    """A log of about ``size_bytes`` with exactly ``reports`` OOM reports at even distances, from the recording number ``first`` on."""
    random_numbers = random.Random(17)
    messages = _messages()
    recordings = itertools.islice(itertools.cycle(recorded_reports()), first % len(recorded_reports()), None)
    with open(path, "wb") as log:
        for number in range(reports + 1):
            written, until = log.tell(), size_bytes * (number + 1) // (reports + 1)
            seconds = _SPAN_SECONDS * number / (reports + 1)
            log.writelines(_service_lines(messages, random_numbers, seconds, until - written, size_bytes))
            if number < reports:
                log.write(_report_lines(next(recordings), seconds))


@functools.cache
def recorded_reports() -> list[list[str]]:
    """The recordings that hold one OOM report each, as messages without their times."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(RECORDINGS.glob("*.log"))]
    return [[_UPTIME.sub("", line, count=1) for line in text.splitlines()] for text in texts if text.count("invoked oom-killer") == 1]


def _service_lines(messages: list[str], random_numbers: random.Random, seconds: float, size_bytes: int, whole_bytes: int) -> Iterator[bytes]:
    """A thousand lines at a time, until there are ``size_bytes``; time passes with the bytes."""
    written = 0
    while written < size_bytes:
        stamp = _stamp(seconds + _SPAN_SECONDS * written / whole_bytes)
        lines = f"\n{stamp}".join(random_numbers.choices(messages, k=min(1000, 1 + (size_bytes - written) // 150)))
        block = f"{stamp}{lines}\n".encode()
        written += len(block)
        yield block


def _report_lines(messages: list[str], seconds: float) -> bytes:
    prefix = f"{_stamp(seconds)}kernel: [{seconds + 60:12.6f}] "
    return "".join(f"{prefix}{message}\n" for message in messages).encode()


def _stamp(seconds: float) -> str:
    moment = _FIRST + datetime.timedelta(seconds=seconds)
    return f"{moment:%b} {moment.day:2} {moment:%H:%M:%S} {HOST} "


@functools.cache
def _messages() -> list[str]:
    random_numbers = random.Random(7)
    kinds, weights = zip(*_KINDS, strict=True)
    return [
        line.format(
            pid=random_numbers.randrange(300, 99999),
            port=random_numbers.randrange(1024, 65535),
            address=".".join(str(random_numbers.randrange(1, 255)) for _ in range(4)),
            number=random_numbers.randrange(10**7),
            word="".join(random_numbers.choices(_LETTERS, k=10)),
            id="".join(random_numbers.choices("0123456789abcdef", k=64)),
            micros=random_numbers.randrange(10**6),
        )
        for line in random_numbers.choices(kinds, weights, k=_MESSAGES)
    ]


#: What a server's services say, by hand after their formats, and how often beside the others. Some come near an event's words.
_KINDS: tuple[tuple[str, int], ...] = (
    ("sshd[{pid}]: Accepted publickey for deploy from {address} port {port} ssh2: ED25519 SHA256:{id:.43}", 30),
    ("sshd[{pid}]: Failed password for invalid user {word} from {address} port {port} ssh2", 60),
    ("sshd[{pid}]: Received disconnect from {address} port {port}:11: disconnected by user", 40),
    ("sshd[{pid}]: pam_unix(sshd:session): session opened for user deploy(uid=1001) by (uid=0)", 30),
    ("CRON[{pid}]: (root) CMD (test -x /usr/sbin/anacron || {{ cd / && run-parts --report /etc/cron.hourly; }})", 20),
    ("CRON[{pid}]: pam_unix(cron:session): session closed for user root", 20),
    ("systemd[1]: Starting {word}.service - Rotate the reports of {word}...", 25),
    ("systemd[1]: {word}.service: Deactivated successfully.", 25),
    ("systemd[1]: {word}.service: Main process exited, code=exited, status=1/FAILURE", 5),
    ("systemd[1]: {word}.service: Failed with result 'exit-code'.", 5),
    ("systemd[1]: {word}.service: Scheduled restart job, restart counter is at {port}.", 5),
    ("systemd[1]: {word}.service: Consumed 2.{micros}s CPU time.", 15),
    ("systemd-logind[612]: New session {number} of user deploy.", 15),
    ("kernel: [{number:6}.{micros:06}] audit: type=1400 audit(1793577600.123:{pid}): apparmor=\"DENIED\" operation=\"open\" profile=\"{word}\" pid={pid}", 20),
    ("kernel: [{number:6}.{micros:06}] [UFW BLOCK] IN=eth0 OUT= MAC=52:54:00:12:34:56 SRC={address} DST=10.0.0.5 LEN=60 TOS=0x00 PROTO=TCP DPT={port}", 60),
    ("kernel: [{number:6}.{micros:06}] TCP: request_sock_TCP: Possible SYN flooding on port {port}. Sending cookies.", 5),
    ("kernel: [{number:6}.{micros:06}] cni0: port 3(veth{id:.8}) entered forwarding state", 10),
    ("nginx: {address} - - \"GET /api/v2/orders/{number}?expand=items HTTP/1.1\" 200 {port} \"-\" \"Mozilla/5.0 (X11; Linux x86_64)\" {micros}", 120),
    ("nginx: {address} - - \"POST /api/v2/checkout HTTP/1.1\" 502 {port} \"https://shop.example/cart\" \"Mozilla/5.0 (iPhone; CPU)\" 0.{micros}", 30),
    ("nginx[{pid}]: {pid}#{pid}: *{number} upstream timed out (110: Connection timed out) while reading response header from upstream", 10),
    ("audit[{pid}]: SYSCALL arch=c000003e success=yes exit=0 ppid={pid} pid={pid} auid=1001 uid=0 comm=\"{word}\" exe=\"/usr/bin/{word}\"", 40),
    ("audit[{pid}]: USER_AUTH pid={pid} uid=0 auid=4294967295 msg='op=PAM:authentication acct=\"{word}\" addr={address} res=failed'", 20),
    ("kubelet[1187]: I1102 10:00:00.{micros:06}    1187 reconciler_common.go:218] \"MountVolume started\" pod=\"shop/{word}-{id:.9}-{id:.5}\"", 40),
    ("kubelet[1187]: E1102 10:00:00.{micros:06}    1187 pod_workers.go:1300] \"Error syncing pod\" err=\"CrashLoopBackOff: back-off\" pod=\"{word}\"", 20),
    ("kubelet[1187]: W1102 10:00:00.{micros:06}    1187 flags.go:64] Flag --oom-score-adj={port} has been deprecated", 2),
    ("containerd[901]: time=\"2026-11-02T10:00:00.{micros:06}000Z\" level=info msg=\"StartContainer for \\\"{id}\\\" returns successfully\"", 20),
    ("dockerd[955]: time=\"2026-11-02T10:00:00.{micros:06}000Z\" level=warning msg=\"cleaning up after shim disconnected\" id={id} namespace=moby", 10),
    ("java[{pid}]: 2026-11-02 10:00:00,{port} ERROR [http-nio-8080-exec-{port}] c.e.shop.OrderService : order {number} was not saved", 20),
    ("java[{pid}]: java.lang.IllegalStateException: Session {word} was invalidated by process {pid}", 10),
    ("java[{pid}]: #011at org.springframework.web.servlet.FrameworkServlet.service(FrameworkServlet.java:{port})", 60),
    ("java[{pid}]: #011at com.example.shop.memory.CacheLoader.lambda$load${port}(CacheLoader.java:{port})", 60),
    ("java[{pid}]: #011... {port} common frames omitted", 10),
    ("postgres[{pid}]: [{port}-1] LOG:  duration: {number}.{micros} ms  execute <unnamed>: SELECT o.id, o.total FROM orders o WHERE o.customer_id = $1", 40),
    ("redis[{pid}]: {pid}:M 02 Nov 2026 10:00:00.{port} * 100 changes in 300 seconds. Saving with {port} MB of memory used by copy-on-write", 10),
    ("dhclient[{pid}]: DHCPACK of {address} from 10.0.0.1 (xid=0x{id:.8})", 5),
    ("earlyoom[{pid}]: mem avail: {port} of 32089 MiB (41.21%), swap free:    0 of    0 MiB ( 0.00%)", 5),
    ("smartd[{pid}]: Device: /dev/sda [SAT], SMART Usage Attribute: 194 Temperature_Celsius changed from 64 to {port}", 5),
)


def main(argv: list[str]) -> None:
    numbers: list[int] = [int(text) for text in argv[1:]]
    write(pathlib.Path(argv[0]), *numbers, *(10**9, 500)[len(numbers) :])


if __name__ == "__main__":
    main(sys.argv[1:])
