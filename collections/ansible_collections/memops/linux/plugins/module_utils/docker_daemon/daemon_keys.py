# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What may stand in daemon.json: the keys, the shape of their values, and which a running daemon takes over by SIGHUP.

From Docker 20.10 to 29: daemon/config/config.go, config_linux.go, daemon/reload.go and
reload_unix.go (default-shm-size, default-ipc-mode and default-cgroupns-mode are taken over
too, though the manual does not say so). ``dockerd --validate`` judges names and types, not
what stands in a text, so that a size it cannot read stops the daemon only when it starts.
"""

import collections
import re

from . import daemon_file

#: The reason for each key that no Docker of today starts with.
STALE = {
    "oom-score-adjust": "Docker 25 and newer do not start with it; dockerd's OOMScoreAdjust belongs in its systemd unit",
}

_BOOL = (
    "allow-direct-routing cri-containerd debug experimental icc init ip-forward ip-forward-no-drop ip-masq ip6tables iptables ipv6 live-restore"
    " no-new-privileges raw-logs rootless selinux-enabled tls tlsverify userland-proxy"
)
_NUMBER = (
    "cpu-rt-period cpu-rt-runtime max-concurrent-downloads max-concurrent-uploads max-download-attempts mtu network-control-plane-mtu"
    " network-diagnostic-port shutdown-timeout swarm-raft-election-tick swarm-raft-heartbeat-tick"
)
_TEXT = (
    "api-cors-header bip bip6 bridge bridge-accept-fwmark cgroup-parent containerd containerd-namespace containerd-plugin-namespace data-root"
    " default-cgroupns-mode default-gateway default-gateway-v6 default-init default-ipc-mode default-runtime deprecated-key-path exec-root"
    " firewall-backend fixed-cidr fixed-cidr-v6 group host-gateway-ip init-path ip log-driver log-format log-level metrics-addr pidfile resolv-conf"
    " seccomp-profile storage-driver swarm-default-advertise-addr tlscacert tlscert tlskey userland-proxy-path userns-remap http-proxy https-proxy"
    " no-proxy"
)
_LIST = (
    "allow-nondistributable-artifacts authorization-plugins cdi-spec-dirs default-address-pools dns dns-opts dns-search exec-opts host-gateway-ips"
    " hosts insecure-registries labels node-generic-resources registry-mirrors storage-opts"
)
_TABLE = "builder default-network-opts default-ulimits features log-opts proxies runtimes"

_KINDS = collections.OrderedDict()
for _kind, _names in (("bool", _BOOL), ("number", _NUMBER), ("text", _TEXT), ("list", _LIST), ("table", _TABLE), ("size", "default-shm-size")):
    for _name in _names.split():
        _KINDS[_name] = _kind

_RELOADED = (
    "allow-nondistributable-artifacts",
    "authorization-plugins",
    "debug",
    "default-cgroupns-mode",
    "default-ipc-mode",
    "default-runtime",
    "default-shm-size",
    "features",
    "insecure-registries",
    "labels",
    "live-restore",
    "max-concurrent-downloads",
    "max-concurrent-uploads",
    "max-download-attempts",
    "registry-mirrors",
    "runtimes",
    "shutdown-timeout",
)
_FORGOTTEN_BY_RELOAD = ("features", "max-concurrent-downloads", "max-concurrent-uploads", "max-download-attempts")
#: What a key is when it is not set, for those that a reload leaves as they are when they are taken out of the file.
_DEFAULTS = {
    "allow-nondistributable-artifacts": [],
    "authorization-plugins": [],
    "debug": False,
    "default-ipc-mode": "private",
    "default-runtime": "runc",
    "default-shm-size": "64M",
    "insecure-registries": [],
    "labels": [],
    "live-restore": False,
    "registry-mirrors": [],
    "shutdown-timeout": 15,
}

#: Options of dockerd's command line by the key that they set, where the names differ.
_OPTIONS = {
    "--add-runtime": "runtimes",
    "--authorization-plugin": "authorization-plugins",
    "--cdi-spec-dir": "cdi-spec-dirs",
    "--default-address-pool": "default-address-pools",
    "--default-network-opt": "default-network-opts",
    "--default-ulimit": "default-ulimits",
    "--dns-opt": "dns-opts",
    "--exec-opt": "exec-opts",
    "--feature": "features",
    "--graph": "data-root",
    "--host": "hosts",
    "--insecure-registry": "insecure-registries",
    "--label": "labels",
    "--log-opt": "log-opts",
    "--node-generic-resource": "node-generic-resources",
    "--registry-mirror": "registry-mirrors",
    "--storage-opt": "storage-opts",
    "-D": "debug",
    "-G": "group",
    "-H": "hosts",
    "-b": "bridge",
    "-g": "data-root",
    "-l": "log-level",
    "-p": "pidfile",
    "-s": "storage-driver",
}
_MERGED = frozenset(["runtimes"])  # Docker takes these from both

_SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,3})?) ?(?:([kKmMgGtTpP])?(?:[iI]?[bB])?)?$")
_FACTORS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40, "p": 1 << 50}
_SLICE = re.compile(r"[A-Za-z0-9:_.\\]+(-[A-Za-z0-9:_.\\]+)*\.slice$")


def known(key):
    return key in _KINDS or key in STALE


def normal(key, value):
    """The value as Docker reads it, where people write it otherwise; None stays None.

    log-opts: numbers and booleans become text, the only kind of value it takes.
    default-shm-size: digits become a number.
    default-ulimits: {nofile: {soft, hard}} or {nofile: number} gets the names that Docker wants.
    """
    if key == "log-opts" and isinstance(value, dict):
        return collections.OrderedDict((name, _as_text(told)) for name, told in value.items())
    if key == "default-ulimits" and isinstance(value, dict):
        return collections.OrderedDict((name, _ulimit(name, told)) for name, told in value.items())
    if key == "default-shm-size" and isinstance(value, str) and value.isdigit():
        return int(value)
    return value


def wrong(key, value):
    """Why Docker would not take this value for the key, or None. value: as ``normal`` gives it."""
    if key in STALE:
        return STALE[key]
    kind = _KINDS.get(key)
    if kind is None:
        return "Docker has no such setting; it would not start"
    told = type(value).__name__
    if kind == "bool":
        return None if isinstance(value, bool) else "it must be true or false, not %s" % told
    if kind == "number":
        return None if _is_number(value) and value >= 0 else "it must be a whole number, not %s" % told
    if kind == "size":
        return None if size_bytes(value) else "it must be a size above 0, in bytes or such as 64M"
    if kind == "text":
        if not isinstance(value, str):
            return "it must be text, not %s" % told
        return None
    if kind == "list":
        return _wrong_list(key, value)
    if not isinstance(value, dict):
        return "it must be a table of names and values, not %s" % told
    return _wrong_table(key, value)


def wrong_parent(value, driver, cgroup_version):
    """Why containers cannot have this cgroup-parent with this cgroup driver, or None. cgroup_version: 1 or 2."""
    if driver == "systemd":
        return None if _SLICE.match(value) else "with the cgroup driver systemd it must be the name of a slice, such as containers.slice, without a path"
    if driver == "cgroupfs" and cgroup_version == 2 and value.endswith(".slice"):
        return (
            "with the cgroup driver cgroupfs on cgroup v2 Docker would write into a slice that systemd owns;"
            ' set exec-opts to ["native.cgroupdriver=systemd"] as well, or use a path of its own'
        )
    return None


def reloadable(key, removed):
    """Whether SIGHUP is enough for this key. removed: it is taken out of the file."""
    return key in _RELOADED and (not removed or key in _FORGOTTEN_BY_RELOAD or key in _DEFAULTS)


def default_to_reload(key):
    """The value that must stand in the file for one reload before the key can be taken out; None where that is not so."""
    return None if key in _FORGOTTEN_BY_RELOAD else _DEFAULTS.get(key)


def default(key):
    """What the key is when it is not set; None where that is not known here."""
    return _DEFAULTS.get(key)


def from_options(words):
    """{key: option} of dockerd's command line: keys that daemon.json may not have as well. words: the words behind the program."""
    found = {}
    for word in words:
        option = word.split("=", 1)[0]
        key = _OPTIONS.get(option) or _OPTIONS.get(word[:2] if not word.startswith("--") else option)
        if key is None and option.startswith("--") and option[2:] in _KINDS:
            key = option[2:]
        if key and key not in _MERGED:
            found[key] = option
    return found


