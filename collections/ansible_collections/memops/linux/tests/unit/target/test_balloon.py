# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

import pytest

from ansible_collections.memops.linux.plugins.module_utils.collection.reading import Reader
from ansible_collections.memops.linux.plugins.module_utils.host import balloon

VMSTAT = "balloon_inflate 500\nballoon_deflate 200\n"
VMMEMCTL = "balloon capabilities  :             0x1e\ntarget                :            60000\ncurrent               :            50000\n"
HV_BALLOON = "host_version          : 2.0\nstate                 : 1 (Initialized)\npage_size             : 4096\npages_ballooned       : 700\n"
VIRTIO = "sys/bus/virtio/drivers/virtio_balloon/virtio3/uevent"
VMWARE = "sys/module/vmw_balloon/initstate"
HYPERV = "sys/bus/vmbus/drivers/hv_balloon/1eccfd72-4b41-45ef-b73a-4a6e44c12924/uevent"


@pytest.mark.parametrize(
    "meminfo, files, driver, inflated_bytes",
    [
        ({}, {VIRTIO: ""}, "virtio", 300 * 4096),
        ({"balloon_bytes": 8192}, {VIRTIO: ""}, "virtio", 8192),
        ({}, {VMWARE: "live", "sys/kernel/debug/vmmemctl": VMMEMCTL}, "vmware", 50000 * 4096),
        ({"balloon_bytes": 8192}, {VMWARE: "live", "sys/kernel/debug/vmmemctl": VMMEMCTL}, "vmware", 8192),
        ({}, {VMWARE: "live"}, "vmware", 300 * 4096),
        ({}, {HYPERV: "", "sys/kernel/debug/hv-balloon": HV_BALLOON}, "hyperv", 700 * 4096),
        ({}, {HYPERV: ""}, "hyperv", None),
        ({}, {"sys/bus/vmbus/drivers/hv_balloon/bind": ""}, None, None),
        ({}, {"sys/bus/virtio/drivers/virtio_balloon/bind": ""}, None, None),
    ],
)
def test_the_balloon_is_measured_by_the_best_source_that_its_driver_has(tmp_path, meminfo, files, driver, inflated_bytes):
    for path, text in dict(files, **{"proc/vmstat": VMSTAT}).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    assert balloon.collect(Reader(str(tmp_path)), meminfo, 4096) == {"driver": driver, "inflated_bytes": inflated_bytes}
