# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Memory that the hypervisor took back through a balloon driver in this guest."""

import re

from . import vmstat


def collect(reader, meminfo, page_bytes):
    """{driver: "virtio" | "vmware" | "hyperv" | None, inflated_bytes}.

    meminfo: memory.parse_meminfo; its Balloon line (6.16) is used where it is.
    Else the driver's own count in debugfs, else the balloon counters of
    /proc/vmstat, which the Hyper-V driver does not keep.
    """
    driver = _driver(reader)
    inflated = meminfo.get("balloon_bytes")
    if inflated is None and driver == "vmware":
        inflated = parse_vmmemctl(reader.text("/sys/kernel/debug/vmmemctl", expected=False))
    if inflated is None and driver == "hyperv":
        inflated = parse_hv_balloon(reader.text("/sys/kernel/debug/hv-balloon", expected=False))
    if inflated is None and driver in ("virtio", "vmware"):
        counters = vmstat.parse(reader.text("/proc/vmstat"))
        if "balloon_inflate" in counters and "balloon_deflate" in counters:
            inflated = max(0, counters["balloon_inflate"] - counters["balloon_deflate"]) * page_bytes
    return {"driver": driver, "inflated_bytes": inflated}


def parse_vmmemctl(text):
    """Bytes of "current" in VMware's debugfs file, which counts 4 KiB frames."""
    match = re.search(r"^current\s*:\s*(\d+)", text or "", re.MULTILINE)
    return int(match.group(1)) * 4096 if match else None


def parse_hv_balloon(text):
    """Bytes of "pages_ballooned" in Hyper-V's debugfs file (since 6.1)."""
    values = dict(re.findall(r"^(\w+)\s*:\s*(\d+)\s*$", text or "", re.MULTILINE))
    if "pages_ballooned" not in values or "page_size" not in values:
        return None
    return int(values["pages_ballooned"]) * int(values["page_size"])


def _driver(reader):
    """The driver that has a device: a driver built into the kernel shows in sysfs on any host."""
    if any(re.match(r"virtio\d", name) for name in reader.names("/sys/bus/virtio/drivers/virtio_balloon", expected=False)):
        return "virtio"
    if reader.names("/sys/module/vmw_balloon", expected=False):
        return "vmware"
    if any(re.match(r"[0-9a-f]{8}-", name) for name in reader.names("/sys/bus/vmbus/drivers/hv_balloon", expected=False)):
        return "hyperv"
    return None
