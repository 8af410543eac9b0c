# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""All causes that memops knows, the specific before the general.

The order decides between two conclusions that are equally sure (see
``rule.judge``). A protected hog or a misplaced reservation explains why RAM
ran out; ``no_swap`` and ``swap_exhausted`` only say that it did.
"""

from __future__ import annotations

from ..rule import Rule
from .cgroup_limit import DIRTY_PAGE_CACHE, SHMEM_OR_TMPFS, WORKING_SET_OVER_LIMIT
from .choice_of_victim import BYSTANDER_KILLED, HOG_PROTECTED
from .containers import LIMITS_OVERSUBSCRIBED, NO_CONTAINER_LIMITS
from .host_memory import HOST_SHMEM_OR_TMPFS, HUGEPAGES_RESERVED, NO_SWAP, SWAP_EXHAUSTED, UNRECLAIMABLE_SLAB
from .not_memory import APPLICATION_FAULT, OPERATOR_OR_RUNTIME_KILL, REQUESTED_KILL
from .pressure import THRASHING

RULES: tuple[Rule, ...] = (
    APPLICATION_FAULT,
    OPERATOR_OR_RUNTIME_KILL,
    REQUESTED_KILL,
    HOG_PROTECTED,
    HUGEPAGES_RESERVED,
    UNRECLAIMABLE_SLAB,
    HOST_SHMEM_OR_TMPFS,
    DIRTY_PAGE_CACHE,
    SHMEM_OR_TMPFS,
    BYSTANDER_KILLED,
    NO_CONTAINER_LIMITS,
    LIMITS_OVERSUBSCRIBED,
    WORKING_SET_OVER_LIMIT,
    THRASHING,
    SWAP_EXHAUSTED,
    NO_SWAP,
)
