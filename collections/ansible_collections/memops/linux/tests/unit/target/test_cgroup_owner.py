# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The owner of a cgroup shows in its path."""

import pytest

from ansible_collections.memops.linux.plugins.module_utils.host import cgroup_owner

ID = "1b40920e2b98b72e37568f0f7862abe4b5badb4e38e21bec2372368734d82e0d"
OTHER = "7f2f51385702fdf91ea3cc9f425ecae97107de130e45b97a9b39e4977e86b19c"
SHORT = "1b40920e2b98"
UID = "2c48913c-b29f-11e7-9350-020968147796"
UNDERSCORED = UID.replace("-", "_")


@pytest.mark.parametrize(
    ("path", "unit", "container_id", "pod_uid"),
    [
        ("/", None, None, None),
        (None, None, None, None),
        ("/init.scope", "init.scope", None, None),
        ("/system.slice/ssh.service", "ssh.service", None, None),
        ("/system.slice/systemd-udevd.service/udev", "systemd-udevd.service", None, None),
        ("/system.slice", "system.slice", None, None),
        ("/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service", None, None),
        ("/system.slice/_memory.service", "memory.service", None, None),
        ("/user.slice/user-1000.slice/user@1000.service/app.slice/x.service", "x.service", None, None),
        ("/user.slice/user-1000.slice/session-3.scope", "session-3.scope", None, None),
        # Docker, podman, nerdctl
        ("/docker/" + ID, None, ID, None),
        ("/docker/" + SHORT, None, SHORT, None),
        ("/system.slice/docker-" + ID + ".scope", "docker-" + ID + ".scope", ID, None),
        ("/system.slice/docker-" + SHORT + ".scope", "docker-" + SHORT + ".scope", SHORT, None),
        ("/containers.slice/docker-" + ID + ".scope/init", "docker-" + ID + ".scope", ID, None),
        ("/machine.slice/libpod-" + ID + ".scope/container", "libpod-" + ID + ".scope", ID, None),
        ("/machine.slice/libpod-conmon-" + ID + ".scope", "libpod-conmon-" + ID + ".scope", None, None),
        (
            "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + ID + ".scope",
            "libpod-" + ID + ".scope",
            ID,
            None,
        ),
        # Kubernetes
        ("/kubepods/burstable/pod" + UID + "/" + ID, None, ID, UID),
        ("/kubepods/besteffort/pod" + "ab" * 16 + "/" + SHORT, None, SHORT, "ab" * 16),
        (
            "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod%s.slice/cri-containerd-%s.scope" % (UNDERSCORED, ID),
            "cri-containerd-" + ID + ".scope",
            ID,
            UID,
        ),
        ("/kubepods.slice/kubepods-pod%s.slice/crio-%s.scope" % (UNDERSCORED, ID), "crio-" + ID + ".scope", ID, UID),
        ("/kubepods.slice/kubepods-pod%s.slice" % UNDERSCORED, "kubepods-pod%s.slice" % UNDERSCORED, None, UID),
        ("/system.slice/kubepods-besteffort-pod%s.slice:cri-containerd:%s" % (UNDERSCORED, ID), "system.slice", ID, UID),
        # a container with systemd, or containers, inside: the host knows the outer one
        ("/docker/%s/system.slice/nginx.service" % ID, None, ID, None),
        ("/system.slice/docker-%s.scope/docker/%s" % (ID, OTHER), "docker-" + ID + ".scope", ID, None),
        ("/lxc.payload.web/system.slice/nginx.service", None, None, None),
        # near misses
        ("/sessions/8afdba239e2034ce9f9dcc49028a595d", None, None, None),
        ("/builds/" + SHORT, None, None, None),
        ("/docker/buildkit/abcdefghijklmnopqrstuvwxy", None, None, None),
        ("/podium/x.serviced", None, None, None),
    ],
)
def test_unit_container_and_pod_of_a_path(path, unit, container_id, pod_uid):
    assert (cgroup_owner.unit(path), cgroup_owner.container_id(path), cgroup_owner.pod_uid(path)) == (unit, container_id, pod_uid)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/lxc.payload.web-1/system.slice/ssh.service", "web-1"),
        ("/lxc/web-1", "web-1"),
        ("/lxc.monitor.web-1", None),
        ("/system.slice/lxc", None),
    ],
)
def test_an_lxc_container_has_a_name(path, name):
    assert cgroup_owner.lxc_name(path) == name
