# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which log lines of user space speak of memory or of a violent death.

Precise on purpose: a flag (``--oom-score-adj``), the description of a unit or
a "zoom" is not an event. The lines are only chosen; nothing is concluded.
"""

import re

#: A wide sieve, for ``journalctl --grep`` (PCRE2) as for re. Each alternative
#: starts with a rare character: without that the search costs several times
#: what reading the journal does, because journalctl's PCRE2 runs without JIT.
SIEVE = (
    r"OOM|OutOfMemory|Out Of Memory|(?<=[Oo]ut o)f memory(?!: Kill)|Cannot allocate memory|Memory(?:Error| status that req)"
    r"|(?<=bad)_alloc|ENOMEM|Allocation failed|Native memory alloc|Failed with result|KILL|SEGV|ABRT|BUS|SIGTERM to"
    r"|Killing (?:unwanted )?container|Killed /|Marked /|(?<=9: )Killed|Eviction manager|(?<=eviction)_manager|Got sys oom"
    r"|(?<=fork: |etry: )Resource temporarily un|! at or below|! Killing|\(es\) in this unit"
    r"|(?<=^  )PID:"
)

_ANYONE = re.compile(
    r"Cannot allocate memory|(?:\b|_Array)MemoryError\b|(?<![A-Za-z])OutOfMemory(?:Error|Exception)\b(?!: CUDA)"
    r"|\bENOMEM\b|\bbad_alloc\b|\bAllocation failed - |Native memory allocation"
    r"|(?<!CUDA )\b[Oo]ut [Oo]f [Mm]emory\b(?!: Kill| (?:\(OOM\) )?[Kk]iller)"
    r"|fork: (?:retry: )?Resource temporarily unavailable"
    r"|terminated by (?:signal 9|SIGKILL)|sent SIGKILL"
)
_SYSTEMD = (
    r"killed by the OOM killer|kernel OOM killer killed|systemd-oomd killed|Failed with result '(?:oom-kill|signal|core-dump|resources)'"
    r"|process exited, code=(?:dumped|killed, status=(?:4|6|7|8|9|11)/)|with signal SIGKILL"
)
_KUBELET = r"viction.manager.{0,200}?(?:must evict|evicted|reclaim|threshold)|System OOM encountered|Got sys oom|OOMKill(?:ed|ing)"
_ENGINE = r"TaskOOM|\bOOM (?:event|received|kill)|\bOOMKilled\b"

#: (identifiers that a speaker's may begin with, what it alone says)
_SPEAKERS = (
    (("systemd-oomd",), r"^(?:Killed|Marked) |SIGKILL"),  # since 258 it tells why when it marks, and nothing when it has killed
    (("earlyoom",), r"low memory! at or below|Low memory! Killing|sending SIG\w+ to process|escalating to SIGKILL"),
    (("nohang",), r"Memory status that requires|Sending SIG\w+ to the victim|^  PID:"),
    (("k3s", "rke2"), "%s|%s|(Killing (?:unwanted )?container)" % (_KUBELET, _ENGINE)),
    (("kubelet", "microk8s"), _KUBELET + "|(Killing (?:unwanted )?container)"),
    (("dockerd", "containerd", "docker-containerd", "crio", "conmon", "podman"), _ENGINE),
)
_SPEAKERS = tuple((names, re.compile(pattern)) for names, pattern in _SPEAKERS)
_SYSTEMD = re.compile(_SYSTEMD)

#: They repeat what others typed or did: the kernel (read elsewhere), audit, sudo, cron, this collection itself.
_ECHOES = ("kernel", "audit", "sudo", "su", "cron", "CRON", "crond", "ansible-")


def kind(process, is_manager, text):
    """Why a message is kept: "act" (a death or a killer's deed), "stop" (a container ended), "enomem"; or None.

    process: the identifier that the message was logged under.
    is_manager: the message is surely from a systemd manager; only then its
        words about units count, because anyone may log as "systemd".
    """
    process = process or ""
    if process in _ECHOES or process.startswith(("audit", "ansible-")) or text.startswith("ansible-"):
        return None
    if is_manager and _SYSTEMD.search(text):
        return "act"
    for names, pattern in _SPEAKERS:
        if process.startswith(names):
            found = pattern.search(text)
            if found:
                return "stop" if found.lastindex else "act"
            break
    return "enomem" if _ANYONE.search(text) else None


def excerpt(text, limit=2000):
    """The message, or the part of a longer one from its first telling words on.

    A cut before those words may not tear a secret's value from its name, so
    nothing in front of them is kept.
    """
    text = text.rstrip()
    if len(text) <= limit:
        return text
    found = re.search(SIEVE, text)
    start = found.start() if found and found.end() > limit else 0
    return text[start : start + limit]
