# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Causes that lie in what was asked for: how much in one piece, from which zone or node, and whether it could wait."""

from __future__ import annotations

from ...events.pattern import Pattern
from ..allocation import Allocation, ZoneVerdict
from ..case import Case
from ..remedies import kernel as kernel_remedy
from ..remedies import requests as remedy
from ..rule import Conclusion, Judgement, Lacking, Rule, Step
from ..wording import size
from .log_so_far import around

REFUSED = frozenset(("page_allocation_failure",))
ASKED = REFUSED | {"global_oom", "panic_on_oom", "unknown_oom"}
BOUND = frozenset(("cpuset_oom", "mempolicy_oom"))
#: Up to 2^3 pages the kernel kills rather than refuse (PAGE_ALLOC_COSTLY_ORDER).
COSTLY_ORDER = 3
#: The OOM killer follows in the same fault; the log's lines may come late.
SAME_FAULT_SECONDS = 10.0
_CGROUPS_CACHE = Pattern(r"cache: [^\s(]{1,64}\(\d{1,10}:")

_NO_ZONES = Lacking("the request's mask and order, and all zones with their watermarks and free blocks (Mem-Info)")


def _no_zones(case: Case) -> Lacking | None:
    """Of an OOM kill other rules ask for the same block; a refusal has no other explanation."""
    return _NO_ZONES if case.kind in REFUSED else None


def _weighed(case: Case) -> Allocation | None:
    """The request against all zones, or None where a part of that is missing."""
    found = case.allocation
    return found if found is not None and found.nearly_whole and found.verdict != "unknown" else None


def _sure(found: Allocation) -> str:
    return "certain" if found.whole else "probable"


def _zone_lines(case: Case, zones: list[ZoneVerdict], blocks: bool = False) -> tuple:
    roles = [role for zone in zones[:4] for role in (f"zone_{zone.node}_{zone.zone}", f"free_blocks_{zone.node}_{zone.zone}")]
    return case.quoted("trigger", *(role for role in roles if blocks or role.startswith("zone_")))


def fragmentation(case: Case) -> Judgement:
    """Enough memory was free, but not in one piece of the size asked for."""
    found = case.allocation
    if found is not None and found.order == 0:
        return None
    found = _weighed(case)
    if found is None:
        return _no_zones(case)
    if found.verdict != "no_block":
        return None
    zones = [zone for zone in found.allowed() if zone.verdict == "no_block"]
    steps = [
        Step(
            f"{size(found.size_bytes)} in one piece were asked for (order {found.order}). {size(sum(zone.usable_bytes for zone in zones))} were free where it"
            " could be taken from and above the watermarks, but "
            + ("too little of it in blocks of that size." if any(zone.blocks for zone in zones) else "no free block there was large enough."),
            _zone_lines(case, zones, blocks=True),
        )
    ]
    if (found.order or 0) > COSTLY_ORDER:
        steps.append(Step(f"Above order {COSTLY_ORDER} the kernel refuses such a request rather than kill a process for it."))
    return Conclusion(_sure(found), tuple(steps), remedy.for_fragmentation(case))


def atomic_reserve_exhausted(case: Case) -> Judgement:
    """A request that may not wait, from an interrupt as a rule, found even the reserve used up."""
    request = case.request
    if request is None:
        return _NO_ZONES if case.memory is not None else Lacking("the request's mask, by names or with the kernel's version")
    if request.may_sleep:
        return None
    found = _weighed(case)
    if found is None:
        return _NO_ZONES
    if found.verdict != "below_min":
        return None
    step = Step(
        "The request could not wait for reclaim, and each zone that it could use was below what must stay free even for it: memory was taken faster"
        " than reclaim in the background gave it back.",
        _zone_lines(case, found.allowed()),
    )
    return Conclusion(_sure(found), (step,), remedy.for_atomic_reserve(case))


def low_zone_exhausted(case: Case) -> Judgement:
    """Only low memory would do (for a device, or a 32-bit kernel itself), and that was used up while higher zones had room."""
    found = _weighed(case)
    if found is None or found.request is None:
        return _no_zones(case)
    if found.verdict != "below_min":
        return None
    nodes = {zone.node for zone in found.allowed()}
    marks = {(zone.node, zone.zone): zone.high_bytes for zone in (case.memory.zones if case.memory else [])}
    higher = [zone for zone in found.forbidden() if zone.node in nodes and zone.free_bytes > marks.get((zone.node, zone.zone), 0)]
    if not higher:
        return None
    step = Step(
        f"The request could use no higher zone than {found.request.highest_zone}, and all of these were used up; "
        + ", ".join(f"{zone.zone} of node {zone.node} still had {size(zone.free_bytes)} free" for zone in higher[:4])
        + ".",
        _zone_lines(case, [*found.allowed()[:2], *higher[:2]]),
    )
    return Conclusion(_sure(found), (step,), remedy.for_low_zone(case))


