# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which containers get another memory limit, and what is to be said of the others' limits.

What Docker's update does, seen with 20.10 to 28: a limit of 0 changes nothing and -1 is
refused, so that a container never loses a limit it has had; a memory limit above the
container's MemorySwap is refused unless both are sent; a MemorySwap of -1 leaves the
cgroup's old swap limit in force; a reservation of -1 would protect all its memory for ever.
"""

import collections

MIB = 1 << 20
LEAST_BYTES = 6 * MIB
#: As good as none: what is sent where a limit is to go. The difference is the swap, which must not become 0.
NO_LIMIT_BYTES = 1 << 62
NO_SWAP_LIMIT_BYTES = (1 << 63) - 4096
ENOUGH_TO_BE_NONE = 1 << 60

#: id, name: text. running: bool. pid: 0 where it does not run. started_at: text. memory_bytes, memory_reservation_bytes: None for none.
#: memory_swap_bytes: of memory and swap together, -1 for unlimited, None where it is not set. live_bytes: what its cgroup has, None for
#: no limit, "" where that cannot be read. used_bytes: what reclaim could not take from it now, or None. bound_bytes, bound_by: the lowest
#: limit of the cgroups above it and that cgroup's path, or None. cgroup: its path, or None.
Container = collections.namedtuple(
    "Container",
    "id name running pid started_at memory_bytes memory_swap_bytes memory_reservation_bytes live_bytes used_bytes bound_bytes bound_by cgroup",
)
#: ram_bytes; swap_bytes: of the host's swap; swap_limits: whether the kernel can limit swap.
Host = collections.namedtuple("Host", "ram_bytes swap_bytes swap_limits")
#: container: a Container. old, new: {memory_bytes, memory_swap_bytes, memory_reservation_bytes}.
Update = collections.namedtuple("Update", "container old new")


class LimitPlan:
    """What a call does to containers' limits: updates, {container's name: memory_bytes} that then hold, and the lists of a module's result."""

    def __init__(self):
        self.updates, self.held = [], {}
        self.drift, self.compliant, self.refused, self.unsupported, self.notes = [], [], [], [], []


def key(name):
    return "container:%s" % name


def decide(wanted, containers, host, force=False):
    """A LimitPlan.

    wanted: [{name, memory_bytes, memory_swap_bytes?, memory_reservation_bytes?, exact?}]. Without a memory_swap_bytes there is no swap, and
    without a memory_reservation_bytes it stays as it is; exact: None is a value, for no limit.
    containers: [Container], running or not. host: a Host.
    """
    plan = LimitPlan()
    for limits in wanted:
        container = _named(limits["name"], containers)
        why = _impossible(limits) or (None if container else _unknown(limits["name"], containers))
        if why:
            plan.refused.append({"key": key(limits["name"]), "why": why})
            continue
        _decide_one(plan, container, _complete(limits, container), host, force)
    return plan


def _decide_one(plan, container, new, host, force):
    name = key(container.name)
    if not host.swap_limits and new["memory_swap_bytes"] not in (-1, None):
        if new["memory_bytes"]:
            plan.unsupported.append(
                {"key": name, "why": "this kernel does not limit swap per container (swapaccount=1 on its command line); memory alone is limited"}
            )
        new = dict(new, memory_swap_bytes=-1)
    old = current(container)
    plan.held[container.name] = new["memory_bytes"]
    drift = _drift(container, old, new, host)
    if not drift:
        plan.compliant.append(name)
        return
    plan.drift += [dict(face, key=name, where=container.id[:12]) for face in drift]
    dangers = _dangers(container, new, host)
    if dangers and not force:
        plan.refused += [{"key": name, "why": why} for why in dangers]
        return
    plan.notes += ["%s: %s. It was forced." % (name, why) for why in dangers]
    if new["memory_bytes"] is None:
        plan.notes.append("%s: Docker cannot take a limit away; it gets one of 4 EiB, which is as good as none. Made anew, it has none." % name)
    if new["memory_reservation_bytes"] is None and old["memory_reservation_bytes"]:
        plan.notes.append("%s: Docker cannot take a reservation away; it gets the least one, 6 MiB. Made anew, it has none." % name)
    if new["memory_bytes"] and container.bound_bytes and new["memory_bytes"] > container.bound_bytes:
        plan.notes.append("%s: %s never counts, since %s allows %s." % (name, size(new["memory_bytes"]), container.bound_by, size(container.bound_bytes)))
    plan.updates.append(Update(container, old, new))


def current(container):
    """What Docker keeps of the container's limits: {memory_bytes, memory_swap_bytes, memory_reservation_bytes}."""
    return {name: getattr(container, name) for name in ("memory_bytes", "memory_swap_bytes", "memory_reservation_bytes")}


def body(new, old):
    """What is sent to /containers/ID/update for these limits."""
    memory, swap = new["memory_bytes"], new["memory_swap_bytes"]
    if memory is None:
        sent = {"Memory": NO_LIMIT_BYTES, "MemorySwap": NO_SWAP_LIMIT_BYTES}
    else:
        sent = {"Memory": memory, "MemorySwap": NO_SWAP_LIMIT_BYTES if swap == -1 else swap or 2 * memory}
    if new["memory_reservation_bytes"]:
        sent["MemoryReservation"] = new["memory_reservation_bytes"]
    elif old["memory_reservation_bytes"]:
        sent["MemoryReservation"] = LEAST_BYTES
    return sent


