"""How enforce, audit and rollback go from host to host, with roles that only say what they would do: no host is changed."""

from __future__ import annotations

import json
import pathlib
import re
import shutil
from xml.etree import ElementTree

import jsonschema
import pytest
import yaml
from checkout import COLLECTION, ansible

LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
NOBODY_THERE = {
    "ansible_connection": "ssh",
    "ansible_host": "127.0.0.1",
    "ansible_port": 1,
    "ansible_ssh_common_args": "-o ConnectTimeout=3 -o ControlPath=none",
}
ROLES = ("vm_tunables", "swap", "docker_memory", "oom_protection")
DRIFT = [{"key": "vm.swappiness", "face": "running", "wanted": "10", "found": "60", "where": None}]

#: A role that calls a module which writes a line into a diary, and says of its host what the inventory tells it to.
TASKS = """
- name: Ask the module
  said:
    diary: "{{ diary }}"
    words: "{{ [inventory_hostname, ROLE, STATE] }}"
    run: "{{ memops_run | default(omit) }}"
    diagnosis: "{{ memops_diagnosis | default(omit) }}"
    values: "{{ VALUES }}"
    says: "{{ says | default({}) }}"
    says_then: "{{ says_then | default(omit) }}"
    breaks: "{{ breaks | default(false) }}"
  register: RESULT
  tags: [TAG]
"""
MODULE = """
import json
from ansible.module_utils.basic import AnsibleModule

kinds = dict(diary="path", words="list", run="str", diagnosis="str", values="raw", says="dict", says_then="dict", breaks="bool")
options = {name: {"type": kind} for name, kind in kinds.items()}
module = AnsibleModule(options, supports_check_mode=True)
given = module.params
with open(given["diary"], "a") as diary:
    line = dict(host=given["words"][0], role=given["words"][1], state=given["words"][2], real=not module.check_mode)
    diary.write(json.dumps(dict(line, run=given["run"], diagnosis=given["diagnosis"], values=given["values"])) + chr(10))
if given["breaks"]:
    module.fail_json(msg="as the inventory wishes")
said = given["says_then"] if module.check_mode and given["says_then"] is not None else given["says"]
empty = {name: [] for name in ("changes", "drift", "compliant", "refused", "left_alone", "unsupported", "notes")}
module.exit_json(**dict(dict(empty, changed=False), **said))
"""


#: In place of the module that reads the journal of this machine.
JOURNAL = """
import json
from ansible.module_utils.basic import AnsibleModule
AnsibleModule({"rollback_run": {"type": "str"}, "rollback_keys": {"type": "list"}}).exit_json(changed=False, **json.load(open("PATH")))
"""


@pytest.fixture
def collection(tmp_path):
    """The collection with other roles."""
    folder = tmp_path / "collections/ansible_collections/memops/linux"
    folder.mkdir(parents=True)
    for name in ("playbooks", "meta", "galaxy.yml"):
        (folder / name).symlink_to(COLLECTION / name)
    shutil.copytree(COLLECTION / "roles/vm_tunables/vars", folder / "roles/vm_tunables/vars")
    shutil.copytree(COLLECTION / "plugins", folder / "plugins", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "plugins/modules/journal_info.py").write_text(JOURNAL.replace("PATH", str(tmp_path / "journal.json")))
    tags = {"vm_tunables": "tunables", "swap": "swap", "docker_memory": "docker", "oom_protection": "units"}
    values = {"vm_tunables": "[vm_tunables_profile, vm_tunables_overrides]", "swap": "swap_devices", "docker_memory": "docker_memory_container_limits"}
    for role in ROLES:
        text = TASKS.replace("ROLE", f"'{role}'").replace("STATE", f"{role}_state").replace("TAG", tags[role])
        text = text.replace("RESULT", f"{role}_result").replace("VALUES", values.get(role, "oom_protection_units"))
        options = {
            f"{role}_state": {"type": "str", "choices": ["applied", "rolled_back"], "default": "applied"},
            f"{role}_overrides": {"type": "dict", "default": {}},
        }
        _write(folder / f"roles/{role}/tasks/main.yml", text)
        _write(folder / f"roles/{role}/meta/argument_specs.yml", yaml.safe_dump({"argument_specs": {"main": {"options": options}}}))
        defaults = {f"{role}_state": "applied", f"{role}_overrides": {}, f"{role}_profile": "general", f"{role}_devices": [], f"{role}_units": []}
        _write(folder / f"roles/{role}/defaults/main.yml", yaml.safe_dump({**defaults, f"{role}_container_limits": []}))
    return folder


