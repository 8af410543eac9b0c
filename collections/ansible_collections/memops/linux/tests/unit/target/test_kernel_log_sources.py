# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Each place where kernel messages are kept: its line form, its limits, its damages."""

import errno
import gzip
import io
import lzma
import os
import time

import pytest

from ansible_collections.memops.linux.plugins.module_utils.kernel_log import (
    crash_dumps,
    journal,
    kmsg,
    log_files,
    syslog_format,
)
from ansible_collections.memops.linux.plugins.module_utils.kernel_log.keeping import Kept
from ansible_collections.memops.linux.plugins.module_utils.kernel_log.scanning import CHUNK_BYTES, Scanner, chunks_of_lines
from ansible_collections.memops.linux.tests.unit.target.kernel_log_host import Host, at, recorded, report, syslog

NOW = at("2026-11-22 22:00:00")


@pytest.fixture
def host(tmp_path):
    return Host(tmp_path)


@pytest.fixture
def zone():
    """Set the host's time zone for a test."""
    before = os.environ.get("TZ")

    def use(name):
        os.environ["TZ"] = name
        time.tzset()

    yield use
    os.environ.pop("TZ") if before is None else os.environ.update(TZ=before)
    time.tzset()


def files(host, since=NOW - 86400):
    reader = host.reader()
    return log_files.collect(reader, since, 1 << 20), reader.unreadable


def texts(excerpt):
    return [text for _time, text in excerpt.lines]


# --- /dev/kmsg -----------------------------------------------------------------------------------------------------------


def test_a_kmsg_record_gives_its_time_since_boot_and_its_text_without_escapes():
    parse, _stamp = kmsg.parser(1000)
    assert parse(b"6,515,58091113,-;anon 1\\x0afile 2\\xc3\\xa9") == (1058.091113, "anon 1\nfile 2\u00e9")
    assert parse(b"4,734,3665746315,-,caller=T12;Call Trace:") == (1000 + 3665.746315, "Call Trace:")


@pytest.mark.parametrize("line", [b" SUBSYSTEM=pci", b"12,9,1,-;Out of memory: Killed process 1 (x)", b"", b";", b"6,a,b,c;x", b"\xff,1,1,-;x"])
def test_what_user_space_wrote_and_what_is_no_record_is_not_the_kernels(line):
    parse, _stamp = kmsg.parser(0)
    record = parse(line)
    assert record is None or record[0] is None


def test_fragments_of_a_line_are_joined():
    chunk = b"6,1,5,c;Node 0 DMA: \n SUBSYSTEM=x\n6,2,6,+;1*4kB\n6,3,7,-;next\n"
    assert kmsg.joined_fragments(chunk) == b"6,1,5,c;Node 0 DMA: 1*4kB\n6,3,7,-;next\n"


@pytest.mark.parametrize("error, notes", [(errno.EPERM, ["Operation not permitted"]), (errno.ENOENT, ["is not there"])])
def test_a_kmsg_that_may_not_be_read_is_noted(host, monkeypatch, error, notes):
    def refused(*_arguments):
        raise OSError(error, os.strerror(error))

    reader = host.reader()
    monkeypatch.setattr(os, "open", refused)
    assert kmsg.collect(reader, Kept(0, 1 << 20)) is None
    assert [note["why"] for note in reader.unreadable] == notes


def test_messages_overwritten_while_reading_are_noted_and_reading_goes_on(host, monkeypatch):
    answers = [b"6,1,1,-;a\n", OSError(errno.EPIPE, "x"), b"6,9,2,-;b\n", OSError(errno.EAGAIN, "x")]

    def read(_descriptor, _size):
        answer = answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return answer

    host.write("/dev/kmsg", b"")
    reader = host.reader()
    monkeypatch.setattr(os, "read", read)
    log = kmsg.collect(reader, Kept(0, 1 << 20))
    assert log.scanner.lines_read == 2
    assert [note["why"] for note in reader.unreadable] == ["messages were overwritten while it was read"]


# --- the journal ---------------------------------------------------------------------------------------------------------


def test_the_journals_lines_give_times_and_the_indented_ones_continue_their_message(host):
    host.journal = recorded("linux-6.1-oom-group", "journalctl.txt")
    log = journal.collect(host.reader(), Kept(0, 1 << 20), 0)
    (excerpt,) = log.excerpts
    assert excerpt.time == 1795388009.245033
    assert "anon 66543616" in texts(excerpt) and "pgmajfault 51" in texts(excerpt)
    assert len(excerpt.lines) == 90


