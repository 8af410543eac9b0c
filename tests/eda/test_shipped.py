"""What ships beside the rulebook: the start program, the systemd unit, the execution environment, and what Ansible finds in the collection."""

from __future__ import annotations

import importlib.util
import os
import pathlib
import shutil
import subprocess
import sys

import pytest
import yaml
from checkout import COLLECTION, ROOT, ansible
from eda.service import RESPOND, Service, firing, free_port

spec = importlib.util.spec_from_file_location("respond", RESPOND)
respond = importlib.util.module_from_spec(spec)
spec.loader.exec_module(respond)


@pytest.fixture
def given(tmp_path):
    """The least that it takes."""
    (tmp_path / "hosts.yml").write_text("all: {hosts: {web1: {}}}\n")
    (tmp_path / "runbooks").mkdir()
    return {"RESPOND_INVENTORY": f"{tmp_path}/hosts.yml", "RESPOND_RUNBOOKS": f"{tmp_path}/runbooks", "RESPOND_STATE_DIR": f"{tmp_path}/state"}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"INVENTORY": ""}, "RESPOND_INVENTORY has to name the inventory"),
        ({"INVENTORY": "/no/such/inventory"}, "there is no /no/such/inventory"),
        ({"RUNBOOKS": "/no/such/folder"}, "RESPOND_RUNBOOKS has to name"),
        ({"PORT": "http"}, "RESPOND_PORT=http is no whole number from 1 to 65535"),
        ({"AT_ONCE": "0"}, "RESPOND_AT_ONCE=0"),
        ({"THROTTLE": "10m"}, "of the form `10 minutes`"),
        ({"RUN_LIMIT": "-1"}, "RESPOND_RUN_LIMIT=-1"),
    ],
)
def test_a_setting_that_is_wrong_is_named_with_what_it_should_be(given, settings, said):
    environment = given | {f"RESPOND_{name}": value for name, value in settings.items()}
    with pytest.raises(respond.CannotStart, match=said):
        respond.read_settings(environment, is_root=False)


def test_the_state_folder_is_of_the_machine_for_root_and_of_the_person_for_others(given):
    del given["RESPOND_STATE_DIR"]
    assert str(respond.read_settings(given, is_root=True).state_dir) == "/var/lib/memops/respond"
    assert respond.read_settings(given, is_root=False).state_dir == pathlib.Path.home() / ".local/state/memops"


@pytest.mark.parametrize(("java", "said"), [(None, "there is no Java.*openjdk-17"), ("11.0.2", "is not Java 17 or newer"), ("1.8.0_392", "not Java 17")])
def test_a_java_that_is_missing_or_old_is_named_with_how_to_install_one(tmp_path, java, said):
    if java:
        program = tmp_path / "bin" / "java"
        program.parent.mkdir()
        program.write_text(f"#!/bin/sh\necho 'openjdk version \"{java}\"' >&2\n")
        program.chmod(0o755)
    with pytest.raises(respond.CannotStart, match=said):
        respond.programs({"JAVA_HOME": str(tmp_path), "PATH": os.environ["PATH"]})


def start(given, *, listen="127.0.0.1", **settings):
    environment = given | {"RESPOND_PORT": str(free_port()), "RESPOND_LISTEN": listen, "PATH": os.environ["PATH"], "HOME": given["RESPOND_STATE_DIR"]}
    environment |= {f"RESPOND_{name}": str(value) for name, value in settings.items()}
    return subprocess.run([sys.executable, RESPOND], env=environment, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [
        ("a-long-enough-token", 0o644, "chmod o-rwx"),
        ("short", 0o600, "less than 16 characters"),
        ("a token with white space", 0o600, "without white space"),
    ],
)
def test_a_secret_that_protects_nothing_keeps_the_service_from_starting(given, tmp_path, text, mode, said):
    secret = tmp_path / "secret"
    secret.write_text(text)
    secret.chmod(mode)
    told = start(given, TOKEN_FILE=secret)
    assert told.returncode == 1
    assert said in told.stdout + told.stderr


def test_the_source_alone_never_listens_to_everybody_where_nobody_proves_who_they_are(given, tmp_path):
    """respond.py always sets a token; who starts ansible-rulebook without it is stopped by the source."""
    run = respond.prepare(respond.read_settings(given, is_root=False), {})
    variables = yaml.safe_load((run / "variables.yml").read_text()) | {"respond_token_file": "", "respond_listen": "0.0.0.0"}
    (run / "variables.yml").write_text(yaml.safe_dump(variables))
    command = ["ansible-rulebook", "-r", run / "alerts.yml", "--vars", run / "variables.yml", "-i", run / "inventory", "--persistence-id", "x"]
    environment = os.environ | {"ANSIBLE_COLLECTIONS_PATH": f"{ROOT}/collections", "PATH": f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}"}
    told = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert told.returncode == 1
    assert "nobody proves who they are and 0.0.0.0 is not a loopback address" in told.stdout + told.stderr


