# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Memory in pages larger than the base page: reserved pools, and transparent ones."""

import re


def pools(reader):
    """The hugetlb pools, one for each page size, largest pool first.

    [{size_bytes, total, free, reserved, surplus}] in pages of that size, from
    /sys/kernel/mm/hugepages (Documentation/admin-guide/mm/hugetlbpage.rst).
    """
    folder = "/sys/kernel/mm/hugepages"
    found = []
    for name in reader.names(folder, expected=False):
        size = re.match(r"hugepages-(\d+)kB$", name)
        if not size:
            continue
        pool = {"size_bytes": int(size.group(1)) * 1024}
        for key, counter in (("total", "nr"), ("free", "free"), ("reserved", "resv"), ("surplus", "surplus")):
            pool[key] = reader.number("%s/%s/%s_hugepages" % (folder, name, counter))
        found.append(pool)
    found.sort(key=lambda pool: ((pool["total"] or 0) * pool["size_bytes"], -pool["size_bytes"]), reverse=True)
    return found


def transparent(reader):
    """{enabled, defrag, khugepaged_defrag: bool}, or None where the kernel has none.

    Documentation/admin-guide/mm/transhuge.rst.
    """
    folder = "/sys/kernel/mm/transparent_hugepage/"
    enabled = chosen(reader.text(folder + "enabled", 256, expected=False))
    if enabled is None:
        return None
    khugepaged = reader.number(folder + "khugepaged/defrag")
    return {
        "enabled": enabled,
        "defrag": chosen(reader.text(folder + "defrag", 256)),
        "khugepaged_defrag": None if khugepaged is None else khugepaged == 1,
    }


def chosen(text):
    """The word in brackets: how sysfs shows the choice among several."""
    match = re.search(r"\[([^\]]+)\]", text or "")
    return match.group(1) if match else None
