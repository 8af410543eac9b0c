"""The outage that memops began with, and no hand on it: dirty page cache kills, an alert, the remedy, and the same load finishes."""

from __future__ import annotations

import json
import re

import pytest
import yaml
from checkout import ROOT, ansible
from end_to_end.site import Site, read

SCENARIO = ROOT / "molecule/dirty_page_cache"
WRITERS = 8
REMEDY = ("vm.dirty_bytes", "vm.dirty_background_bytes")
VARIABLES = {
    "respond_policy": "remediate",
    "respond_allowed_groups": ["watched"],
    "respond_allowed_variables": [f"vm_tunables_overrides.{name}" for name in REMEDY],
}


@pytest.mark.long
def test_writers_that_die_of_dirty_page_cache_finish_after_the_alert_without_a_hand(site, figures, capsys):
    (copier,) = yaml.safe_load((SCENARIO / "molecule.yml").read_text())["platforms"]
    here = site(copier["platform"], VARIABLES, **copier["set"])
    as_it_was = settings(here)
    write(here, "before")
    response = read(here.answer_to("HostOomKill"))
    before = killed(here, "before")
    write(here, "after")
    after = killed(here, "after")

    assert before
    assert (response["verdict"]["kind"], response["verdict"]["cause"], response["verdict"]["confidence"]) == ("memcg_oom", "dirty_page_cache", "certain")
    assert (response["remediation"] or {}).get("outcome") == "applied", (response["decision"], response["remediation"])
    wanted = {setting["key"]: str(setting["value"]) for setting in response["remediation"]["settings"]}
    assert set(wanted) == set(REMEDY)
    assert settings(here) == wanted != as_it_was

    changes = [json.loads(line) for line in here.guest.run("cat /var/lib/memops/changes.jsonl").splitlines()]
    assert [(change["key"], str(change["new"])) for change in changes if change["key"] in REMEDY] == sorted(wanted.items())
    assert {change["run"] for change in changes} == {response["remediation"]["run"]}, "changed once, whatever alerts came"
    assert any(notice["title"] == "web1: remedied (HostOomKill)" for notice in here.told)

    assert (after, finished(here, "after")) == (set(), {f"writer-after-{number}" for number in range(WRITERS)})
    set_to = ", ".join(f"{name} = {value}" for name, value in wanted.items())
    rows = [
        ("killed before", f"{len(before)} of {WRITERS}"),
        ("set by the runbook", set_to),
        ("killed after, under the same load", f"{len(after)} of {WRITERS}"),
    ]
    figures("the seed case heals by itself", ["writers", ""], rows, here.guest.told)
    with capsys.disabled():
        print("".join(f"\n  {name}: {said}" for name, said in rows))


def write(here: Site, when: str) -> None:
    """The load of the scenario dirty_page_cache: it returns when each writer has finished or is dead."""
    play = [{"hosts": "all", "gather_facts": False, "tasks": [{"include_tasks": str(SCENARIO / "tasks/writers.yml"), "vars": {"writers_round": when}}]}]
    (here.folder / "load.yml").write_text(yaml.safe_dump(play))
    (here.folder / "files").unlink(missing_ok=True)
    (here.folder / "files").symlink_to(SCENARIO / "files")
    told = ansible("ansible-playbook", str(here.folder / "load.yml"), "-i", str(here.service.inventory), home=here.folder)
    assert told.returncode == 0, told.stdout + told.stderr


def killed(here: Site, when: str) -> set[str]:
    """Units of that round out of which the kernel killed a task."""
    return set(re.findall(rf"oom-kill:.*,task_memcg=/system\.slice/(writer-{when}-\d)\.service,", here.guest.kernel_log()))


def finished(here: Site, when: str) -> set[str]:
    asked = f"systemctl show --property=Id --property=Result --property=ExecMainCode --property=ExecMainStatus 'writer-{when}-*.service'"
    units = [dict(line.split("=", 1) for line in block.splitlines()) for block in here.guest.run(asked).split("\n\n")]
    return {unit["Id"].removesuffix(".service") for unit in units if (unit["Result"], unit["ExecMainCode"], unit["ExecMainStatus"]) == ("success", "1", "0")}


def settings(here: Site) -> dict[str, str]:
    return {name: here.guest.run(f"cat /proc/sys/{name.replace('.', '/')}").strip() for name in REMEDY}
