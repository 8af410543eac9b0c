# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One saved log in, its events out, in one pass and in memory that does not grow with the log."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..events.draft import far_apart
from ..events.kernel import KernelReader
from ..events.model import Event, Line
from ..events.services import ServiceReader
from .bare_hosts import without_hosts
from .direction import in_order
from .model import DamagedLog, LogFile, LogReading
from .prefix import KERNEL, Message, cleaned, message, tag_in_text
from .records import Record, Records
from .scanning import Piece, Scanner
from .stamps import Clock

#: Lines of others that may stand within a report, and after its kill line.
FOREIGN_LINES, TAIL_LINES = 500, 12
#: Words of the kernel that show where its message begins behind a prefix of no known form.
_ANCHOR = re.compile(
    r"(?:Memory cgroup out of memory|Out of memory)(?: \(oom_kill_allocating_task\))?: Kill(?:ed)? process \d+|oom-kill:constraint=CONSTRAINT_"
    r"|oom_reaper: reaped process \d+|\S+ invoked oom-killer: gfp_mask=0x"
)
_ANCHOR_WITHIN = 120
#: The same of user space: the daemon's own tag.
_TAG_WITHIN = re.compile(r"(?<![\w.-])(earlyoom|nohang|systemd-oomd|oomd|systemd|kubelet)\[\d{1,10}\]: ")
#: An event of Kubernetes, one field a line.
_FIELD = re.compile(r"\"?[Mm]essage\"? ?: ?[\"']?")
_QUOTING = re.compile(r"[\"'`=]")
_NUMBER = re.compile(r":(\d+)$")


def read_log(file: LogFile) -> LogReading:
    """All that a log says of memory. Raises OSError if it cannot be opened; damage further on is a note."""
    reading = _Reading(file)
    for piece in reading.scanner:
        reading.take(piece)
    return reading.finish()


class _Machine:
    """The kernel's messages of one host, boot after boot."""

    def __init__(self, host: str | None) -> None:
        self.host = host
        self.readers = [KernelReader()]
        self.last: Line | None = None
        self._without_stamp = 0  # of a log's first lines, as far as they said something

    def feed(self, line: Line) -> bool:
        has_stamp = line.time is not None or line.uptime_seconds is not None
        if has_stamp:
            # A paste may begin in the middle of its first line; more lines without a stamp are of another log.
            if _another_log(self.last, line) if self.last is not None else self._without_stamp > 1:
                self.readers.append(KernelReader())
            self.last = line
        taken = self.readers[-1].feed(line)
        self._without_stamp += taken and not has_stamp
        return taken

    def is_another(self, line: Line) -> bool:
        """Whether a line that names no host cannot be of this machine, which has a name."""
        return self.host is not None and self.last is not None and (line.time or line.uptime_seconds is not None) and _another_log(self.last, line)

    def goes_on_in(self, line: Line) -> bool:
        """Whether a line that names its host may be of this machine, whose lines named none."""
        return self.host is None and self.last is not None and not _another_log(self.last, line) and not far_apart(self.last, line)


def _another_log(last: Line, line: Line) -> bool:
    """Whether two lines cannot be of one boot: their stamps cannot be compared, or uptime falls."""
    if line.uptime_seconds is not None and last.uptime_seconds is not None:
        return line.uptime_seconds < last.uptime_seconds - 1
    return line.time is None or last.time is None