def test_what_the_service_keeps_is_for_its_user_alone(given):
    respond.prepare(respond.read_settings(given, is_root=False), {})
    kept = [path for path in pathlib.Path(given["RESPOND_STATE_DIR"]).rglob("*") if not path.is_symlink()]
    assert {path.name for path in kept} >= {"token", "alerts.yml", "variables.yml", "reports"}
    assert all(path.stat().st_mode & 0o077 == 0 for path in kept)


def test_the_throttle_of_the_rulebook_is_the_one_that_was_set(given):
    run = respond.prepare(respond.read_settings(given | {"RESPOND_THROTTLE": "2 hours"}, is_root=False), {})
    (rule,) = yaml.safe_load((run / "alerts.yml").read_text())[0]["rules"]
    assert rule["throttle"]["once_within"] == "2 hours"


def test_a_database_file_gives_ansible_rulebook_its_names(tmp_path):
    file = tmp_path / "database.yml"
    file.write_text("host: db\nport: 5432\nname: respond\nuser: memops\npassword: p\nsslmode: verify-full\n")
    file.chmod(0o600)
    assert respond.read_database(file) == {
        "drools_db_host": "db", "drools_db_port": 5432, "drools_db_name": "respond", "drools_db_user": "memops", "drools_db_password": "p",
        "drools_sslmode": "verify-full",
    }  # fmt: skip
    file.write_text("host: db\n")
    with pytest.raises(respond.CannotStart, match="at least host, port and name"):
        respond.read_database(file)
    file.chmod(0o604)
    with pytest.raises(respond.CannotStart, match="chmod o-rwx"):
        respond.read_database(file)


def test_systemd_understands_the_unit(tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("there is no systemd-analyze here")
    unit = (COLLECTION / "extensions/eda/memops-respond.service").read_text()
    runnable = unit.replace("/opt/memops/.venv/bin/python", sys.executable).replace("/opt/memops", str(ROOT)).replace("User=memops", "User=root")
    (tmp_path / "memops-respond.service").write_text(runnable)
    command = ["systemd-analyze", "verify", "--man=no", tmp_path / "memops-respond.service"]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "memops-respond.service" not in told.stderr, told.stderr


def test_ansible_builder_writes_the_context_of_the_execution_environment(tmp_path):
    shutil.copytree(ROOT / "execution-environment", tmp_path / "execution-environment")
    built = ansible("ansible-galaxy", "collection", "build", str(COLLECTION), "--output-path", str(tmp_path / "dist"), home=tmp_path)
    assert built.returncode == 0, built.stderr
    folder = tmp_path / "execution-environment"
    told = subprocess.run(
        [pathlib.Path(sys.executable).parent / "ansible-builder", "create", "--output-filename", "Containerfile"], cwd=folder, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stdout + told.stderr
    context = folder / "context"
    assert "memops-linux-1.0.0.tar.gz" in (context / "_build/requirements.yml").read_text()
    assert (context / "_build/collection/memops-linux-1.0.0.tar.gz").exists()
    assert "FROM $EE_BASE_IMAGE" in (context / "Containerfile").read_text()


def test_an_installed_collection_has_all_that_the_service_is_made_of(tmp_path):
    ansible("ansible-galaxy", "collection", "build", str(COLLECTION), "--output-path", str(tmp_path / "dist"), home=tmp_path)
    tarball = next((tmp_path / "dist").glob("*.tar.gz"))
    told = ansible("ansible-galaxy", "collection", "install", str(tarball), "--offline", "--force", "-p", str(tmp_path / "installed"), home=tmp_path)
    assert told.returncode == 0, told.stderr
    service = Service(tmp_path, {"web1": {}})
    service.program = tmp_path / "installed/ansible_collections/memops/linux/extensions/eda/respond.py"
    service.runbook("HostOomKill", "sleep 100")
    service.settings["RUN_LIMIT"] = 2
    try:
        service.start()
        service.send([firing("HostOomKill", "web1:9100")])
        service.until(lambda: "was ended at its limit of 2 s" in service.said(), "the runbook's end at its limit")
    finally:
        service.stop()
