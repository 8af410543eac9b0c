# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations


class ModuleDocFragment:
    """What all modules that change a host take: whose change it is, and which to take back."""

    DOCUMENTATION = r"""
options:
  run:
    description:
      - The name of this run, which stands in the host's journal of changes (C(/var/lib/memops/changes.jsonl)) with each change.
      - The default is the time, in UTC.
    type: str
  reason:
    description:
      - Why the change is made, for the journal.
    type: str
    default: baseline
  diagnosis:
    description:
      - The diagnosis that the change came from, for the journal. A path or a sentence.
    type: str
  rollback_run:
    description:
      - With O(state=rolled_back), whose changes are taken back. The name of a run, V(last) for the newest that still stands, or V(all).
    type: str
    default: last
  rollback_keys:
    description:
      - With O(state=rolled_back), take back only changes of these keys, as the journal names them.
    type: list
    elements: str
    default: []
"""