class _Reading:
    def __init__(self, file: LogFile) -> None:
        self.file = file
        self.clock = Clock(file.modified_at)
        self.records = Records(self.clock)
        self.scanner = Scanner(self._blocks(), self._still_open)
        self.services = ServiceReader()
        self.machines: list[_Machine] = []
        self.by_host: dict[str, _Machine] = {}
        self.machine: _Machine | None = None
        self.notes: list[str] = []
        self.stamped_lines = 0
        self._foreign = 0
        self._held: list[Record] = []  # of the piece at hand: a small log is one piece, and may run backwards

    def _blocks(self) -> Iterator[bytes]:
        try:
            yield from self.file.blocks()
        except DamagedLog as damage:
            self.notes.append(str(damage))

    def take(self, piece: Piece) -> None:
        self._held = list(self.records.of_piece(piece))

    def finish(self) -> LogReading:
        self._held += self.records.finish()
        self._held, turned = in_order(without_hosts(self._held))
        if turned:
            self.notes.append("it runs from the newest line to the oldest")
        self._release()
        events = [event for machine in self.machines for reader in machine.readers for event in reader.finish()]
        if len(self.machines) > 1:
            events.sort(key=_line_number)
        return LogReading(
            events=events,
            services=self.services.finish(),
            first_at=self._edge(self.scanner.head, min),
            last_at=self._edge(self.scanner.tail or self.scanner.head, max),
            bytes_read=self.scanner.bytes_read,
            lines_read=self.scanner.lines_read,
            stamped_lines=self.stamped_lines,
            notes=self.notes + self._assumptions(),
        )

    def _release(self) -> None:
        for record in self._held:
            self._feed(record)
        self._held = []

    def _still_open(self) -> bool:
        self._release()
        if self.records.unfinished:
            return True
        reader = self.machine.readers[-1] if self.machine is not None else None
        return self._foreign < (FOREIGN_LINES if reader is not None and reader.open else TAIL_LINES)

    def _feed(self, record: Record) -> None:
        said = record.message
        if not said.text:
            return
        where = f"{self.file.name}:{record.number}"
        taken = said.program in (None, KERNEL) and self._feed_kernel(said, where)
        if not taken and said.program != KERNEL:
            taken = self._feed_services(said, where)
        self._foreign = 0 if taken else self._foreign + 1
        self.stamped_lines += said.stamped or taken

    def _feed_kernel(self, said: Message, where: str) -> bool:
        line = Line(said.text, said.time, where, said.uptime_seconds, said.program == KERNEL)
        self.machine = self._machine_of(said.host, line)
        if self.machine.feed(line):
            return True
        if said.program is None and not (said.of_ring_buffer and said.stamped):
            found = _ANCHOR.search(said.text, 0, _ANCHOR_WITHIN + 80)
            if found is not None and 0 < found.start() <= _ANCHOR_WITHIN:
                text = said.text[found.start() :]
                field = _FIELD.match(said.text)
                if field is not None and field.end() == found.start():
                    text = text.rstrip("\"',")
                elif _QUOTING.search(said.text, 0, found.start()):
                    return False
                return self.machine.feed(Line(text, said.time, where, said.uptime_seconds))
        return False

    def _machine_of(self, host: str | None, line: Line) -> _Machine:
        machine = self.machine
        if host is None:
            if machine is None or machine.is_another(line):
                machine = self._new_machine(None)
        elif host in self.by_host:
            machine = self.by_host[host]
        else:
            if machine is None or not machine.goes_on_in(line):
                machine = self._new_machine(host)
            machine.host, self.by_host[host] = host, machine
        return machine

    def _new_machine(self, host: str | None) -> _Machine:
        self.machines.append(_Machine(host))
        return self.machines[-1]

    def _feed_services(self, said: Message, where: str) -> bool:
        process, text = said.program, said.text
        if process is None:
            tag = tag_in_text(text)
            if tag is not None:
                process, _pid, text = tag
            elif "]: " in text and (found := _TAG_WITHIN.search(text, 0, 2 * _ANCHOR_WITHIN)) and not _QUOTING.search(text, 0, found.start()):
                process, text = found[1], text[found.end() :]
        time = said.time if said.stamped or said.program else None  # else it is the time of the kernel's line above
        record = {"text": text, "time": time, "process": process or "", "unit": said.unit, "where": where}
        return self.services.feed(record)

    def _edge(self, data: bytes, choose: type[min]) -> str | None:
        lines = data.split(b"\n")
        lines = lines[:50] if choose is min else lines[-50:]
        times = [found.time for line in lines if (found := message(cleaned(line.decode("utf-8", "replace")[:2000]), self.clock)).time]
        return choose(times, default=None)

    def _assumptions(self) -> list[str]:
        notes = []
        if self.clock.without_year:
            notes.append("its stamps have no year: taken as the last such day before the file was written")
        if self.clock.without_zone:
            notes.append("its stamps have no time zone: taken as UTC")
        if not self.scanner.whole and self._begins_with_the_newest():
            notes.append("it runs from the newest line to the oldest and is too large to be turned round: turn it (tac) and read it again")
        if self.scanner.dropped_bytes:
            notes.append(f"{self.scanner.dropped_bytes} bytes of overlong lines were not read")
        return notes

    def _begins_with_the_newest(self) -> bool:
        records = Records(Clock(self.file.modified_at))
        head = [*records.of_piece(Piece(self.scanner.head, 1, False)), *records.finish()]
        return in_order(head)[1]


def _line_number(event: Event) -> int:
    found = _NUMBER.search(event.lines[0].where) if event.lines else None
    return int(found[1]) if found else 0