def test_each_boot_of_the_journal_keeps_its_id(host):
    lines = ["%d.5 shop01 kernel: %s" % (NOW + day * 86400, report(pid)[-1]) for day, pid in ((0, 1), (1, 2), (2, 3))]
    lines[1:1] = ["-- Boot 215ef38edcee42b497fb64e1d24f1e9b --"]
    lines[3:3] = ["-- Reboot --"]
    host.journal = "\n".join(lines).encode()
    log = journal.collect(host.reader(), Kept(0, 1 << 20), 0)
    assert [excerpt.where[1] for excerpt in log.excerpts] == [None, "215ef38edcee42b497fb64e1d24f1e9b", None]


def test_a_host_without_a_journal_is_not_asked_for_one(host):
    reader = host.reader()
    assert journal.collect(reader, Kept(0, 1 << 20), 0) is None and reader.unreadable == []


# --- syslog files --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line, seconds, text",
    [
        ("Nov 22 21:18:40 shop01 kernel: [  790.431234] Mem-Info:", at("2026-11-22 21:18:40"), "Mem-Info:"),
        ("Dec 24 21:18:40 shop01 kernel: Mem-Info:", at("2025-12-24 21:18:40"), "Mem-Info:"),
        ("Nov  2 21:18:40 shop01 kernel: [  790.431234][  T12]  dump+0x1", at("2026-11-02 21:18:40"), " dump+0x1"),
        ("2026-11-22T23:18:40.500000+02:00 shop01 kernel: [  790.431234] x", at("2026-11-22 21:18:40") + 0.5, "x"),
        ("2026-11-22T21:18:40Z shop01 kernel: x", at("2026-11-22 21:18:40"), "x"),
        ("Sun Nov 22 21:18:40 2026 kern.warn kernel: [  795.398379] x", at("2026-11-22 21:18:40"), "x"),
        ("Nov 22 21:18:40 shop01 kernel: a 1#012b 2", at("2026-11-22 21:18:40"), "a 1\nb 2"),
        ("Nov 22 21:18:40 shop01 kernel: [  812]     0   812     4491", at("2026-11-22 21:18:40"), "[  812]     0   812     4491"),
    ],
)
def test_a_kernel_line_of_a_syslog_file_gives_its_utc_time_and_the_kernels_text(zone, line, seconds, text):
    zone("UTC0")
    parse, _stamp = syslog_format.parser(NOW)
    assert parse(line.encode()) == (seconds, text)


def test_a_stamp_without_zone_is_the_hosts_local_time(zone):
    zone("CET-1")
    parse, _stamp = syslog_format.parser(NOW)
    assert parse(b"Nov 22 22:18:40 shop01 kernel: x")[0] == at("2026-11-22 21:18:40")


@pytest.mark.parametrize(
    "line",
    [
        b"Nov 22 21:18:40 shop01 app[1]: kernel: Out of memory: Killed process 1 (x)",
        b"Nov 22 21:18:40 shop01 app: said kernel: Out of memory: Killed process 1 (x)",
        b"kernel: Out of memory: Killed process 1 (x)",
    ],
)
def test_a_line_of_another_program_is_not_the_kernels(line):
    parse, _stamp = syslog_format.parser(NOW)
    assert parse(line) is None


def test_a_log_file_is_read_only_if_it_reaches_into_the_window(host):
    host.write("/var/log/kern.log", syslog(report(), NOW), NOW)
    host.write("/var/log/kern.log.1", syslog(report(), NOW - 9e5), NOW - 9e5)
    host.write("/var/log/kernel-notes", syslog(report(), NOW), NOW)
    logs, unreadable = files(host)
    assert [(log.path, [texts(e) for e in log.excerpts]) for log in logs] == [("/var/log/kern.log", [report()])]
    assert unreadable == []


def test_events_before_the_window_are_left_out_though_their_file_is_read(host):
    host.write("/var/log/kern.log", syslog(report(1), NOW - 9000) + syslog(report(2), NOW - 60), NOW)
    logs, _unreadable = files(host, since=NOW - 3600)
    assert [texts(e) for e in logs[0].excerpts] == [report(2)]


@pytest.mark.parametrize("suffix, pack", [(".1", bytes), ("-20261122.gz", gzip.compress), (".2.xz", lzma.compress)])
def test_rotated_and_packed_files_are_read(host, suffix, pack):
    host.write("/var/log/messages" + suffix, pack(syslog(report(), NOW)), NOW)
    logs, unreadable = files(host)
    assert [texts(e) for e in logs[0].excerpts] == [report()] and unreadable == []


