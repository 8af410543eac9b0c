"""What remediate does and does not do, with roles that only say what they would do and a host's evidence that was recorded: no host is changed.

The evidence is of a host whose containers died of dirty page cache (kernel 5.10, cgroup v1); all that follows from it is real.
"""

from __future__ import annotations

import datetime
import json
import os
import pathlib
import shutil

import pytest
import yaml
from checkout import COLLECTION, ansible
from responding import listener, response
from test_enforce_flow import DRIFT, LOCAL, MODULE, changed
from test_enforce_flow import collection as roles_that_only_tell  # noqa: F401  (a fixture)

RECORDED = COLLECTION / "tests/unit/fixtures/evidence/bullseye-5.10-v1/memcg_dirty_page_cache.json"
DIRTY = {"vm.dirty_background_bytes": 4194304, "vm.dirty_bytes": 8388608}

#: In place of the module that examines this machine.
EVIDENCE = """
import base64, json, zlib
from ansible.module_utils.basic import AnsibleModule

module = AnsibleModule({name: {"type": "raw"} for name in ("since", "gather_subset")}, supports_check_mode=True)
evidence = dict(json.load(open("RECORDED"))["evidence"], schema="memops.evidence/1")
module.exit_json(changed=False, packed_evidence=base64.b64encode(zlib.compress(json.dumps(evidence).encode())).decode())
"""
#: In place of ssh to a host that goes away as soon as a role has been there: this machine, as long as there is no diary.
#: With a file back-soon it is away for one command only.
CONNECTION = """
DOCUMENTATION = "name: leaving" + chr(10) + "short_description: goes away" + chr(10) + "description: [goes away]" + chr(10) + "options: {}" + chr(10)
import os
from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.connection.local import Connection as Local


class Connection(Local):
    transport = "leaving"

    def exec_command(self, *arguments, **options):
        if os.path.exists("FOLDER/diary") and not os.path.exists("FOLDER/back"):
            if os.path.exists("FOLDER/back-soon"):
                os.rename("FOLDER/back-soon", "FOLDER/back")
            raise AnsibleConnectionFailure("gone")
        return super().exec_command(*arguments, **options)
"""
CONFIG = """
[defaults]
collections_path = ./collections
library = ./library
connection_plugins = ./connections
[inventory]
host_pattern_mismatch = error
"""
ALLOWED = {
    "respond_policy": "remediate",
    "respond_allowed_variables": ["vm_tunables_overrides"],
    "respond_allowed_groups": ["healed"],
    "respond_settle_seconds": 0,
    "respond_turn_wait_seconds": 0,
    "respond_leave_verdict": False,
    **changed(),
}


@pytest.fixture
def run(tmp_path, request):
    """Respond to an alert of these hosts, all in the group ``healed``; gives (exit status, output, diary of the roles)."""
    collection = request.getfixturevalue("roles_that_only_tell")
    shutil.copy(RECORDED, tmp_path / "recorded.json")
    (collection / "plugins/modules/evidence_info.py").write_text(EVIDENCE.replace("RECORDED", str(tmp_path / "recorded.json")))
    (tmp_path / "library").mkdir()
    (tmp_path / "library/said.py").write_text(MODULE)
    (tmp_path / "ansible.cfg").write_text(CONFIG)
    (tmp_path / "connections").mkdir()
    (tmp_path / "connections/leaving.py").write_text(CONNECTION.replace("FOLDER", str(tmp_path)))
    journal(tmp_path, {})

    def respond(hosts: dict, *arguments: str, **variables):
        diary = tmp_path / "diary"
        diary.unlink(missing_ok=True)
        shared = {"diary": str(diary), "respond_report_dir": str(tmp_path / "reports"), "respond_state_dir": str(tmp_path / "state"), **ALLOWED, **variables}
        inventory = tmp_path / "hosts.yml"
        inventory.write_text(json.dumps({"all": {"children": {"healed": {"hosts": hosts, "vars": shared}, "other": {}}}}))
        words = ["memops.linux.respond", "-i", str(inventory), "-e", "respond_alert=ContainerOomKill", *arguments]
        told = ansible("ansible-playbook", *words, home=tmp_path, cwd=tmp_path)
        lines = [json.loads(line) for line in diary.read_text().splitlines()] if diary.exists() else []
        return told.returncode, told.stdout + told.stderr, lines

    return respond