def holds(container, new, host):
    """Whether the container has these limits, with Docker and in its cgroup."""
    return not _drift(container, current(container), new, host)


def findings(containers, host, parent):
    """[{name, id, finding, text}] of running containers whose limits probably are not meant.

    parent: the slice that containers are to be in, such as "containers.slice", or None.
    """
    found = []
    for container in containers:
        if not container.running:
            continue
        for code, text in _findings(container, host, parent):
            found.append({"name": container.name, "id": container.id[:12], "finding": code, "text": text})
    return found


def size(count):
    """Bytes for people."""
    if count is None:
        return "no limit"
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if count >= unit:
            return ("%.1f" % (count / unit)).rstrip("0").rstrip(".") + " " + name
    return "%d B" % count


def _impossible(limits):
    memory, swap, reservation = (limits.get(name) for name in ("memory_bytes", "memory_swap_bytes", "memory_reservation_bytes"))
    if memory is None:
        return None
    if memory < LEAST_BYTES:
        return "memory_bytes is %d; the least that Docker takes is %d (6 MiB)" % (memory, LEAST_BYTES)
    if swap is not None and swap != -1 and swap < memory:
        return "memory_swap_bytes (%d) counts memory and swap together, so it cannot be below memory_bytes (%d)" % (swap, memory)
    if reservation is not None and not LEAST_BYTES <= reservation <= memory:
        return "memory_reservation_bytes (%d) must be from %d (6 MiB) to memory_bytes (%d)" % (reservation, LEAST_BYTES, memory)
    return None


def _named(name, containers):
    """The container of this name, or of an id that begins so."""
    found = [one for one in containers if one.name == name or (len(name) >= 12 and one.id.startswith(name))]
    return found[0] if found else None


def _unknown(name, containers):
    running = sorted(container.name for container in containers if container.running)
    return "there is no container %s on this host; running are: %s" % (name, ", ".join(running[:20]) or "none")


def _complete(limits, container):
    memory = limits["memory_bytes"]
    swap = limits.get("memory_swap_bytes")
    reservation = limits.get("memory_reservation_bytes")
    if limits.get("exact"):
        return {"memory_bytes": memory, "memory_swap_bytes": swap, "memory_reservation_bytes": reservation}
    return {
        "memory_bytes": memory,
        "memory_swap_bytes": (memory if swap is None else swap) if memory else None,
        "memory_reservation_bytes": container.memory_reservation_bytes if reservation is None else reservation,
    }


def _drift(container, old, new, host):
    faces = []
    names = ["memory_bytes"]
    if new["memory_bytes"] and host.swap_limits:
        names.append("memory_swap_bytes")
    if new["memory_reservation_bytes"] is not None or (old["memory_reservation_bytes"] or 0) > LEAST_BYTES:
        names.append("memory_reservation_bytes")
    wrong = [name for name in names if old[name] != new[name]]
    if wrong:
        faces.append({"face": "docker", "wanted": {name: new[name] for name in wrong}, "found": {name: old[name] for name in wrong}})
    live = container.live_bytes
    if live != "" and live != (new["memory_bytes"] and new["memory_bytes"] // 4096 * 4096):
        faces.append({"face": "running", "wanted": {"memory_bytes": new["memory_bytes"]}, "found": {"memory_bytes": live}})
    return faces


def _dangers(container, new, host):
    memory = new["memory_bytes"]
    if not memory:
        return []
    found = []
    if container.used_bytes and container.used_bytes > memory:
        found.append(
            "it holds %d bytes (%s) that reclaim cannot take, more than the limit of %d (%s): it would be killed"
            % (container.used_bytes, size(container.used_bytes), memory, size(memory))
        )
    if host.ram_bytes and memory > host.ram_bytes:
        found.append(
            "a limit of %d (%s) is above the host's RAM of %d (%s), so it limits nothing" % (memory, size(memory), host.ram_bytes, size(host.ram_bytes))
        )
    return found


def _findings(container, host, parent):
    memory, swap = container.memory_bytes, container.memory_swap_bytes
    if parent and container.cgroup and "/%s/" % parent not in container.cgroup:
        yield (
            "outside_slice",
            "It runs in %s, outside %s: it was started before that was set. Started again, it comes into it." % (container.cgroup, parent),
        )
    if memory is None:
        above = " It can take %s, what %s allows." % (size(container.bound_bytes), container.bound_by) if container.bound_bytes else ""
        yield "no_limit", "It has no memory limit.%s" % (above or " It can take the host's memory.")
        return
    if container.bound_bytes and memory > container.bound_bytes:
        text = "Its limit of %s never counts: %s allows %s to all below it."
        yield "limit_above_slice", text % (size(memory), container.bound_by, size(container.bound_bytes))
    if not host.swap_limits:
        return
    if swap == memory:
        if host.swap_bytes:
            yield "no_swap", "MemorySwap is the same as Memory, so it may not swap at all, though the host has swap. Where it may, give a larger MemorySwap."
    elif swap == -1:
        yield "unlimited_swap", "MemorySwap is -1: it may take all of the host's swap."
    elif swap is None or swap == 2 * memory:
        yield (
            "as_much_swap_again",
            "MemorySwap is %s: beside its %s of memory it may take as much swap again%s."
            % (
                "not set" if swap is None else "twice Memory, which is what Docker makes of one that is not set",
                size(memory),
                "" if host.swap_bytes else ", once the host has swap",
            ),
        )
