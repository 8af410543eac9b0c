# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""In which order values are written, so that the host never passes through a state that would be refused."""

#: key: whether (old, new) makes the kernel less strict, or stops something.
_LOOSENS = {
    "vm.overcommit_memory": lambda old, new: old == "2",
    "vm.panic_on_oom": lambda old, new: int(new) < int(old),
    "zswap.enabled": lambda old, new: new == "N",
    "ksm.run": lambda old, new: new != "1",
    "vm.nr_hugepages": lambda old, new: int(new) < int(old),
    # It moves vm.min_free_kbytes, which is written after it.
    "thp.enabled": lambda old, new: True,
}
_FIRST, _BETWEEN, _LAST = range(3)


def ordered(changes, before, host):
    """The keys of changes ({key: new text}) in the order in which they are to be written. before: {key: text}.

    What loosens comes first and what tightens last, so that all it depends on
    is there. A dirty limit that grows is written before its background limit,
    one that shrinks after it.
    """
    after = dict(before, **changes)
    grows = _dirty_bytes(after, host) >= _dirty_bytes(before, host)

    def place(key):
        if key in _LOOSENS:
            return (_FIRST if _LOOSENS[key](before.get(key) or "0", changes[key]) else _LAST), 0, key
        if key in ("vm.dirty_bytes", "vm.dirty_ratio"):
            return _BETWEEN, 0 if grows else 2, key
        if key.startswith("vm.dirty_background"):
            return _BETWEEN, 1, key
        return _BETWEEN, 0, key

    return sorted(changes, key=place)


def in_a_file(keys):
    """The same for a file that is applied at boot, where all starts from the kernel's defaults."""
    return sorted(keys, key=lambda key: (key in _LOOSENS, key))


def _dirty_bytes(values, host):
    exact = int(values.get("vm.dirty_bytes") or 0)
    return exact or host.dirtyable_bytes * int(values.get("vm.dirty_ratio") or 0) // 100