def _write(path: pathlib.Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def play(tmp_path, collection):
    """Run one of the playbooks on hosts of this inventory; gives (exit status, output, diary)."""

    def run(playbook: str, hosts: dict, *arguments: str, **variables):
        diary = tmp_path / "diary"
        diary.unlink(missing_ok=True)
        inventory = tmp_path / "hosts.yml"
        inventory.write_text(json.dumps({"all": {"hosts": hosts, "vars": {"diary": str(diary)}}}))
        given = {"enforce_settle_seconds": 0, "enforce_rehearse": False, **variables}
        words = [str(collection / f"playbooks/{playbook}.yml"), "-i", str(inventory), "-e", json.dumps(given), *arguments]
        told = ansible("ansible-playbook", *words, home=tmp_path, cwd=tmp_path)
        lines = [json.loads(line) for line in diary.read_text().splitlines()] if diary.exists() else []
        return told.returncode, told.stdout + told.stderr, lines

    _write(tmp_path / "library/said.py", MODULE)
    (tmp_path / "ansible.cfg").write_text("[defaults]\ncollections_path = ./collections\nlibrary = ./library\n[inventory]\nhost_pattern_mismatch = error\n")
    return run


def hosts(number: int, **variables) -> dict:
    return {f"web{one}": {**LOCAL, **variables} for one in range(1, number + 1)}


def done(diary, *, real: bool = True) -> list[tuple[str, str]]:
    return [(line["host"], line["role"]) for line in diary if line["real"] is real]


def changed(after: list | None = None) -> dict:
    return {"says": {"changed": True, "drift": DRIFT}, "says_then": {"drift": after or [], "changed": bool(after)}}


def diagnoses(folder: pathlib.Path, **by_host) -> pathlib.Path:
    for host, incidents in by_host.items():
        document = {"schema": "memops.diagnosis/1", "host": host, "incidents": incidents, "findings": []}
        _write(folder / f"hosts/{host}/diagnosis.json", json.dumps(document))
    return folder


def incident(cause: str, variable: str, value) -> dict:
    return {"cause": cause, "confidence": "certain", "remedies": [{"variable": variable, "value": value, "why": "Because.", "risk": "It waits."}]}


def test_the_first_batch_is_one_host_and_all_hosts_bear_the_runs_one_name(play):
    status, output, diary = play("enforce", hosts(8))

    assert status == 0, output
    batches = [
        sorted(re.findall(r"^ok: \[(web\d)\]", batch.split("TASK")[0], re.MULTILINE)) for batch in output.split("TASK [Note whether something changed]")[1:]
    ]
    assert batches == [["web1"], ["web2", "web3"], ["web4", "web5", "web6", "web7", "web8"]]
    assert len({line["run"] for line in diary}) == 1


def test_only_tunables_are_for_every_host_and_the_other_roles_where_the_inventory_says_what(play):
    status, output, diary = play("enforce", {"web1": LOCAL, "web2": {**LOCAL, "swap_devices": [], "oom_protection_units": []}})

    assert status == 0, output
    assert done(diary) == [("web1", "vm_tunables"), ("web2", "vm_tunables"), ("web2", "swap"), ("web2", "oom_protection")]


def test_it_stops_where_the_canary_fails(play):
    fleet = hosts(4)
    fleet["web1"]["breaks"] = True

    status, output, diary = play("enforce", fleet)

    assert status == 2
    assert done(diary) == [("web1", "vm_tunables")], output


def test_it_stops_where_a_host_of_a_later_batch_cannot_be_reached(play):
    fleet = hosts(6)
    fleet["web2"] = NOBODY_THERE

    status, output, diary = play("enforce", fleet)

    assert status != 0
    assert [host for host, _role in done(diary)] == ["web1"], output
    assert "web2 did not end well. No further host is changed." in output, output


def test_it_stops_where_the_check_after_the_change_finds_drift(play):
    status, output, diary = play("enforce", hosts(3, **changed(DRIFT)))

    assert status == 2
    assert [host for host, _role in done(diary)] == ["web1"]
    assert "Not as wanted after the change: vm.swappiness." in output
    assert f"memops.linux.rollback -e rollback_run={diary[0]['run']}" in output


def test_a_host_that_changed_is_looked_at_again_in_check_mode_and_one_that_did_not_is_left_in_peace(play):
    status, output, diary = play("enforce", {"web1": {**LOCAL, **changed()}, "web2": LOCAL})

    assert status == 0, output
    assert (done(diary), done(diary, real=False)) == ([("web1", "vm_tunables"), ("web2", "vm_tunables")], [("web1", "vm_tunables")])


def test_what_docker_has_only_after_a_restart_that_is_not_allowed_is_no_reason_to_stop(play):
    waits = [{"key": "exec-opts", "face": "running", "wanted": [], "found": None, "where": "dockerd"}]
    fleet = hosts(2, says={"changed": True}, says_then={"drift": waits, "restart_needed_by": ["exec-opts"]})

    status, output, diary = play("enforce", fleet, enforce_roles=["docker_memory"])

    assert status == 0, output
    assert [host for host, _role in done(diary)] == ["web1", "web2"]


def test_but_what_docker_should_have_without_one_is(play):
    lacks = [{"key": "labels", "face": "running", "wanted": [], "found": None, "where": "dockerd"}]
    fleet = hosts(2, says={"changed": True}, says_then={"drift": lacks, "restart_needed_by": ["exec-opts"]})

    status, output, _diary = play("enforce", fleet, enforce_roles=["docker_memory"])

    assert (status, "Not as wanted after the change: labels." in output) == (2, True), output


def test_every_host_is_asked_before_the_first_is_changed(play):
    status, output, diary = play("enforce", hosts(2), enforce_rehearse=True)

    assert status == 0, output
    assert [(line["host"][:3], line["real"]) for line in diary] == [("web", False), ("web", False), ("web", True), ("web", True)]


@pytest.mark.parametrize("last", [{**LOCAL, "breaks": True}, NOBODY_THERE], ids=["refuses", "cannot be reached"])
def test_none_is_changed_where_the_last_host(play, last):
    status, output, diary = play("enforce", {**hosts(3), "web4": last}, enforce_rehearse=True)

    assert status != 0
    assert done(diary) == [], output


def test_the_check_of_what_the_inventory_says_asks_once(play):
    status, output, diary = play("enforce", hosts(1), "--check", enforce_rehearse=True)

    assert (status, len(diary)) == (0, 1), output


def test_check_mode_is_passed_on_and_nothing_is_looked_at_afterwards(play):
    status, output, diary = play("enforce", hosts(2, **changed()), "--check", "--diff")

    assert status == 0, output
    assert (done(diary), done(diary, real=False)) == ([], [("web1", "vm_tunables"), ("web2", "vm_tunables")])


def test_tags_choose_an_area(play):
    status, output, diary = play("enforce", hosts(1, swap_devices=[]), "--tags", "swap")

    assert status == 0, output
    assert done(diary) == [("web1", "swap")]


def test_a_value_of_the_wrong_type_on_the_last_host_is_refused_before_the_first_is_touched(play):
    fleet = hosts(3)
    fleet["web3"]["vm_tunables_overrides"] = ["vm.swappiness"]

    status, output, diary = play("enforce", fleet)

    assert status == 2
    assert diary == []
    assert "vm_tunables_overrides" in output


def test_a_tunable_that_cannot_be_on_the_last_host_is_refused_before_the_first_is_touched(play):
    fleet = hosts(3)
    fleet["web3"]["vm_tunables_overrides"] = {"vm.swappiness": 999}

    status, output, diary = play("enforce", fleet)

    assert status == 2
    assert diary == []
    assert re.search(r"fatal: \[web3\].*vm.swappiness", output), output


def test_remedies_are_applied_only_to_the_hosts_and_keys_that_the_diagnoses_name(play, tmp_path):
    report = diagnoses(tmp_path / "reports/x", web2=[incident("dirty_page_cache", "vm_tunables_overrides", {"vm.dirty_bytes": 8388608})])
    fleet = hosts(3, vm_tunables_profile="database", vm_tunables_overrides={"vm.swappiness": 1}, swap_devices=["x"])

    status, output, diary = play("enforce", fleet, enforce_from=str(report))

    assert status == 0, output
    (line,) = diary
    assert (line["host"], line["role"], line["real"]) == ("web2", "vm_tunables", True)
    assert line["diagnosis"] == str(report / "hosts/web2/diagnosis.json")
    assert line["values"] == ["none", {"vm.dirty_bytes": 8388608}]
    assert output.index("vm.dirty_bytes  8388608") < output.index("TASK [memops.linux.vm_tunables")
    assert "risk: It waits." in output


def test_a_value_out_of_a_diagnosis_is_never_evaluated(play, tmp_path):
    braces = "{{ lookup('ansible.builtin.pipe', 'touch " + str(tmp_path / "owned") + "') }}"
    report = diagnoses(tmp_path / "x", web1=[incident("no_container_limits", "docker_memory_container_limits", [{"name": braces, "memory_bytes": 1}])])

    status, output, diary = play("enforce", hosts(1), enforce_from=str(report))

    assert status == 0, output
    assert diary[0]["values"] == [{"name": braces, "memory_bytes": 1}]
    assert not (tmp_path / "owned").exists()


def test_causes_and_variables_choose_among_the_remedies(play, tmp_path):
    report = diagnoses(
        tmp_path / "x",
        web1=[incident("dirty_page_cache", "vm_tunables_overrides", {"vm.dirty_bytes": 8}), incident("no_swap", "swap_devices", [{"path": "/s", "size": 1}])],
    )

    status, output, diary = play("enforce", hosts(1), enforce_from=str(report), enforce_causes=["no_swap"])

    assert status == 0, output
    assert done(diary) == [("web1", "swap")]


@pytest.mark.parametrize(
    ("name", "told"),
    [("nowhere", "is no report directory"), ("others", "has no diagnosis of any of these hosts. It has: db1."), ("nothing", "nothing that a role can apply")],
)
def test_a_report_directory_without_remedies_touches_no_host_and_says_why(play, tmp_path, name, told):
    diagnoses(tmp_path / "others", db1=[])
    diagnoses(tmp_path / "nothing", web1=[])

    _status, output, diary = play("enforce", hosts(1), enforce_from=str(tmp_path / name))

    assert diary == []
    assert told in output
    assert "Traceback" not in output


def test_an_audit_changes_nothing_and_ends_with_2_where_a_host_drifted_failed_or_is_gone(play, tmp_path):
    fleet = {
        "good": {**LOCAL, "says": {"compliant": ["vm.swappiness"]}},
        "drifted": {**LOCAL, **changed(DRIFT)},
        "gone": NOBODY_THERE,
        "broken": {**LOCAL, "breaks": True},
    }

    status, output, diary = play("audit", fleet, audit_junit=str(tmp_path / "ci/junit.xml"))

    report = json.loads((tmp_path / "reports/audit/latest/report.json").read_text())
    jsonschema.Draft202012Validator(json.loads((COLLECTION / "docs/schemas/audit-1.schema.json").read_text())).validate(report)
    assert status == 2
    assert done(diary) == []
    assert {host["host"]: host["status"] for host in report["hosts"]} == {
        "good": "compliant",
        "drifted": "drift",
        "gone": "no_answer",
        "broken": "no_answer",
    }, output
    why = {host["host"]: host["why"] for host in report["hosts"]}
    assert "as the inventory wishes" in why["broken"]
    cases = ElementTree.parse(tmp_path / "ci/junit.xml").getroot()
    assert (cases.get("tests"), cases.get("failures"), cases.get("errors")) == ("4", "1", "2")
    assert "vm.swappiness" in (tmp_path / "reports/audit/latest/report.md").read_text()


def test_an_audit_of_a_fleet_as_it_should_be_ends_with_0(play):
    status, output, _diary = play("audit", hosts(2, says={"compliant": ["vm.swappiness"]}))

    assert status == 0, output


def test_a_role_that_fails_does_not_hide_what_the_next_one_finds(play, tmp_path):
    fleet = {"web1": {**LOCAL, "vm_tunables_state": "nonsense", "swap_devices": [], "says": {"drift": DRIFT}}}

    status, _output, _diary = play("audit", fleet)

    (host,) = json.loads((tmp_path / "reports/audit/latest/report.json").read_text())["hosts"]
    assert status == 2
    assert "vm_tunables: value of vm_tunables_state must be one of" in host["why"]
    assert [key["area"] for key in host["keys"]] == ["swap"]


def test_a_rollback_goes_through_the_roles_of_that_run_in_the_other_order_and_says_what_it_left_alone(play, tmp_path):
    areas = {"tunables": [], "unit_memory": [], "swap": []}
    _write(tmp_path / "journal.json", json.dumps({"runs": [], "chosen": {"run": "x", "areas": areas, "unknown_keys": ["vm.y"]}}))
    says = {"changes": [{"key": "vm.swappiness", "old": 10, "new": 60}], "left_alone": [{"key": "vm.max_map_count", "why": "changed since"}]}

    status, output, diary = play("rollback", hosts(1, says=says))

    assert status == 0, output
    assert [(line["role"], line["state"]) for line in diary] == [("oom_protection", "rolled_back"), ("swap", "rolled_back"), ("vm_tunables", "rolled_back")]
    assert "vm.swappiness was taken back" in output
    assert "vm.max_map_count was left alone: changed since" in output
    assert "vm.y was not changed by that run" in output


def test_a_rollback_of_a_run_that_the_host_does_not_know_calls_no_role_and_names_those_that_it_knows(play, tmp_path):
    _write(tmp_path / "journal.json", json.dumps({"runs": [{"run": "monday"}], "chosen": {"run": "x", "areas": {}, "unknown_keys": []}}))

    status, output, diary = play("rollback", hosts(1), rollback_run="x")

    assert status == 0, output
    assert diary == []
    assert "The journal has nothing of that run to take back. Its runs: monday" in output