def numa_binding(case: Case) -> Judgement:
    """A cpuset or a memory policy left the process too few nodes."""
    bound = "its cpuset" if case.kind == "cpuset_oom" else "its memory policy"
    nodes = case.nodes_allowed()
    where = f"node{'s' if len(nodes) > 1 else ''} {', '.join(str(node) for node in sorted(nodes)[:8])}" if nodes else "some of the host's nodes"
    said = f"The kernel says that the allocation failed within what {bound} allows ({where}), not on the whole host."
    steps = [Step(said, case.quoted("constraint", "trigger"))]
    found, memory = case.allocation, case.memory
    others = [zone for zone in (memory.zones if memory else []) if nodes and zone.node not in nodes]
    free = sum(zone.free_bytes for zone in others)
    roomy = [zone for zone in others if zone.free_bytes > zone.high_bytes]
    if found is not None and roomy:
        steps.append(
            Step(
                f"The other nodes had {size(free)} free, above their watermarks.",
                case.quoted(*(f"zone_{zone.node}_{zone.zone}" for zone in roomy[:3])),
            )
        )
    return Conclusion("certain" if roomy else "probable", tuple(steps), remedy.for_numa_binding(case))


def address_space_exhausted(case: Case) -> Judgement:
    """The kernel ran out of addresses for mappings (vmalloc), not out of memory."""
    said = [line for line in (case.event.lines if case.event else []) if "vmap allocation for size" in line.text]
    if not said:
        return None
    step = Step("The kernel found no free range of addresses in its vmalloc area; that is apart from how much RAM is free.", (said[0],))
    return Conclusion("certain", (step,), remedy.for_address_space())


def kmem_limit(case: Case) -> Judgement:
    """A cgroup's separate limit on kernel memory (version 1) refused a kernel object; RAM was not short."""
    if case.kind in REFUSED:
        refused = case
        if not any("Unable to allocate memory on" in line.text for line in case.quoted("slab", "line", "trigger")):
            return None
        if not case.quoted("cache"):
            return Lacking("the line on the cache that could not grow (cache: ...), which names the cgroup it belongs to")
    else:
        refused = _refused_in_the_same_fault(case)
    if refused is None or not _of_one_cgroup(refused):
        return None
    steps = [
        Step(
            "The cache that could not grow belongs to one cgroup (its name holds the cgroup's number and name), so it was that cgroup's limit on"
            " kernel memory that refused it.",
            refused.quoted("line", "cache"),
        )
    ]
    if refused is not case:
        steps.append(
            Step(
                "The page fault that needed the object then called the OOM killer for the whole host (a mask of 0: no page was asked for).",
                case.quoted("trigger"),
            )
        )
    return Conclusion("probable", tuple(steps), kernel_remedy.for_kmem_limit())


def _refused_in_the_same_fault(case: Case) -> Case | None:
    """A page fault that fails for want of a kernel object calls the OOM killer without a request of its own."""
    if case.trigger is None or case.trigger.gfp_mask is None or int(case.trigger.gfp_mask[:18], 16) != 0:
        return None
    return next((other for other in around(case, SAME_FAULT_SECONDS) if other.kind in REFUSED and _of_one_cgroup(other)), None)


def _of_one_cgroup(case: Case) -> bool:
    """Whether the cache's name is that of a cgroup's own copy: "signal_cache(632851:3a166877...)" (until 5.8)."""
    return any(_CGROUPS_CACHE.match(line.text.strip()) for line in case.quoted("cache"))


_ZONES = "the request's mask and order and a whole Mem-Info (zones that add up to the RAM)"
FRAGMENTATION = Rule(
    cause="fragmentation",
    kinds=ASKED,
    needs=f"{_ZONES}; order above 0, a zone above its watermark, and in none of those a free block of that size on a list it may use",
    reference="mm/page_alloc.c: __zone_watermark_ok(); https://docs.kernel.org/admin-guide/sysctl/vm.html#compact-memory",
    judge=fragmentation,
    speaks_of="request",
)
ATOMIC_RESERVE_EXHAUSTED = Rule(
    cause="atomic_reserve_exhausted",
    kinds=REFUSED,
    needs=f"{_ZONES}; no direct reclaim, and each zone below what holds for such a request",
    reference="https://docs.kernel.org/admin-guide/sysctl/vm.html#min-free-kbytes",
    judge=atomic_reserve_exhausted,
    speaks_of="request",
)
LOW_ZONE_EXHAUSTED = Rule(
    cause="low_zone_exhausted",
    kinds=ASKED,
    needs=f"{_ZONES}; each allowed zone below its watermark, a zone above those it may use above its own high watermark",
    reference="https://docs.kernel.org/mm/physical_memory.html#zones",
    judge=low_zone_exhausted,
    speaks_of="request",
)
NUMA_BINDING = Rule(
    cause="numa_binding",
    kinds=BOUND,
    needs="the kernel's word for the constraint; certain where Mem-Info shows room on the nodes that it could not use",
    reference="mm/oom_kill.c: constrained_alloc(); https://docs.kernel.org/admin-guide/mm/numa_memory_policy.html",
    judge=numa_binding,
    speaks_of="request",
)
ADDRESS_SPACE_EXHAUSTED = Rule(
    cause="address_space_exhausted",
    kinds=REFUSED,
    needs='the kernel\'s line "vmap allocation for size ... failed"',
    reference="mm/vmalloc.c: alloc_vmap_area()",
    judge=address_space_exhausted,
    speaks_of="request",
)
KMEM_LIMIT = Rule(
    cause="kernel_memory",
    kinds=REFUSED | {"global_oom"},
    needs='"SLUB: Unable to allocate memory" and the line on its cache, which belongs to a cgroup; of an OOM kill: a mask of 0 and such a refusal before it',
    reference="https://docs.kernel.org/admin-guide/cgroup-v1/memory.html (kernel memory limit)",
    judge=kmem_limit,
)