def journal(tmp_path: pathlib.Path, areas: dict) -> None:
    """What the host's journal says of the run."""
    (tmp_path / "journal.json").write_text(json.dumps({"runs": [], "chosen": {"run": "x", "areas": areas, "unknown_keys": []}}))


def of(tmp_path: pathlib.Path, host: str = "web1") -> dict:
    return response(tmp_path / "reports", host)


def real(diary: list[dict]) -> list[tuple[str, str, str]]:
    return [(line["host"], line["role"], line["state"]) for line in diary if line["real"]]


def record(tmp_path: pathlib.Path, *changes: tuple[int, str, str]) -> None:
    """Changes of so many seconds ago, of a host, with an outcome."""
    (tmp_path / "state").mkdir(exist_ok=True)
    lines = []
    for number, (ago, host, outcome) in enumerate(changes):
        at = (datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=ago)).isoformat()
        lines.append({"at": at, "event": "begun", "host": host, "run": f"run-{number}"})
        lines.append({"at": at, "event": "ended", "host": host, "run": f"run-{number}", "outcome": outcome})
    (tmp_path / "state/remediations.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def recorded(tmp_path: pathlib.Path) -> list[tuple[str, str, str | None]]:
    path = tmp_path / "state/remediations.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return [(line["event"], line["host"], line.get("outcome")) for line in lines]


def test_an_allowed_remedy_of_an_allowed_host_is_made_checked_and_told(run, tmp_path):
    with listener() as (address, told):
        status, output, diary = run({"web1": LOCAL}, respond_notify_urls=[address])

    document = of(tmp_path)
    assert status == 0, output
    assert real(diary) == [("web1", "vm_tunables", "applied")]
    assert diary[0]["values"] == ["none", DIRTY]
    assert diary[0]["diagnosis"].endswith("hosts/web1/diagnosis.json")
    assert [line["real"] for line in diary] == [True, False], "it is looked at again, in check mode"
    assert document["remediation"]["outcome"] == "applied"
    assert {setting["key"]: setting["value"] for setting in document["remediation"]["settings"]} == DIRTY
    assert document["remediation"]["run"] == diary[0]["run"]
    assert recorded(tmp_path) == [("begun", "web1", None), ("ended", "web1", "applied")]
    assert not (tmp_path / "state/remediation.holder.json").exists()
    assert told[0]["title"] == "web1: remedied (ContainerOomKill)"
    assert "Set: vm.dirty_background_bytes = 4194304, vm.dirty_bytes = 8388608" in told[0]["message"]
    assert f"rollback_run={diary[0]['run']}" in told[0]["message"]


def test_propose_writes_the_change_and_the_command_and_makes_nothing(run, tmp_path):
    status, output, diary = run({"web1": LOCAL}, respond_policy="propose")

    document = of(tmp_path)
    written = pathlib.Path(document["proposal"]["path"]).read_text()
    assert status == 0, output
    assert diary == []
    assert document["decision"]["code"] == "proposed"
    assert yaml.safe_load(written) == document["proposal"]["variables"] == {"vm_tunables_overrides": DIRTY}
    assert f"enforce_from={document['run']}" in document["proposal"]["command"]
    assert document["proposal"]["command"] in written
    assert "why:" in written
    assert "risk:" in written


def test_the_proposed_command_makes_the_change(run, tmp_path):
    run({"web1": LOCAL}, respond_policy="propose")
    _name, *words = of(tmp_path)["proposal"]["command"].split()

    told = ansible("ansible-playbook", *words, "-e", "enforce_settle_seconds=0", home=tmp_path, cwd=tmp_path)

    diary = [json.loads(line) for line in (tmp_path / "diary").read_text().splitlines()]
    assert told.returncode == 0, told.stdout
    assert real(diary) == [("web1", "vm_tunables", "applied")]


@pytest.mark.parametrize(
    ("variables", "why"),
    [
        pytest.param({"respond_allowed_groups": ["other"]}, "in none of the groups", id="a group that is not allowed"),
        pytest.param({"respond_allowed_groups": []}, "in none of the groups", id="no group"),
        pytest.param({"respond_allowed_variables": ["swap_devices"]}, "no setting that is asked for", id="a variable that is not allowed"),
        pytest.param({"respond_allowed_variables": []}, "no setting that is asked for", id="no variable"),
        pytest.param({"respond_allowed_variables": ["vm_tunables_overrides.vm.dirty_bytes"]}, "no setting that is asked for", id="half of the remedy"),
    ],
)
def test_what_is_not_allowed_is_only_proposed(run, tmp_path, variables, why):
    status, output, diary = run({"web1": LOCAL}, **variables)

    document = of(tmp_path)
    assert status == 0, output
    assert diary == []
    assert (document["decision"]["code"], document["remediation"]) == ("proposed", None)
    assert why in document["decision"]["why"]
    assert document["proposal"]["variables"] == {"vm_tunables_overrides": DIRTY}
    assert recorded(tmp_path) == []


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        pytest.param([(7200, "web1", "applied")], "respond_rate_host is 1", id="this host lately"),
        pytest.param([(60, "web2", "applied"), (50, "web3", "applied"), (40, "web4", "applied")], "respond_rate_fleet is 3", id="many hosts lately"),
        pytest.param([(60, "web2", "rolled_back")], "rolled back less than 3600 s ago", id="one that failed lately"),
    ],
)
def test_too_many_changes_are_not_made(run, tmp_path, changes, why):
    record(tmp_path, *changes)

    status, output, diary = run({"web1": LOCAL})

    document = of(tmp_path)
    assert status == 0, output
    assert diary == []
    assert document["remediation"]["outcome"] == "not_now"
    assert why in document["remediation"]["why"]
    assert len(recorded(tmp_path)) == 2 * len(changes)