@pytest.mark.parametrize("suffix, pack", [(".1.gz", gzip.compress), (".1.xz", lzma.compress)])
def test_a_cut_packed_file_gives_what_it_holds_and_a_note(host, suffix, pack):
    noise = b"".join(b"Nov 22 20:00:00 shop01 app[%d]: %s\n" % (n, os.urandom(30).hex().encode()) for n in range(9000))
    packed = pack(syslog(report(), NOW) + noise)
    host.write("/var/log/messages" + suffix, packed[: len(packed) // 2], NOW)
    logs, unreadable = files(host)
    assert [texts(e) for e in logs[0].excerpts] == [report()]
    assert [note["source"] for note in unreadable] == ["/var/log/messages" + suffix]


@pytest.mark.parametrize("suffix", [".1.gz", ".1.xz", ".1.bz2"])
def test_a_packed_file_of_garbage_gives_a_note(host, suffix):
    host.write("/var/log/messages" + suffix, b"Nov 22 20:00:00 shop01 kernel: not packed\n", NOW)
    logs, unreadable = files(host)
    assert logs[0].excerpts == [] and "is damaged" in unreadable[0]["why"]


def test_a_fifo_in_the_place_of_a_log_file_does_not_block(host):
    host.write("/var/log/messages.1", b"", NOW)
    os.mkfifo(os.path.join(str(host.root), "var/log/messages"))
    assert [log.path for log in files(host)[0]] == ["/var/log/messages.1"]


def test_a_report_cut_by_the_rotation_is_one_report(host):
    host.write("/var/log/messages.1", syslog(report()[:5], NOW - 10), NOW - 10)
    host.write("/var/log/messages", syslog(report()[5:], NOW - 9), NOW)
    logs, _unreadable = files(host)
    assert [[texts(e) for e in log.excerpts] for log in logs] == [[], [report()]]


def test_the_parts_of_a_large_file_give_each_event_once_wherever_they_are_cut(host, monkeypatch):
    data = b"".join(syslog(report(pid) + ["eth0: link up"] * 40, NOW - 4000 + 100 * pid) for pid in range(1, 31))
    host.write("/var/log/messages", data, NOW)
    for size in range(1500, 6000, 173):
        monkeypatch.setattr(log_files, "PART_BYTES", size)
        logs, _unreadable = files(host)
        found = [texts(excerpt) for log in reversed(logs) for excerpt in log.excerpts]
        assert found == [report(pid) for pid in range(1, 31)], size
        assert len(logs) > 10


def test_the_search_for_the_window_reads_little_and_loses_nothing():
    line = b"%s shop01 app[1]: %s\n"
    stamps = [time.strftime("%b %e %H:%M:%S", time.localtime(NOW - 90000 + n)).encode() for n in range(90000)]
    data = b"".join(line % (stamp, b"x" * 200) for stamp in stamps)
    handle = io.BytesIO(data)
    _parse, stamp = syslog_format.parser(NOW)
    begin = log_files.start_of_window(handle, len(data), stamp, NOW - 40000)
    first = data.index(stamps[90000 - 40000])
    assert begin <= first and first - begin <= 4 * CHUNK_BYTES


def test_time_that_runs_out_costs_the_oldest_part_and_is_noted(host, monkeypatch):
    monkeypatch.setattr(log_files, "TIME_LIMIT_SECONDS", -1)
    host.write("/var/log/messages", syslog(report(), NOW), NOW)
    logs, unreadable = files(host)
    assert logs == [] and [note["source"] for note in unreadable] == ["/var/log/messages"]


# --- scanning ------------------------------------------------------------------------------------------------------------


def scanned(data, chunk_bytes):
    parse, stamp = syslog_format.parser(NOW)
    scanner = Scanner(parse, stamp, syslog_format.TAG)
    found = []
    for chunk in chunks_of_lines(data[n:n + chunk_bytes] for n in range(0, len(data), chunk_bytes)):
        found += scanner.feed(chunk)
    return found + scanner.finish(), scanner


@pytest.mark.parametrize("foreign", ["app[1]: noise", "kernel: noise"])
def test_reports_are_found_whole_whatever_the_chunks(foreign):
    noise = ("Nov 22 21:00:00 shop01 %s\n" % foreign).encode() * 2000
    data = noise + syslog(report(11), NOW - 60) + noise + syslog(report(12), NOW - 50) + noise
    for chunk_bytes in (999, 5000, 70001, CHUNK_BYTES):
        found, scanner = scanned(data, chunk_bytes)
        assert [texts(excerpt) for excerpt in found] == [report(11), report(12)]
        assert (scanner.bytes_read, scanner.lines_read) == (len(data), 6020)


def test_the_suppressed_count_before_a_header_belongs_to_the_report():
    noise = b"Nov 22 21:00:00 shop01 kernel: noise\n" * 3000
    lines = ["oom_kill_process: 70 callbacks suppressed"] + report()
    found, _scanner = scanned(noise + syslog(lines, NOW), 4000)
    assert [texts(excerpt) for excerpt in found] == [lines]


def test_a_log_that_begins_inside_a_report_gives_what_is_left_of_it():
    found, _scanner = scanned(syslog([" lru_add_drain+0x1/0x2"] + report()[4:] + ["eth0: link up"] * 40, NOW), CHUNK_BYTES)
    assert [texts(excerpt) for excerpt in found] == [report()[4:]]


def test_a_line_without_end_does_not_fill_the_memory():
    sizes = [len(chunk) for chunk in chunks_of_lines(b"x" * CHUNK_BYTES for _n in range(5))]
    assert sizes == [CHUNK_BYTES]


# --- what a panic leaves behind ------------------------------------------------------------------------------------------


def test_parts_of_one_panic_are_joined_from_the_last_part_to_the_first(host):
    stamped = ["<4>[   12.%06d] %s\n" % (number, text) for number, text in enumerate(report() + ["Kernel panic - not syncing: System is deadlocked on memory"])]
    for part, lines in ((2, stamped[:5]), (1, stamped[5:])):
        host.write("/sys/fs/pstore/dmesg-efi-%d" % part, ("Panic#1 Part%d\n" % part + "".join(lines)).encode(), NOW)
    (log,) = crash_dumps.collect(host.reader(), lambda: Kept(0, 1 << 20), 0)
    (excerpt,) = log.excerpts
    assert (log.source, len(excerpt.lines), excerpt.kind) == ("pstore", 11, "oom_report")
    assert abs(excerpt.lines[-1][0] - NOW) < 0.001


def test_the_text_that_kdump_and_systemd_saved_is_read(host):
    text = b"[   12.345678] Kernel panic - not syncing: Out of memory: system-wide panic_on_oom is enabled\n"
    host.write("/var/crash/127.0.0.1-2026-11-22/vmcore-dmesg.txt", text, NOW)
    host.write("/var/lib/systemd/pstore/1795387207/001/dmesg.txt", b"Panic#1 Part1\n<0>" + text, NOW)
    logs = crash_dumps.collect(host.reader(), lambda: Kept(0, 1 << 20), 0)
    assert [(log.source, [e.kind for e in log.excerpts]) for log in logs] == [("pstore", ["panic"]), ("vmcore", ["panic"])]


def test_the_record_of_ramoops_that_systemd_moved_away_as_it_is_is_read(host):
    text = b"Panic#1 Part1\n<0>[   12.345678] Kernel panic - not syncing: Out of memory: system-wide panic_on_oom is enabled\n"
    host.write("/var/lib/systemd/pstore/dmesg-ramoops-0", text, NOW)

    logs = crash_dumps.collect(host.reader(), lambda: Kept(0, 1 << 20), 0)

    assert [(log.source, [e.kind for e in log.excerpts]) for log in logs] == [("pstore", ["panic"])]


# --- what is kept --------------------------------------------------------------------------------------------------------


def test_crashes_by_the_thousand_are_thinned_and_counted(host):
    crash = "nginx[%d]: segfault at 0 ip 0000000000402669 sp 00007ffe203fb570 error 4 in nginx[400000+5000]"
    lines = [crash % number for number in range(1000)]
    lines[500:500] = ["shop[7]: segfault at 0 ip 0000000000402669 sp 00007ffe203fb570 error 4 in shop[400000+5000]"]
    host.write("/var/log/messages", syslog(lines, NOW), NOW)
    (log,) = files(host)[0]
    pids = [int(texts(e)[0].split("[")[1].split("]")[0]) for e in log.excerpts]
    assert pids == list(range(25)) + [7] + list(range(975, 1000))
    assert [e.repeats for e in log.excerpts if e.repeats] == [950]


def test_more_events_than_may_be_kept_cost_the_oldest_and_are_counted(host):
    host.write("/var/log/messages", b"".join(syslog(report(pid), NOW - 9000 + pid) for pid in range(1, 301)), NOW)
    logs = log_files.collect(host.reader(), NOW - 86400, 100000)
    pids = [e.lines[-1][1].split()[5] for e in logs[0].excerpts]
    assert pids == [str(pid) for pid in range(301 - len(pids), 301)] and logs[0].dropped == 300 - len(pids) > 0
