# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A large log is searched, not read: what is found in it, and what that costs."""

from __future__ import annotations

import importlib
import itertools
import pkgutil
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.memops.linux.plugins.plugin_utils import events
from ansible_collections.memops.linux.plugins.plugin_utils.log_lines import line_chunks, needles, scanning
from ansible_collections.memops.linux.plugins.plugin_utils.log_lines.model import LogFile
from ansible_collections.memops.linux.plugins.plugin_utils.log_lines.reading import read_log
from ansible_collections.memops.linux.plugins.plugin_utils.log_lines.scanning import Piece, Scanner
from ansible_collections.memops.linux.tests.unit.controller.events.recorded import FOLDER, NAMES

SERVICE = "Nov 20 10:00:{:02} web1 sshd[{}]: Failed password for invalid user admin from 192.0.2.7 port {} ssh2\n"
HIT = "Nov 20 10:00:00 web1 kernel: shop invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n"


def services(size: int) -> bytes:
    """Some ``size`` bytes of lines without events."""
    lines = (SERVICE.format(number % 60, number, number) for number in itertools.count())
    return "".join(itertools.islice(lines, size // 95)).encode()


def blocks(log: bytes, size: int = 1 << 20):
    return (log[start : start + size] for start in range(0, len(log), size))


def pieces(log: bytes, still_open=lambda: False, block_size: int = 1 << 20) -> list[Piece]:
    return list(Scanner(blocks(log, block_size), still_open))


def given_lines(found: list[Piece]) -> dict[int, bytes]:
    """{number: line} of all pieces; no line is given twice, and a piece says whether there is a gap before it."""
    lines: dict[int, bytes] = {}
    for piece in found:
        assert piece.contiguous == (piece.line_number - 1 in lines)
        for number, line in enumerate(piece.data.splitlines(keepends=True), piece.line_number):
            assert number not in lines
            lines[number] = line
    return lines


SMALL_LOG = services(2000) + HIT.encode() + services(2000)
LARGE_LOG = services(2_500_000) + HIT.encode() + services(2_500_000)


# what is given


def test_a_small_log_is_given_whole():
    scanner = Scanner(blocks(SMALL_LOG), lambda: False)
    assert list(scanner) == [Piece(SMALL_LOG, 1, False)]
    assert scanner.whole
    assert (scanner.bytes_read, scanner.lines_read) == (len(SMALL_LOG), SMALL_LOG.count(b"\n"))
    assert scanner.head == scanner.tail == SMALL_LOG


def test_nothing_is_given_of_an_empty_log():
    assert pieces(b"") == []


def test_of_a_large_log_its_beginning_and_the_lines_around_a_hit_are_given():
    found = pieces(LARGE_LOG)
    assert [piece.contiguous for piece in found] == [False, False]
    beginning, hit = found
    assert beginning.line_number == 1
    assert len(hit.data.splitlines()) == scanning.BEFORE_LINES + 1 + scanning.AFTER_LINES
    assert hit.data.splitlines(keepends=True)[scanning.BEFORE_LINES] == HIT.encode()


def test_all_of_a_large_log_is_counted_and_its_ends_kept():
    scanner = Scanner(blocks(LARGE_LOG), lambda: False)
    list(scanner)
    assert not scanner.whole
    assert (scanner.bytes_read, scanner.lines_read) == (len(LARGE_LOG), LARGE_LOG.count(b"\n"))
    assert LARGE_LOG.startswith(scanner.head) and LARGE_LOG.endswith(scanner.tail)
    for edge in (scanner.head, scanner.tail):
        assert edge.startswith(b"Nov 20") and edge.endswith(b"ssh2\n") and 60_000 < len(edge) <= scanning.EDGE_BYTES


def test_lines_follow_for_as_long_as_an_event_is_open():
    rows = b"".join(b"row %d\n" % number for number in range(60_000))
    log = services(4_500_000) + HIT.encode() + rows + b"the end\n" + services(1_000_000)
    last = {"line": b""}
    found = []
    scanner = Scanner(blocks(log), lambda: last["line"].startswith(b"row "))
    for piece in scanner:
        found.append(piece)
        last["line"] = piece.data.splitlines()[-1]
    assert [piece.contiguous for piece in found[1:]] == [False] + [True] * (len(found) - 2)
    report = b"".join(piece.data for piece in found[1:])
    assert HIT.encode() + rows + b"the end\n" in report
    assert len(report) - len(rows) < len(rows) / scanning.FOLLOW_PART + 10_000


def test_a_hit_right_after_a_piece_goes_on_from_it():
    log = services(4_500_000) + HIT.encode() + services(95 * (scanning.AFTER_LINES + 5)) + HIT.encode() + services(5000)
    found = pieces(log)
    assert [piece.contiguous for piece in found] == [False, False, True]
    assert sorted(given_lines(found[1:])) == list(range(found[1].line_number, found[1].line_number + sum(piece.data.count(b"\n") for piece in found[1:])))


def test_a_hit_at_the_beginning_of_a_chunk_comes_with_the_lines_before_it_and_after_a_gap():
    chunk = services(100_000)
    chunks = [chunk] * 50 + [HIT.encode() + chunk] + [chunk]
    _beginning, hit = Scanner(iter(chunks), lambda: False)
    assert not hit.contiguous
    assert hit.line_number == 50 * chunk.count(b"\n") + 1 - scanning.BEFORE_LINES
    assert hit.data.splitlines(keepends=True)[scanning.BEFORE_LINES] == HIT.encode()


def test_entries_of_an_exported_journal_are_given_whole():
    entry = "__CURSOR=s=1\n_BOOT_ID=2\n" + "".join(f"_FIELD_{number}=x\n" for number in range(25)) + "MESSAGE={}\n" + "_COMM=x\n" * 20 + "\n"
    log = entry.format("hello").encode() * 9000 + entry.format("a invoked oom-killer: order=0").encode() + entry.format("bye").encode() * 100
    assert entry.format("a invoked oom-killer: order=0").encode() in pieces(log)[-1].data


@given(
    st.lists(st.sampled_from([HIT, "x\n", "\n", "y" * 300 + "\n", "no newline", "z" * 20_000 + "\n", "\0\n"]), max_size=40),
    st.integers(1, 5000),
    st.lists(st.booleans(), min_size=1, max_size=5),
)
@settings(max_examples=150, deadline=None)
def test_whatever_the_log_its_lines_are_given_under_their_own_numbers(lines, block_size, answers):
    log = "".join(lines).encode()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("SMALL", 1000), ("EDGE_BYTES", 200), ("BEFORE_LINES", 2), ("AFTER_LINES", 1)):
            patch.setattr(scanning, name, value)
        for name, value in (("CHUNK_BYTES", 2000), ("_FEW_BYTES", 1000), ("LINE_BYTES", 400)):
            patch.setattr(line_chunks, name, value)
        turns = itertools.cycle(answers)
        scanner = Scanner(blocks(log, block_size), lambda: next(turns))
        found = given_lines(list(scanner))
    own = [line if len(line.rstrip(b"\n")) <= 400 else line[:400] + line[-1:] for line in log.splitlines(keepends=True)]
    assert found == {number: own[number - 1] for number in found}
    assert {number for number, line in enumerate(own, 1) if b"oom-kill" in line} <= set(found)
    assert scanner.lines_read == len(own)


# line ends and encodings


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-with-mark", "utf-16-be-with-mark"])
@pytest.mark.parametrize("block_size", [1, 7, 1 << 20])
def test_the_text_is_the_same_in_any_encoding_with_a_mark(encoding, block_size):
    text = HIT + "Nov 20 10:00:01 web1 kernel: Speicher erschöpft 🐧\n"
    name, marked, _rest = encoding.partition("-with-mark")
    log = (("\ufeff" if marked else "") + text).encode(name)
    assert b"".join(piece.data for piece in pieces(log, block_size=block_size)) == text.encode()


def test_utf_16_that_ends_within_a_character_loses_only_that():
    assert pieces("one\ntwo".encode("utf-16")[:-1]) == [Piece("one\ntw\ufffd".encode(), 1, False)]


def test_carriage_returns_alone_end_lines_too():
    assert pieces(b"one\rtwo\rthree")[0].data == b"one\ntwo\nthree"


@pytest.mark.parametrize("log", [b"one\r\ntwo\r\n", b"10 %\r20 %\rdone\nnext\r\n", b"one\r"])
def test_carriage_returns_beside_newlines_stay(log):
    assert pieces(log)[0].data == log


# hostile input


def test_a_line_without_end_is_cut_and_what_was_cut_is_counted():
    line = b"x" * 10_000_000
    scanner = Scanner(blocks(b"one\n" + line + b"\ntwo"), lambda: False)
    found = b"".join(piece.data for piece in scanner)
    assert found == b"one\n" + line[: line_chunks.LINE_BYTES] + b"\ntwo"
    assert scanner.dropped_bytes == len(line) - line_chunks.LINE_BYTES
    assert scanner.lines_read == 3


@pytest.mark.parametrize(
    "block",
    [pytest.param(b"x" * (1 << 20), id="one line"), pytest.param(b"\n" * (1 << 20), id="empty lines"), pytest.param(HIT.encode() * 9000, id="hits")],
)
def test_memory_is_bounded_whatever_the_size(block):
    tracemalloc.start()
    try:
        for _piece in Scanner(itertools.repeat(block, 30), lambda: False):
            pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3 * scanning.SMALL


# the needles


@pytest.mark.parametrize("search", ["strstr", "bytes.find"])
@pytest.mark.parametrize("fill", [b"", b"\0"], ids=["text", "with zero bytes"])
def test_each_place_is_found_once_and_in_order_by_either_search(monkeypatch, search, fill):
    if search == "bytes.find":
        monkeypatch.setattr(needles, "_found", [None])
    data = b"oom-kill " + fill + b"Mem-Info out of memory" + fill + b"oom-kill"
    hits = needles.Hits(data, 3)
    places, position = [], 3
    while (place := hits.next(position)) is not None:
        places.append(place)
        position = place + 1
    assert places == [data.index(b"Mem-Info"), data.index(b"ut of memory"), data.rindex(b"oom-kill")]


#: By key: lines of those forms whose key is too common to be searched for. By hand, in the words of the form.
EXAMPLES = {
    "is already exiting": ["Memory cgroup out of memory: OOM victim 7 (a) is already exiting. Skip killing the task"],
    "panic": ["Kernel panic - not syncing: Out of memory: compulsory panic_on_oom is enabled", "Kernel panic - not syncing: System is deadlocked on memory"],
    "no killable processes": ["Out of memory and no killable processes..."],
    "illed process ": [
        "Killed process 7 (a) total-vm:1kB, anon-rss:1kB, file-rss:0kB",
        "Killed process 7, UID 0, (a) total-vm:1kB",
        "Out of memory in UB 101: OOM killed process 7 (a) score 9",
        "Out of Memory: Killed process 7 (a).",
        "Memory cgroup out of memory: Killed process 7 (sh",
    ],
    "ill process ": ["Out of memory: kill process 7 (a) score 9 or a child", "Memory cgroup out of memory: Kill process 7 (a) score 9 or sacrifice child"],
    "sharing same memory": ["Kill process 7 (a) sharing same memory"],
    "memory: usage ": ["memory: usage 65536kB, limit 65536kB, failcnt 12"],
    "swap: usage ": ["swap: usage 0kB, limit 9007199254740988kB, failcnt 0"],
    "memory+swap: usage ": ["memory+swap: usage 40960kB, limit 9007199254740988kB, failcnt 0"],
    "kmem: usage ": ["kmem: usage 1kB, limit 2kB, failcnt 0"],
    " fault": ["a[7]: unhandled level 2 translation fault (11) at 0x00000000, esr 0x82000006", "a: unhandled page fault (11) at 0x00000000, code 0x017"],
    ": unhandled signal ": ["a[7]: unhandled signal 11 at 0000000000000000 nip 0 lr 0 code 1"],
    ": unhandled ": ["a[7]: unhandled exception: fault"],
    " process exited, code=": [
        "a.service: Main process exited, code=killed, status=9/KILL",
        "a.service: Control process exited, code=dumped, status=11/SEGV",
        "a.service: main process exited, code=exited, status=137/n/a",
    ],
    "ailed with result": ["a.service: Failed with result 'oom-kill'.", "a.service: Failed with result 'core-dump'."],
    " due to ": ["Killed /a due to memory pressure for /a being 70%", "Marked /a for killing due to swap used (1) / total (2)"],
    "sending SIG": ['sending SIGTERM to process 7 uid 1000 "a": badness 9, VmRSS 8 MiB', 'sending SIGKILL to process 7 "a": oom_score 9, VmRSS 8 MiB'],
    "ill": ["Kill 'com.example' (7), uid 1, oom_score_adj 900 to free 8kB", "lowmemorykiller: Killing 'a' (7), uid 1, adj 9"],
    " Killed": ["./a.sh: line 3:  7 Killed                  java -jar a.jar", "./a.sh: line 3: 7 Killed: 9 java"],
    " Killed ": ["[1]+  7 Killed                  ./a"],
    "illed": ["Killed", "Killed: 9", "zsh: killed     ./a", "killed  ./a"],
    "signal: 9": ["process didn't exit successfully: `rustc` (signal: 9, SIGKILL: kill)"],
    "137": [
        "a_1 exited with code 137",
        "Exit Code:    137",
        "Exited (137) 2 minutes ago",
        'the process "/bin/sh -c make" returned a non-zero code: 137',
        "exitCode=137",
        '"exit_code":137',
        "command terminated with exit status 137",
        'exit_code="137"',
    ],
    "EvictionThresholdMet": ["Warning EvictionThresholdMet 5m kubelet Attempting to reclaim memory"],
    "low on resource": ["The node was low on resource: memory."],
    "low on compute resources": ["The node was low on compute resources."],
    "node had condition: ": ["The node had condition: [MemoryPressure]."],
    "System OOM encountered": ["System OOM encountered, victim process: a, pid: 7"],
    "OOMKilling": ["Warning OOMKilling 5m kernel-monitor Memory cgroup out of memory: Killed process 7 (a)"],
    "insufficient memory for the Java": ["There is insufficient memory for the Java Runtime Environment to continue."],
    "Native memory allocation": ["Native memory allocation (mmap) failed to map 12288 bytes for committing reserved memory."],
    "native thread": ["java.lang.OutOfMemoryError: unable to create new native thread"],
}
#: Nothing begins with them: rows below a table's head, and what daemons say before they act.
NEVER_FIRST = {"]", "mem avail: ", "ow memory! ", "PID: ", ", badness: ", "Name: ", "using the force", "Killing", "imed out"}


def forms():
    """All that the readers of events look for, in whatever module of theirs."""
    for module in pkgutil.iter_modules(events.__path__):
        names = vars(importlib.import_module(f"{events.__name__}.{module.name}"))
        for name, tables in names.items():
            if isinstance(tables, tuple) and name != "STACK_FORMS":
                for form in tables:
                    if hasattr(form, "key") and hasattr(form, "pattern") and form.key not in NEVER_FIRST:
                        yield pytest.param(form, id=f"{module.name}: {form.key}")


def holds_needle(line: str) -> bool:
    return any(needle.decode() in line for needle in needles.NEEDLES)


@pytest.mark.parametrize("form", list(forms()))
def test_each_line_that_can_begin_an_event_holds_a_needle(form):
    if holds_needle(form.key):
        return
    lines = [line for line in EXAMPLES.get(form.key, ()) if form.pattern.search(line)]
    assert lines, "its key holds no needle: add one, or lines of this form to EXAMPLES"
    assert [line for line in lines if not holds_needle(line)] == []
    assert [line for line in lines if needles.Hits(line.encode()).next(0) is None] == []


@pytest.mark.parametrize("line", ["GET /a HTTP/1.1 200 137 -", "status of order 1137", "exited with code 1370", "code 7\n a 137", "port=1371"])
def test_a_number_137_that_is_no_exit_is_no_hit(line):
    assert needles.Hits(line.encode()).next(0) is None


def test_no_needle_is_missed_for_the_word_that_it_is_grouped_by():
    assert [needle for word, group in needles._BY_WORD.items() for needle in group if word not in needle] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_recorded_event_is_found_in_a_large_log_as_in_a_small_one(name):
    recording = (FOLDER / f"{name}.log").read_text(encoding="utf-8")
    said = "".join(f"Nov 20 10:00:00 web1 kernel: {line}\n" for line in recording.splitlines()).encode()

    def events_in(log: bytes) -> list:
        reading = read_log(LogFile("messages", lambda: blocks(log), 1_795_000_000.0))
        return [[line.text for line in event.lines] for event in reading.events]

    around = services(2_500_000)
    assert events_in(around + said + around) == events_in(said) != []
