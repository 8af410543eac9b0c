# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Units of systemd that bring swap up at boot (systemd.swap(5)), and zram's setup where zram-generator is not installed."""

import collections
import re

FOLDER = "/etc/systemd/system"
FOLDERS = (FOLDER, "/usr/lib/systemd/system", "/lib/systemd/system")
#: How long udev may take until it has looked at a new device, on a host that is busy booting.
UDEV_SECONDS = 120
HEADER = "# Written by memops. Change it in the inventory: the next run would set this back.\n"

#: name: such as swapfile.swap. file: its path. priority: None where not set. enabled: whether something at boot wants it.
Unit = collections.namedtuple("Unit", "name file what priority discard enabled text")


def name_of(path):
    """The name that systemd demands of the unit for this path (systemd-escape(1) --path --suffix=swap)."""
    plain = path.strip("/")
    escaped = "".join(
        "-" if sign == "/" else sign if re.match(r"[A-Za-z0-9:_.]", sign) and not (number == 0 and sign == ".") else "\\x%02x" % ord(sign)
        for number, sign in enumerate(plain)
    )
    return escaped + ".swap"


def swap_unit(what, priority, discard, setup=None):
    """The text of an area's unit. setup: the service that prepares the device first."""
    lines = ["[Unit]", "Description=Swap on %s" % what]
    if setup:
        lines += ["Requires=" + setup, "After=" + setup]
    lines += ["", "[Swap]", "What=" + what]
    if priority is not None:
        lines.append("Priority=%d" % priority)
    if discard != "none":
        lines.append("Options=discard%s" % ("" if discard == "both" else "=" + discard))
    return HEADER + "\n".join(lines + ["", "[Install]", "WantedBy=swap.target", ""])


def parse(text):
    """(what, priority, discard) of a .swap unit's text; what is None where it says none."""
    found = dict(re.findall(r"^\s*(What|Priority|Options)\s*=\s*(.*?)\s*$", text or "", re.MULTILINE))
    options = found.get("Options", "").split(",")
    discard = "both" if "discard" in options else next((option[8:] for option in options if option.startswith("discard=")), "none")
    priority = found.get("Priority", "")
    for option in options:
        if re.match(r"^pri=\d+$", option):
            priority = option[4:]
    return found.get("What"), int(priority) if priority.isdigit() else None, discard


def setup_service(zram):
    """The name of the service that prepares the device where zram-generator is not installed."""
    return "memops-%s.service" % zram


def await_udev(device, program="udevadm"):
    """The command that waits until udev has looked at the device; systemd before 251 does not know it."""
    return [program, "wait", "--timeout=%d" % UDEV_SECONDS, "--initialized=yes", device]


def setup_service_text(zram, size_bytes, algorithm, programs):
    """Its text. programs: the paths of modprobe, udevadm, zramctl and mkswap by name (systemd before 239 wants whole paths).

    zramctl resets the device before it sets it up; its --reset is not used, because that removes the device altogether.
    It fails while udev has the new device open, and since util-linux 2.42 also where udev has not begun.
    """
    device = "/dev/" + zram
    lines = [
        "[Unit]",
        "Description=Prepare %s for swap" % device,
        "DefaultDependencies=no",
        "After=systemd-modules-load.service systemd-udevd.service",
        "Before=shutdown.target",
        "Conflicts=shutdown.target",
        "",
        "[Service]",
        "Type=oneshot",
        "RemainAfterExit=yes",
        "ExecStart=%s zram" % programs["modprobe"],
        "ExecStart=-%s" % " ".join(await_udev(device, programs["udevadm"])),
        "ExecStart=%s%s --size %d %s" % (programs["zramctl"], " --algorithm %s" % algorithm if algorithm else "", size_bytes, device),
        "ExecStart=%s %s" % (programs["mkswap"], device),
        "",
    ]
    return HEADER + "\n".join(lines)
