"""The roles' variables: documented as they are, refused where they are bad, and used rightly by the example inventory. No host is touched."""

from __future__ import annotations

import json
import re

import pytest
import yaml
from checkout import COLLECTION, ROOT, ansible

#: A host that answers only with "unreachable"; what is refused for it was refused without touching it.
NOBODY_THERE = {
    "ansible_connection": "ssh",
    "ansible_host": "127.0.0.1",
    "ansible_port": 1,
    "ansible_ssh_common_args": "-o ConnectTimeout=3 -o ControlPath=none",
}
SPECS = {path.parent.parent.name: yaml.safe_load(path.read_text()) for path in sorted((COLLECTION / "roles").glob("*/meta/argument_specs.yml"))}
ROLES = list(SPECS)
ENFORCED = [role for role in ("vm_tunables", "swap", "docker_memory", "oom_protection") if role in SPECS]
CLASSES = sorted((ROOT / "inventory.example/group_vars").glob("*.yml"))
#: The variables of the playbook that answers alerts, as its head lists them.
RESPOND = set(re.findall(r"^#   (respond_\w+)", (COLLECTION / "playbooks/respond.yml").read_text(), re.MULTILINE))
#: Of each type, what cannot be made one. Text takes anything.
BAD = {"int": "many", "bool": "perhaps", "dict": "nonsense", "list": {"a": 1}, "float": "much"}


def options(role: str) -> dict:
    return SPECS[role]["argument_specs"]["main"]["options"]


def bad_values(role: str):
    """(name, value, the variable's name in the refusal) for each argument of a type or with choices, and for those inside of entries."""
    for name, spec in options(role).items():
        for value in _bad(spec):
            yield name, value, name
        for inner, inside in (spec.get("options") or {}).items():
            for value in _bad(inside):
                entry = {**_least(spec["options"]), inner: value}
                yield name, [entry] if spec["type"] == "list" else entry, inner


def _bad(spec: dict):
    if "choices" in spec:
        yield ["nonsense"] if spec.get("type") == "list" else "nonsense"
    if spec.get("type") in BAD:
        yield BAD[spec["type"]]


def _least(inner: dict) -> dict:
    """An entry with what it must have."""
    return {name: spec["choices"][0] if "choices" in spec else "x" for name, spec in inner.items() if spec.get("required")}


@pytest.mark.parametrize("role", ROLES)
def test_the_specification_of_a_role_and_its_defaults_say_the_same(role):
    defaults = yaml.safe_load((COLLECTION / f"roles/{role}/defaults/main.yml").read_text()) or {}

    assert {name: spec.get("default") for name, spec in options(role).items()} == defaults
    assert all(name.startswith(f"{role}_") for name in defaults)
    assert all(spec.get("description") and spec.get("type") for spec in options(role).values())


@pytest.mark.parametrize("role", ENFORCED)
def test_bad_values_of_every_argument_are_refused_before_a_host_is_touched(tmp_path, role):
    cases = {f"host{number}": case for number, case in enumerate(bad_values(role))}
    hosts = {host: {**NOBODY_THERE, name: value} for host, (name, value, _told) in cases.items()}
    (tmp_path / "hosts.yml").write_text(json.dumps({"all": {"hosts": hosts}}))
    (tmp_path / "play.yml").write_text(json.dumps([{"hosts": "all", "gather_facts": False, "roles": [f"memops.linux.{role}"]}]))

    told = ansible("ansible-playbook", str(tmp_path / "play.yml"), "-i", str(tmp_path / "hosts.yml"), "-f", "4", home=tmp_path)

    output = told.stdout + told.stderr
    refusals = {match[1]: match[2] for match in re.finditer(r"^fatal: \[(\w+)\]: (.*)$", output, re.MULTILINE)}
    assert len(cases) > 3
    for host, (name, value, variable) in cases.items():
        assert "UNREACHABLE" not in refusals.get(host, ""), (name, value)
        assert variable in refusals.get(host, ""), (name, value, output[-2000:])


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        ({"vm.swappiness": 999}, "vm.swappiness"),
        ({"vm.no_such_key": 1}, "vm.no_such_key"),
        ({"vm.dirty_bytes": "__import__('os')"}, "vm.dirty_bytes"),
        ({"thp.enabled": "sometimes"}, "thp.enabled"),
        ({"vm.min_free_kbytes": "12% of bananas"}, "vm.min_free_kbytes"),
    ],
)
def test_a_tunable_that_cannot_be_is_refused_before_the_host_is_touched(tmp_path, overrides, told):
    (tmp_path / "hosts.yml").write_text(json.dumps({"all": {"hosts": {"web1": {**NOBODY_THERE, "vm_tunables_overrides": overrides}}}}))
    (tmp_path / "play.yml").write_text(json.dumps([{"hosts": "all", "gather_facts": False, "roles": ["memops.linux.vm_tunables"]}]))

    output = ansible("ansible-playbook", str(tmp_path / "play.yml"), "-i", str(tmp_path / "hosts.yml"), home=tmp_path).stdout

    assert "UNREACHABLE" not in output
    assert re.search(rf"FAILED!.*{re.escape(told)}", output), output


@pytest.mark.parametrize("path", CLASSES, ids=lambda path: path.stem)
def test_the_example_inventory_uses_variables_that_there_are_with_values_that_the_roles_take(tmp_path, path):
    variables = yaml.safe_load(path.read_text())
    known = {name for role in ROLES for name in options(role)} | RESPOND
    (tmp_path / "hosts.yml").write_text(json.dumps({"all": {"hosts": {"example": {**NOBODY_THERE, **variables}}}}))

    told = ansible("ansible-playbook", "playbooks/enforce.yml", "-i", str(tmp_path / "hosts.yml"), home=tmp_path)

    output = told.stdout + told.stderr
    assert set(variables) <= known
    assert "FAILED!" not in output
    assert "UNREACHABLE" in output  # its values are taken, and then it is looked for


def test_every_role_that_is_enforced_has_an_example_in_the_inventory():
    used = {name for path in CLASSES for name in yaml.safe_load(path.read_text())}

    for role in ENFORCED:
        assert any(name.startswith(f"{role}_") for name in used), role