def test_while_another_run_changes_a_host_none_is_changed(run, tmp_path):
    (tmp_path / "state").mkdir()
    begun = pathlib.Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]
    (tmp_path / "state/remediation.holder.json").write_text(json.dumps({"process": os.getpid(), "begun": begun, "host": "web9", "run": "other"}))

    status, output, diary = run({"web1": LOCAL})

    assert status == 0, output
    assert diary == []
    assert of(tmp_path)["remediation"]["outcome"] == "not_now"
    assert "web9 is being changed by run other" in of(tmp_path)["remediation"]["why"]


def test_hosts_of_one_run_are_changed_one_after_the_other(run, tmp_path):
    status, output, diary = run({"web1": LOCAL, "web2": LOCAL})

    assert status == 0, output
    assert [line["host"] for line in diary] == ["web1", "web1", "web2", "web2"]
    assert [event for event, _host, _outcome in recorded(tmp_path)] == ["begun", "ended", "begun", "ended"]


def test_when_the_check_after_it_fails_the_change_is_taken_back_told_and_no_other_host_is_changed(run, tmp_path):
    journal(tmp_path, {"tunables": []})
    says = {"says": {"changed": True, "drift": DRIFT, "changes": [{"key": "vm.dirty_bytes"}], "left_alone": [{"key": "vm.x", "why": "changed since"}]}}

    with listener() as (address, told):
        status, output, diary = run({"web1": LOCAL, "web2": LOCAL}, respond_notify_urls=[address], **{**changed(DRIFT), **says})

    document = of(tmp_path)
    assert status == 2, output
    assert real(diary) == [("web1", "vm_tunables", "applied"), ("web1", "vm_tunables", "rolled_back")]
    assert document["remediation"]["outcome"] == "rolled_back"
    assert document["remediation"]["why"] == "Not as wanted after the change: vm.swappiness."
    assert document["remediation"]["taken_back"] == ["vm.dirty_bytes"]
    assert document["remediation"]["left_alone"] == ["vm.x: changed since"]
    assert of(tmp_path, "web2")["remediation"]["outcome"] == "not_now"
    assert {one["title"] for one in told} == {"web1: remedy failed and was taken back (ContainerOomKill)", "web2: memory (ContainerOomKill)"}


