"""What the policy allows."""

from __future__ import annotations

import pytest

from ansible_collections.memops.linux.plugins.plugin_utils.enforcement.remedies import Passed, Proposal
from ansible_collections.memops.linux.plugins.plugin_utils.respond.policy import allowed_keys, decided, kills_count_from, permitted

MEMORY = {"code": "memory"}
DIRTY = Proposal("incidents[0]", "dirty_page_cache", "vm_tunables_overrides", {"vm.dirty_bytes": 8, "vm.dirty_background_bytes": 4}, "w", "r")
SWAP = Proposal("incidents[1]", "no_swap", "swap_devices", [{"path": "/swapfile", "size_bytes": 1}], "w", "r")


@pytest.mark.parametrize(
    ("policy", "verdict", "proposed", "allowed", "groups", "allowed_groups", "code"),
    [
        ("observe", MEMORY, [1], [1], ["web"], ["web"], "observed"),
        ("propose", MEMORY, [1], [1], ["web"], ["web"], "proposed"),
        ("propose", MEMORY, [], [], ["web"], ["web"], "nothing_to_change"),
        ("remediate", MEMORY, [1], [1], ["web"], ["web"], "remediate"),
        ("remediate", MEMORY, [1], [], ["web"], ["web"], "proposed"),
        ("remediate", MEMORY, [1], [1], ["web"], ["db"], "proposed"),
        ("remediate", MEMORY, [1], [1], ["web"], [], "proposed"),
        ("remediate", MEMORY, [], [], ["web"], ["web"], "nothing_to_change"),
        ("remediate", {"code": "no_evidence"}, [1], [1], ["web"], ["web"], "no_evidence"),
        ("observe", None, [], [], [], [], "no_evidence"),
    ],
)
def test_what_is_done(policy, verdict, proposed, allowed, groups, allowed_groups, code):
    assert decided(policy, verdict, proposed, allowed, groups, allowed_groups).code == code


@pytest.mark.parametrize(
    ("entries", "kept"),
    [
        ([], []),
        (["swap_devices"], [SWAP]),
        (["vm_tunables_overrides"], [DIRTY]),
        (["vm_tunables_overrides.vm.dirty_bytes"], []),
        (["vm_tunables_overrides.vm.dirty_bytes", "vm_tunables_overrides.vm.dirty_background_bytes"], [DIRTY]),
        (["vm_tunables_overrides.vm.swappiness", "vm_tunables_overrides"], [DIRTY]),
        (["vm_tunables_overrides", "vm_tunables_overrides.vm.swappiness"], [DIRTY]),
    ],
)
def test_a_remedy_is_permitted_as_a_whole_or_not_at_all(entries, kept):
    found = permitted([DIRTY, SWAP], allowed_keys(entries))

    assert [one for one in found if not isinstance(one, Passed)] == kept
    assert len(found) == 2, "what is not permitted is told"


@pytest.mark.parametrize("entry", ["vm_tunables_profile", "swap_devices.path", "vm_tunables_overrides.{{ x }}", "", "vm"])
def test_what_no_remedy_can_set_cannot_be_allowed(entry):
    with pytest.raises(ValueError, match="respond_allowed_variables"):
        allowed_keys([entry])


@pytest.mark.parametrize(
    ("variable", "key", "cause", "moment"),
    [
        ("vm_tunables_overrides", "vm.dirty_bytes", "dirty_page_cache", "after"),
        ("docker_memory_container_limits", "shop: memory_bytes", "working_set_over_limit", "after"),
        ("docker_memory_container_limits", "shop: memory_bytes", "no_container_limits", "before"),
        ("docker_memory_slice_max_bytes", "docker_memory_slice_max_bytes", "limits_oversubscribed", "before"),
        ("vm_tunables_overrides", "vm.min_free_kbytes", "atomic_reserve_exhausted", "before"),
    ],
)
def test_kills_count_from_before_a_change_that_can_itself_kill(variable, key, cause, moment):
    rows = [
        {"variable": "vm_tunables_overrides", "key": "vm.dirty_bytes", "causes": ["dirty_page_cache"]},
        {"variable": variable, "key": key, "causes": [cause]},
    ]

    assert kills_count_from(rows) == moment
