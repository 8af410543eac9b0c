# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where the memory was at the kill, as one bar against the limit or the RAM."""

from __future__ import annotations

from typing import Any, NamedTuple

from ...diagnosis.wording import percent, size
from ..view.figure import Figure, of_memory
from . import svg
from .picture import Head, Picture, Row

TITLE = "Where the memory was"
#: A word is written into a part that is at least this wide.
_WORD_FITS = 0.2


class Part(NamedTuple):
    """A use of memory. css: its colour and pattern; term: its entry in the glossary."""

    name: str
    text: str
    bytes: int
    figure: Figure
    css: str
    term: str | None = None


def picture(incident: dict[str, Any]) -> Picture:
    """The bar with its parts; where the log does not show the uses, the sentence that says so."""
    use = incident.get("memory")
    if not use:
        return Picture("memory", TITLE, "The log does not show where the memory was.")
    parts = parts_of(incident)
    if not parts:
        return Picture("memory", TITLE, "The log does not show what the memory was used for.")
    total = max(use["total_bytes"] or 0, sum(part.bytes for part in parts))
    shapes, start = [], 0.0
    for part in parts:
        share = part.bytes / total if total else 0
        shapes.append(svg.block(start, share, part.css, height=26))
        if share >= _WORD_FITS:
            shapes.append(svg.label(start + share / 2, 18, part.text.partition(",")[0].replace("programs' own memory", "programs"), f"on {part.css}-word"))
        start += share
    whole = of_memory(incident, "total_bytes")
    kind = "limit of the cgroup" if use["scope"] == "cgroup" else "RAM of the host"
    largest = max(parts, key=lambda part: part.bytes)
    against = f" of the {kind}, {whole.text}" if whole else "; the log does not show the limit" if use["scope"] == "cgroup" else ""
    share = f" ({percent(largest.bytes, use['total_bytes'])})" if whole else ""
    rows = [
        Row([part.text, part.figure, percent(part.bytes, use["total_bytes"]) if use["total_bytes"] else None], sign=svg.swatch(part.css))
        for part in parts
        if part.bytes
    ]
    rows.append(Row([kind, whole, ""], marks=(("sum", "whole"),)))
    swap = _swap(incident)
    rows += swap
    silent = _silent(use)
    return Picture(
        "memory",
        TITLE,
        f"Most of it was {largest.text}: {largest.figure.text}{share}{against}.",
        (Head("use"), Head("bytes", css="number"), Head("share", css="number")),
        tuple(rows),
        svg.picture(shapes, 26, "bar whole"),
        silent,
    )


def parts_of(incident: dict[str, Any]) -> list[Part]:
    """The parts of which none holds another, those that reclaim finds hardest first, free memory last."""
    use = incident["memory"]
    found: list[Part] = []

    def add(name: str, text: str, css: str, value: int | None = None, term: str | None = None) -> None:
        figure = of_memory(incident, name)
        amount = use.get(name) if value is None else value
        if figure is not None and amount is not None and amount >= 0:
            found.append(Part(name, text, amount, figure if value is None else figure._replace(text=size(amount)), css, term))

    in_cgroup = use["scope"] == "cgroup"
    add("anon_bytes", "programs' own memory (anon)", "c-anon", term="anon")
    if not in_cgroup:
        add("unevictable_bytes", "unevictable (locked)", "c-locked", term="unevictable")
    add("shmem_bytes", "shared memory and tmpfs (shmem)", "c-shmem", term="shmem")
    unflushed = [part for part in (use["file_dirty_bytes"], use["file_writeback_bytes"]) if part is not None]
    if unflushed and use["file_bytes"] is not None:
        dirty = min(sum(unflushed), use["file_bytes"])
        add("file_dirty_bytes", "file cache, dirty or being written", "c-dirty", dirty, "dirty")
        add("file_bytes", "file cache, clean", "c-file", use["file_bytes"] - dirty, "file")
    else:
        add("file_bytes", "file cache (dirty or clean is not shown)", "c-file", term="file")
    add("slab_unreclaimable_bytes", "slab, unreclaimable", "c-slab", term="slab")
    add("slab_reclaimable_bytes", "slab, reclaimable", "c-slab-soft", term="slab")
    add("page_tables_bytes", "page tables", "c-tables", term="page tables")
    add("kernel_stack_bytes", "kernel stacks", "c-kernel")
    if in_cgroup:
        add("percpu_bytes", "per-CPU memory of the kernel", "c-kernel")
        add("vmalloc_bytes", "vmalloc", "c-kernel")
        inside = ("slab_unreclaimable_bytes", "slab_reclaimable_bytes", "page_tables_bytes", "kernel_stack_bytes", "percpu_bytes", "vmalloc_bytes")
        if use["kernel_bytes"] is not None:
            rest = use["kernel_bytes"] - sum(use[name] or 0 for name in inside)
            add("kernel_bytes", "other memory of the kernel", "c-kernel", max(0, rest))
        add("sock_bytes", "socket buffers", "c-sock", term="sock")
    else:
        add("hugepages_bytes", "huge pages, reserved", "c-huge", term="hugepages")
        add("balloon_bytes", "balloon, given to the hypervisor", "c-balloon", term="balloon")
        add("gpu_bytes", "graphics memory", "c-kernel")
    add("unaccounted_bytes", "used, in no figure of the report", "c-dark", term="unaccounted")
    if in_cgroup and use["total_bytes"] is not None and use["used_bytes"] is not None:
        add("total_bytes", "free below the limit", "c-free", max(0, use["total_bytes"] - use["used_bytes"]))
    add("free_bytes", "free", "c-free", term="free")
    if not in_cgroup and use["total_bytes"]:
        rest = use["total_bytes"] - sum(part.bytes for part in found)
        known = "kept by the kernel since boot" if use["unaccounted_bytes"] is not None else "not shown by the log"
        add("total_bytes", known, "c-unknown", max(0, rest))
    return found


def _swap(incident: dict[str, Any]) -> list[Row]:
    use = incident["memory"]
    if use["swap_total_bytes"] is None and use["swap_used_bytes"] is None:
        return []
    if use["swap_total_bytes"] == 0:
        none = "swap: none" if use["scope"] == "host" else "swap: the cgroup may use none"
        return [Row([none, of_memory(incident, "swap_total_bytes"), ""])]
    share = percent(use["swap_used_bytes"], use["swap_total_bytes"]) if use["swap_total_bytes"] and use["swap_used_bytes"] is not None else None
    return [Row(["swap used", of_memory(incident, "swap_used_bytes"), share]), Row(["swap in all", of_memory(incident, "swap_total_bytes"), ""])]


def _silent(use: dict[str, Any]) -> str:
    """What a reader might look for and the log does not have."""
    wanted = {"anon_bytes": "programs' own memory", "file_bytes": "file cache", "shmem_bytes": "shared memory", "slab_unreclaimable_bytes": "slab"}
    missing = [text for name, text in wanted.items() if use[name] is None]
    if use["swap_total_bytes"] is None and use["swap_used_bytes"] is None:
        missing.append("swap")
    return f"The log does not show: {', '.join(missing)}." if missing else ""