def test_a_host_that_was_away_for_a_moment_of_the_change_is_as_before(run, tmp_path):
    journal(tmp_path, {"tunables": []})
    (tmp_path / "back-soon").touch()

    status, output, diary = run({"web1": {**LOCAL, "ansible_connection": "leaving"}})

    assert status == 2, output
    assert [state for _host, _role, state in real(diary)] == ["applied", "rolled_back"]
    assert of(tmp_path)["remediation"]["outcome"] == "rolled_back"


def test_a_container_with_a_hostile_name_is_a_name_in_the_change_and_in_the_proposal(run, tmp_path):
    name = "{{ lookup('ansible.builtin.pipe', 'touch " + str(tmp_path / "trace") + "') }}"
    container = RECORDED.with_name("container_anon.json").read_text()
    (tmp_path / "recorded.json").write_text(container.replace("memops-fault-1", json.dumps(name)[1:-1]))

    status, output, diary = run({"web1": LOCAL}, respond_allowed_variables=["docker_memory_container_limits"])

    document = of(tmp_path)
    assert status == 0, output
    assert [line["values"][0]["name"] for line in diary] == [name, name]
    assert "!unsafe" in pathlib.Path(document["proposal"]["path"]).read_text()
    assert not (tmp_path / "trace").exists()


def test_a_change_that_a_role_refuses_is_told_as_that(run, tmp_path):
    status, output, diary = run({"web1": {**LOCAL, "breaks": True}})

    document = of(tmp_path)
    assert status == 2, output
    assert real(diary) == [("web1", "vm_tunables", "applied")]
    assert (document["remediation"]["outcome"], document["remediation"]["why"]) == ("refused", "as the inventory wishes")


def test_a_rollback_that_fails_is_told_with_the_command_that_repeats_it(run, tmp_path):
    journal(tmp_path, {"tunables": []})

    with listener() as (address, told):
        status, output, _diary = run({"web1": {**LOCAL, "breaks": True}}, respond_notify_urls=[address])

    document = of(tmp_path)
    assert status == 2, output
    assert document["remediation"]["outcome"] == "rollback_failed"
    assert "Then taking it back failed: as the inventory wishes" in document["remediation"]["why"]
    assert "REMEDY FAILED AND COULD NOT BE TAKEN BACK" in told[0]["title"]
    assert f"To take it back: {document['remediation']['undo']}" in told[0]["message"]


def test_a_host_that_goes_away_in_the_middle_of_a_change_is_told_and_the_next_is_left_alone(run, tmp_path):
    with listener() as (address, told):
        status, output, diary = run({"web1": {**LOCAL, "ansible_connection": "leaving"}, "web2": LOCAL}, respond_notify_urls=[address])

    document = of(tmp_path)
    assert status != 0, output
    assert {line["host"] for line in diary} == {"web1"}
    assert document["remediation"]["outcome"] == "rollback_failed", output
    assert document["remediation"]["why"].startswith("The host could not be reached while it was being changed.")
    assert of(tmp_path, "web2")["remediation"]["outcome"] == "not_now"
    assert len(told) == 2


def test_check_mode_says_what_would_be_changed_and_records_nothing(run, tmp_path):
    status, output, diary = run({"web1": LOCAL}, "--check")

    assert status == 0, output
    assert real(diary) == []
    assert [line["role"] for line in diary] == ["vm_tunables"]
    assert of(tmp_path)["remediation"]["outcome"] == "would_change"
    assert recorded(tmp_path) == []


def test_where_the_record_cannot_be_kept_nothing_is_changed(run, tmp_path):
    (tmp_path / "state").write_text("not a folder")

    status, output, diary = run({"web1": LOCAL})

    assert status != 0
    assert diary == []
    assert "Nothing is changed without it" in output
