"""Which QEMU, which accelerator, and what is said where a program is missing."""

from __future__ import annotations

import json
import pathlib
import sys

import pytest
import yaml

from lab import acceleration, cloud_image, debian_image, emulator, platforms, programs, setup
from lab.errors import LabError


def qemu(tmp_path: pathlib.Path, body: str) -> emulator.Emulator:
    program = tmp_path / "qemu"
    program.write_text(f"#!{sys.executable}\nimport sys, time\n{body}\n")
    program.chmod(0o755)
    return emulator.Emulator((str(program),), (), {}, (10, 0))


@pytest.mark.parametrize(
    ("body", "works"),
    [
        ("print('[ 1.0] Run /init as init process', flush=True); time.sleep(60)", True),
        ("print('qemu: failed to set MSR 0x10a'); sys.exit(1)", False),
        ("print('Booting from ROM..', flush=True); time.sleep(60)", False),
    ],
    ids=["boots", "ends at once", "hangs in the boot loader"],
)
def test_kvm_is_used_where_it_boots_a_kernel(tmp_path, monkeypatch, body, works):
    monkeypatch.setattr(acceleration, "LIMIT_SECONDS", 2)

    assert acceleration._boots(qemu(tmp_path, body), tmp_path / "vmlinuz", tmp_path / "initrd") is works


def test_what_was_found_out_about_kvm_holds_until_the_next_boot(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv(acceleration.CHOICE, raising=False)
    monkeypatch.setattr(acceleration.os, "access", lambda path, mode: True)
    tries = []
    monkeypatch.setattr(acceleration, "_boots", lambda *arguments: not tries.append(arguments))
    asked = (emulator.Emulator((), (), {}, (10, 0)), tmp_path / "vmlinuz", tmp_path / "initrd")

    assert [acceleration.choose(*asked) for _ in range(3)] == ["kvm"] * 3
    assert len(tries) == 1
    known = tmp_path / "memops/lab/kvm.json"
    known.write_text(json.dumps({"boot": "another", "works": False}))
    assert acceleration.choose(*asked) == "kvm"
    assert len(tries) == 2


@pytest.mark.parametrize(("here", "oldest", "own"), [((10, 0), 10, False), ((7, 2), 0, False), ((7, 2), 10, True), (None, 0, True)])
def test_the_system_s_qemu_is_preferred_where_it_is_new_enough(monkeypatch, here, oldest, own):
    system = here and emulator.Emulator(("system",), (), {}, here)
    monkeypatch.setattr(emulator, "_of_the_system", lambda: system)
    monkeypatch.setattr(emulator, "_own", lambda: emulator.Emulator(("own",), (), {}, (10, 0)))
    monkeypatch.setattr(emulator.programs, "find", lambda program: program)

    assert emulator.find(oldest).machine == (("own",) if own else ("system",))


def test_where_no_qemu_can_be_had_the_package_is_named(monkeypatch):
    monkeypatch.setattr(emulator.programs, "find", lambda program: None)

    with pytest.raises(LabError, match=r"there is none here: install a newer qemu-system-x86, or mmdebstrap"):
        emulator.find(10)


@pytest.mark.parametrize(("program", "package"), sorted(programs.PACKAGES.items()))
def test_a_missing_program_is_said_with_its_package(monkeypatch, program, package):
    monkeypatch.setattr(programs, "find", lambda name: None)

    with pytest.raises(LabError, match=f"{program} is needed to test.*package {package}"):
        programs.need(program, "test")


def test_setup_without_apt_says_what_to_install(monkeypatch):
    monkeypatch.setattr(setup.programs, "find", lambda name: None)

    with pytest.raises(LabError, match=r"e2fsprogs, mmdebstrap, .*there is no apt-get here"):
        setup.install()


def test_a_suite_without_security_support_asks_for_none_of_it():
    bullseye, bookworm = (debian_image.mmdebstrap_options(platforms.load(name).image) for name in ("bullseye-5.10-v1", "bookworm-6.1"))

    assert any("/security/d" in option for option in bullseye)
    assert not any("/security/d" in option for option in bookworm)


def test_the_cloud_seed_lets_the_run_s_key_in_and_shows_the_key_we_expect(tmp_path):
    (tmp_path / "host_key.pub").write_text("ssh-ed25519 HOSTPUBLIC memops-lab\n")

    cloud_image.write_seed(tmp_path / "seed", "name", "ssh-ed25519 RUN memops-lab\n", "PRIVATE\n")

    user = (tmp_path / "seed/user-data").read_text()
    assert user.startswith("#cloud-config\n")
    data = yaml.safe_load(user)
    assert data["users"][0] == {"name": "root", "ssh_authorized_keys": ["ssh-ed25519 RUN memops-lab"]}
    assert data["ssh_keys"] == {"ed25519_private": "PRIVATE\n", "ed25519_public": "ssh-ed25519 HOSTPUBLIC memops-lab"}
    assert yaml.safe_load((tmp_path / "seed/meta-data").read_text())["local-hostname"] == "name"
