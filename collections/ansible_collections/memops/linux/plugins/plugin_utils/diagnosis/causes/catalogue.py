# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""All causes that memops knows, the specific before the general.

The order decides between two conclusions that are equally sure (see
``rule.judge``). A protected hog or a misplaced reservation explains why RAM
ran out; ``no_swap`` and ``swap_exhausted`` only say that it did.
"""

from __future__ import annotations

from ..rule import Rule
from .cgroup_kernel import KERNEL_MEMORY_OF_CGROUP, PAGE_TABLES_OF_CGROUP, SWAP_DENIED_TO_CGROUP
from .cgroup_limit import DIRTY_PAGE_CACHE, SHMEM_OR_TMPFS, WORKING_SET_OVER_LIMIT
from .choice_of_victim import BYSTANDER_KILLED, HOG_PROTECTED
from .containers import LIMITS_OVERSUBSCRIBED, NO_CONTAINER_LIMITS
from .growth import LEAK
from .host_kernel import BALLOON, KERNEL_MEMORY, MLOCKED, PAGE_TABLES
from .host_memory import HOST_SHMEM_OR_TMPFS, HUGEPAGES_RESERVED, NO_SWAP, SWAP_EXHAUSTED, UNRECLAIMABLE_SLAB
from .not_memory import APPLICATION_FAULT, HARDWARE_FAULT, OPERATOR_OR_RUNTIME_KILL, REQUESTED_KILL
from .pressure import HUNG_FOR_MEMORY, STALLED, THRASHING
from .processes import FORK_STORM
from .refusals import (
    ADDRESS_SPACE_LIMIT,
    ALL_TASKS_UNKILLABLE,
    COMMIT_LIMIT,
    DISK_PRESSURE,
    EVICTION_THRESHOLD,
    OVERCOMMIT_REFUSED,
    PANIC_POLICY,
    PIDS_LIMIT,
)
from .requests import ADDRESS_SPACE_EXHAUSTED, ATOMIC_RESERVE_EXHAUSTED, FRAGMENTATION, KMEM_LIMIT, LOW_ZONE_EXHAUSTED, NUMA_BINDING

RULES: tuple[Rule, ...] = (
    HARDWARE_FAULT,
    APPLICATION_FAULT,
    OPERATOR_OR_RUNTIME_KILL,
    REQUESTED_KILL,
    PIDS_LIMIT,
    DISK_PRESSURE,
    EVICTION_THRESHOLD,
    COMMIT_LIMIT,
    OVERCOMMIT_REFUSED,
    ADDRESS_SPACE_LIMIT,
    ALL_TASKS_UNKILLABLE,
    ADDRESS_SPACE_EXHAUSTED,
    KMEM_LIMIT,
    FRAGMENTATION,
    ATOMIC_RESERVE_EXHAUSTED,
    LOW_ZONE_EXHAUSTED,
    NUMA_BINDING,
    HOG_PROTECTED,
    HUGEPAGES_RESERVED,
    BALLOON,
    UNRECLAIMABLE_SLAB,
    KERNEL_MEMORY,
    PAGE_TABLES,
    MLOCKED,
    HOST_SHMEM_OR_TMPFS,
    DIRTY_PAGE_CACHE,
    SHMEM_OR_TMPFS,
    PAGE_TABLES_OF_CGROUP,
    KERNEL_MEMORY_OF_CGROUP,
    FORK_STORM,
    BYSTANDER_KILLED,
    NO_CONTAINER_LIMITS,
    LIMITS_OVERSUBSCRIBED,
    LEAK,
    WORKING_SET_OVER_LIMIT,
    SWAP_DENIED_TO_CGROUP,
    THRASHING,
    STALLED,
    HUNG_FOR_MEMORY,
    SWAP_EXHAUSTED,
    NO_SWAP,
    PANIC_POLICY,
)
