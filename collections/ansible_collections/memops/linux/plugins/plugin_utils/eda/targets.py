# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An alert's labels in, one host of the inventory out, or none: the wrong host is worse than no host."""

from __future__ import annotations

import ipaddress
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

HOST_LABELS = ("instance", "host", "hostname", "node", "nodename")
# What means one host, and nothing else, in ansible's --limit. No colon: that is an address of IPv6 or joins patterns.
PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


class Hosts(NamedTuple):
    """The inventory's hosts as labels may speak of them: each form of a name -> the inventory's names that it can mean."""

    names: Mapping[str, Collection[str]]
    addresses: Mapping[str, Collection[str]]
    short_names: Mapping[str, Collection[str]]
    limits: Mapping[str, bool]
    labels: tuple[str, ...] = HOST_LABELS


def read_hosts(listing: Mapping, labels: Iterable[str] = HOST_LABELS) -> Hosts:
    """From what ``ansible-inventory --list`` says: groups with ``hosts``, and ``_meta.hostvars``."""
    hostvars = listing.get("_meta", {}).get("hostvars", {})
    groups = {name for name in listing if name != "_meta"}
    members = {host for group in groups for host in listing[group].get("hosts", ())}
    names, addresses, short_names = defaultdict(set), defaultdict(set), defaultdict(set)
    for host in sorted(members | set(hostvars)):
        names[_normal(host)].add(host)
        called = [host]
        address = hostvars.get(host, {}).get("ansible_host")
        if isinstance(address, str) and address:
            addresses[_normal(address)].add(host)
            called.append(address)
        for name in called:
            if not _is_address(name):
                short_names[_short(name)].add(host)
    limits = {host: host not in groups and (_is_address(host) or bool(PLAIN_NAME.fullmatch(host))) for host in members | set(hostvars)}
    return Hosts(names, addresses, short_names, limits, tuple(labels))


def find_host(labels: Mapping[str, str], hosts: Hosts) -> tuple[str | None, str | None]:
    """(host, None), or (None, why). Every label that names a host of the inventory has to name the same one."""
    spoken = [_without_port(labels[label].strip()) for label in hosts.labels if labels.get(label, "").strip()]
    if not spoken:
        return None, f"it has none of the labels {', '.join(hosts.labels)}"
    found = set().union(*(_meant(name, hosts) for name in spoken))
    if not found:
        return None, f"no host of the inventory is called as its labels {', '.join(hosts.labels)} say"
    if len(found) > 1:
        return None, f"its labels can mean {', '.join(sorted(found)[:5])}{' and others' if len(found) > 5 else ''}"
    host = found.pop()
    if not hosts.limits[host]:
        return None, f"{host} is also a group's name, or not a plain name, so that --limit could mean more than this host"
    return host, None


def _meant(name: str, hosts: Hosts) -> Collection[str]:
    """The inventory's names that this one can mean, by the strictest reading that knows any."""
    normal = _normal(name)
    for known in (hosts.names, hosts.addresses):
        if normal in known:
            return known[normal]
    if _is_address(name):
        return ()
    called_alike = hosts.short_names.get(_short(name), ())
    # web1.a.example is not web1.b.example: one of the two has to be the short form.
    return [host for host in called_alike if "." not in normal or _known_without_domain(host, normal, hosts)]


def _known_without_domain(host: str, name: str, hosts: Hosts) -> bool:
    short = _short(name)
    return host in hosts.names.get(short, ()) or host in hosts.addresses.get(short, ())


def _without_port(name: str) -> str:
    if name.startswith("["):
        return name[1:].partition("]")[0]
    head, colon, port = name.rpartition(":")
    return head if colon and port.isdigit() and ":" not in head else name


def _normal(name: str) -> str:
    try:
        return ipaddress.ip_address(name).compressed
    except ValueError:
        return name.lower().rstrip(".")


def _short(name: str) -> str:
    return _normal(name).partition(".")[0]


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
