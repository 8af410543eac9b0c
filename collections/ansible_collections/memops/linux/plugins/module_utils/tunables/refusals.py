# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Values that would hurt this host now, each with the sum. What is judged is the state after all changes together.

References: Documentation/admin-guide/sysctl/vm.rst; mm/util.c, vm_commit_limit;
mm/page-writeback.c, domain_dirty_limits (a background limit that is not below
the other becomes half of it); mm/oom_kill.c, check_panic_on_oom.
"""

import collections

from .host import kernel_version

KIB, MIB = 1 << 10, 1 << 20
#: Keys whose values the sums need, whether or not they are wanted.
RELATED = (
    "kernel.panic",
    "vm.admin_reserve_kbytes",
    "vm.dirty_background_bytes",
    "vm.dirty_background_ratio",
    "vm.dirty_bytes",
    "vm.dirty_ratio",
    "vm.min_free_kbytes",
    "vm.nr_hugepages",
    "vm.overcommit_kbytes",
    "vm.overcommit_memory",
    "vm.overcommit_ratio",
    "vm.panic_on_oom",
)
#: What the commit limit follows from.
LIMITING = ("vm.overcommit_memory", "vm.overcommit_ratio", "vm.overcommit_kbytes", "vm.nr_hugepages", "vm.admin_reserve_kbytes")
LOWEST_MIN_FREE_KB = 1024
LARGEST_SHARE = 20  # one part in so many: 5 %
#: Promises grow: after the change there must be room for a tenth more than is promised now.
PROMISES_MARGIN_PERCENT = 10

#: wanted: the keys that this call manages. before, after: {key: text or None}. profile: of the call. entries: of the catalogue.
State = collections.namedtuple("State", "wanted before after host profile entries")


def refused(state):
    """[{key, why}] of all that must not be done, in the order of the rules."""
    found = []
    for rule in (_range_of_this_kernel, _promises, _min_free, _dirty, _vfs_cache_pressure, _panics, _huge_pages):
        found.extend({"key": key, "why": why} for key, why in rule(state))
    return found


def refused_now(state):
    """Of these, what only depends on how the host is used now: a value that it had before may be one of them."""
    return [{"key": key, "why": why} for rule in (_promises, _huge_pages) for key, why in rule(state)]


def commit_limit(state):
    """(bytes, sum) that may be promised with vm.overcommit_memory=2 after the change."""
    host = state.host
    more_pages = (_number(state.after, "vm.nr_hugepages") or 0) - (_number(state.before, "vm.nr_hugepages") or 0)
    huge = host.hugetlb_bytes + more_pages * host.hugetlb_page_bytes
    kbytes = _number(state.after, "vm.overcommit_kbytes") or 0
    if kbytes:
        limit, told = kbytes * KIB, "%d kB (vm.overcommit_kbytes)" % kbytes
    else:
        ratio = _number(state.after, "vm.overcommit_ratio") or 0
        limit = (host.memory_bytes - huge) * ratio // 100
        told = "(%d kB of memory - %d kB of huge pages) * %d %%" % (host.memory_bytes // KIB, huge // KIB, ratio)
    reserve = (_number(state.after, "vm.admin_reserve_kbytes") or 0) * KIB
    limit += host.swap_bytes - reserve
    return limit, "%s + %d kB of swap - %d kB for root (vm.admin_reserve_kbytes) = %d kB" % (told, host.swap_bytes // KIB, reserve // KIB, limit // KIB)


def _promises(state):
    """With vm.overcommit_memory=2, forks fail as soon as Committed_AS is above the limit."""
    if state.after.get("vm.overcommit_memory") != "2":
        return
    moved = [key for key in LIMITING if _moves(state, key)]
    if not moved:
        return
    limit, told = commit_limit(state)
    needed = state.host.committed_bytes * (100 + PROMISES_MARGIN_PERCENT) // 100
    if limit < needed:
        yield (
            moved[0],
            "with vm.overcommit_memory=2 programs could be promised %s, but %d kB (Committed_AS) are promised already, and with %d %% of room that"
            " is %d kB: forks would fail at once. Raise vm.overcommit_ratio, add swap, or stop what reserves much"
            % (told, state.host.committed_bytes // KIB, PROMISES_MARGIN_PERCENT, needed // KIB),
        )


def _min_free(state):
    key = "vm.min_free_kbytes"
    value = _wanted(state, key)
    if value is None:
        return
    most = state.host.memory_bytes // KIB // LARGEST_SHARE
    if value < LOWEST_MIN_FREE_KB:
        yield key, "%d kB are less than the %d kB below which the kernel can deadlock under load" % (value, LOWEST_MIN_FREE_KB)
    elif value > most and value > (_number(state.before, key) or 0):
        yield (
            key,
            "%d kB are more than 5 %% of the memory (%d kB * 5 %% = %d kB); programs would be killed for what stays unused"
            % (value, state.host.memory_bytes // KIB, most),
        )


def _dirty(state):
    value = _wanted(state, "vm.dirty_bytes")
    pages = 2 * state.host.page_bytes
    if value is not None and value < pages:
        sums = (value, state.host.page_bytes, pages)
        yield "vm.dirty_bytes", "%d bytes are less than two pages (2 * %d bytes = %d bytes), which the kernel does not take" % sums
        return
    names = ("vm.dirty_bytes", "vm.dirty_ratio", "vm.dirty_background_bytes", "vm.dirty_background_ratio")
    wanted = [name for name in names if name in state.wanted]
    if not wanted:
        return
    limit, limit_name, limit_told = _dirty_limit(state, "vm.dirty_bytes", "vm.dirty_ratio")
    background, background_name, background_told = _dirty_limit(state, "vm.dirty_background_bytes", "vm.dirty_background_ratio")
    if not limit or background < limit:
        return
    same_unit = limit_name.endswith("bytes") == background_name.endswith("bytes")
    if same_unit or (limit_name in wanted and background_name in wanted):
        yield (
            limit_name if limit_name in wanted else background_name,
            "%s (%s) is not above %s (%s); the kernel would take half of it for the background. Set both, the background lower"
            % (limit_name, limit_told, background_name, background_told),
        )


def dirty_note(state):
    """What the kernel makes of a limit in bytes that is below a share in the background; None where there is nothing to say."""
    if state.after.get("vm.dirty_bytes") in (None, "0") or "vm.dirty_bytes" not in state.wanted:
        return None
    limit, limit_name, limit_told = _dirty_limit(state, "vm.dirty_bytes", "vm.dirty_ratio")
    background, name, told = _dirty_limit(state, "vm.dirty_background_bytes", "vm.dirty_background_ratio")
    if name.endswith("ratio") and name not in state.wanted and background >= limit:
        return "%s (%s) is not below %s (%s); the kernel then writes out in the background from half of that on." % (name, told, limit_name, limit_told)
    return None


def _dirty_limit(state, bytes_key, ratio_key):
    """(bytes, the key that counts, how)."""
    value = _number(state.after, bytes_key) or 0
    if value:
        return value, bytes_key, "%d bytes" % value
    ratio = _number(state.after, ratio_key) or 0
    share = state.host.dirtyable_bytes * ratio // 100
    return share, ratio_key, "%d %% of %d kB free or cache = %d kB" % (ratio, state.host.dirtyable_bytes // KIB, share // KIB)


def _vfs_cache_pressure(state):
    if _wanted(state, "vm.vfs_cache_pressure") == 0:
        yield "vm.vfs_cache_pressure", "with 0 the kernel never drops cached names and inodes, until memory has run out; 1 is the least that is safe"


def _panics(state):
    value = _number(state.after, "vm.panic_on_oom") or 0
    if not value or not ({"vm.panic_on_oom", "kernel.panic"} & set(state.wanted)):
        return
    if value == 2 and (state.host.containers or state.profile == "container_host"):
        why = "its profile is container_host" if state.profile == "container_host" else "it has %s" % state.host.containers[0]
        yield "vm.panic_on_oom", "this is a container host (%s): with 2 one container that reaches its limit takes the whole host down" % why
    if _number(state.after, "kernel.panic") == 0:
        yield (
            "vm.panic_on_oom" if "vm.panic_on_oom" in state.wanted else "kernel.panic",
            "with vm.panic_on_oom=%d and kernel.panic=0 the host would stand still after a panic until somebody resets it. Set kernel.panic too" % value,
        )


def _huge_pages(state):
    key = "vm.nr_hugepages"
    value, present = _wanted(state, key), _number(state.before, key)
    if value is None or present is None or value <= present:
        return
    size = state.host.hugetlb_page_bytes
    needed = (value - present) * size
    left = state.host.available_bytes - state.host.memory_bytes // LARGEST_SHARE
    if needed > left:
        yield (
            key,
            "%d more pages of %d kB are %d kB, but of the %d kB that are available only %d kB can be taken when 5 %% of the memory are to stay"
            % (value - present, size // KIB, needed // KIB, state.host.available_bytes // KIB, max(left, 0) // KIB),
        )


def _range_of_this_kernel(state):
    """A range was narrower in older kernels: they answer EINVAL."""
    for key in state.wanted:
        value = _wanted(state, key)
        for version, (low, high) in sorted(state.entries[key].get("range_before", {}).items()):
            if value is not None and state.host.kernel < kernel_version(version) and not low <= value <= high:
                yield key, "%d is out of range for this kernel (%s): before %s it may be %d to %d" % (value, state.host.release, version, low, high)
                break


def _wanted(state, key):
    return _number(state.after, key) if key in state.wanted else None


def _moves(state, key):
    return state.before.get(key) is not None and state.before.get(key) != state.after.get(key)


def _number(values, key):
    try:
        return int(values.get(key))
    except (TypeError, ValueError):
        return None