def cgroup_driver(exec_opts):
    """The cgroup driver that these exec-opts name, or None. exec_opts: as in daemon.json, of any shape."""
    for option in exec_opts if isinstance(exec_opts, list) else []:
        name, _equals, value = str(option).partition("=")
        if name.strip().lower() == "native.cgroupdriver":
            return value.strip()
    return None


def size_bytes(value):
    """Bytes of a size as Docker reads it (units.RAMInBytes: k, m, g are powers of 1024), or None."""
    if _is_number(value):
        return value if value > 0 else None
    found = _SIZE.match(value) if isinstance(value, str) else None
    if not found:
        return None
    return int(float(found.group(1)) * _FACTORS[(found.group(2) or "").lower()]) or None


def same(key, one, other):
    """Whether two values mean the same to Docker; None is the default."""
    one, other = (_DEFAULTS.get(key) if value is None else value for value in (one, other))
    if key == "default-shm-size" and None not in (one, other):
        return size_bytes(one) == size_bytes(other)
    return daemon_file.same(one, other)


def _wrong_list(key, value):
    if not isinstance(value, list):
        return "it must be a list, not %s" % type(value).__name__
    if key == "default-address-pools":
        return None
    if not all(isinstance(item, str) for item in value):
        return "it must be a list of texts"
    if key == "exec-opts":
        for option in value:
            name, _equals, told = option.partition("=")
            if name != "native.cgroupdriver" or told not in ("systemd", "cgroupfs"):
                return "%s is none of native.cgroupdriver=systemd and native.cgroupdriver=cgroupfs, the only ones there are" % option
    return None


def _wrong_table(key, value):
    if key == "log-opts" and not all(isinstance(told, str) for told in value.values()):
        return "every option must be text"
    if key == "default-ulimits":
        for name, told in value.items():
            shape = isinstance(told, dict) and set(told) == {"Name", "Hard", "Soft"} and told["Name"] == name
            if not shape or not (_is_limit(told["Hard"]) and _is_limit(told["Soft"])):
                return "%s must have soft and hard, as whole numbers; -1 is unlimited" % name
            if told["Hard"] != -1 and (told["Soft"] == -1 or told["Soft"] > told["Hard"]):
                return "%s: soft (%d) is above hard (%d)" % (name, told["Soft"], told["Hard"])
    return None


def _ulimit(name, told):
    if _is_number(told):
        told = {"soft": told, "hard": told}
    if not isinstance(told, dict):
        return told
    lower = {str(part).lower(): number for part, number in told.items()}
    if not set(lower) <= {"name", "soft", "hard"} or not {"soft", "hard"} <= set(lower):
        return told
    return collections.OrderedDict([("Name", lower.get("name", name)), ("Hard", lower["hard"]), ("Soft", lower["soft"])])


def _as_text(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, (int, float)) else value


def _is_number(value):
    return isinstance(value, int) and not isinstance(value, bool)


def _is_limit(value):
    return _is_number(value) and value >= -1
