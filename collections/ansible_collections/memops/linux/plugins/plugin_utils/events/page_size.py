# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The page size of the machine that printed a report, from the report itself.

arm64 and ppc64 kernels come with pages of 4, 16 or 64 KiB, and a report counts
in pages without naming their size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .model import Victim

if TYPE_CHECKING:
    from .mem_info import MemInfoReading
    from .task_table import TaskTable

USUAL = 4096
_SIZES = frozenset(1 << shift for shift in range(12, 19))


def page_size(memory: MemInfoReading | None, table: TaskTable | None, victims: list[Victim]) -> int:
    """The smallest free block's size; else the victim's total-vm, given in kB and in pages; else 4096."""
    if memory is not None and memory.smallest_block in _SIZES:
        return memory.smallest_block
    for victim in victims:
        row = table.find(victim.pid) if table is not None else None
        if row is not None and victim.total_vm_bytes and row.numbers["total_vm"]:
            size, rest = divmod(victim.total_vm_bytes, row.numbers["total_vm"])
            if not rest and size in _SIZES:
                return size
    return USUAL
