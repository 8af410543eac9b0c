"""The words that start a machine. Pure: a platform and the names of files in, an argument list out."""

from __future__ import annotations

import dataclasses
import pathlib

from . import monitor
from .platforms import Platform

#: Of the folder of a machine.
PIDFILE, SERIAL, KEY, HOST_KEY, ROOT_DISK = "qemu.pid", "serial.log", "key", "host_key", "root.qcow2"
PSTORE, PSTORE_BYTES = "pstore", 1024 * 1024
#: The guest takes its keys from there; see guest/finish.sh.
FIRMWARE_NAME = "opt/memops.lab"


@dataclasses.dataclass(frozen=True)
class DirectKernel:
    vmlinuz: pathlib.Path
    initrd: pathlib.Path


def qemu_arguments(platform: Platform, folder: pathlib.Path, hostname: str, accelerator: str, kernel: DirectKernel | None) -> list[str]:
    """All but the program. ``accelerator`` is kvm or tcg; without a kernel the disk's own boot loader starts the machine."""
    kvm = accelerator == "kvm"
    words = [
        *("-name", f"memops-lab-{hostname}", "-pidfile", str(folder / PIDFILE)),
        *("-machine", "pc,vmport=off", "-accel", "kvm" if kvm else "tcg,thread=multi"),
        *("-cpu", "host" if kvm else "max", "-smp", str(platform.vcpus), "-m", f"{platform.memory_mib}M"),
        *_numa(platform),
        *("-nodefaults", "-no-user-config", "-display", "none", "-vga", "none"),
        *("-chardev", f"file,id=serial,path={_escaped(folder / SERIAL)}", "-serial", "chardev:serial"),
        *("-qmp", f"unix:{monitor.SOCKET},server=on,wait=off"),
        *("-netdev", "user,id=net,hostfwd=tcp:127.0.0.1:0-:22,restrict=on", "-device", "virtio-net-pci,netdev=net,romfile="),
        *("-object", "rng-random,id=random,filename=/dev/urandom", "-device", "virtio-rng-pci,rng=random"),
        *("-device", "virtio-balloon-pci,id=balloon"),
        # A panic's last words outlive the reboot, as in a server's firmware: the guest's /sys/fs/pstore.
        *("-object", f"memory-backend-file,id=pstore,size={PSTORE_BYTES},mem-path={_escaped(folder / PSTORE)},share=on"),
        *("-device", "acpi-erst,memdev=pstore"),
        *_drive(0, folder / ROOT_DISK, platform.disk_write_bytes_per_second),
    ]
    for number, disk in enumerate(platform.disks, start=1):
        words += _drive(number, folder / extra_disk(number), disk.write_bytes_per_second)
    if kernel:
        words += ["-kernel", str(kernel.vmlinuz), "-initrd", str(kernel.initrd), "-append", kernel_command_line(platform, hostname)]
        words += ["-fw_cfg", f"name={FIRMWARE_NAME}/authorized_keys,file={_escaped(folder / KEY)}.pub"]
        words += ["-fw_cfg", f"name={FIRMWARE_NAME}/host_key,file={_escaped(folder / HOST_KEY)}"]
    else:
        # cloud-init's NoCloud seed: a volume of that label, made by QEMU from a folder.
        words += ["-drive", f"driver=vvfat,dir={_escaped(folder / 'seed')},label=CIDATA,read-only=on,if=virtio"]
    return words


def kernel_command_line(platform: Platform, hostname: str) -> str:
    fixed = "root=/dev/vda rootfstype=ext4 rw console=ttyS0 fsck.mode=skip random.trust_cpu=on mitigations=off panic=10"
    return f"{fixed} systemd.hostname={hostname} {platform.append}".strip()


def extra_disk(number: int) -> str:
    return f"disk{number}.raw"


def _drive(number: int, path: pathlib.Path, write_bytes_per_second: int | None) -> list[str]:
    throttle = f",throttling.bps-write={write_bytes_per_second}" if write_bytes_per_second else ""
    form = "qcow2" if path.suffix == ".qcow2" else "raw"
    drive = f"id=disk{number},if=none,format={form},cache=unsafe,discard=unmap,file={_escaped(path)}{throttle}"
    return ["-drive", drive, "-device", f"virtio-blk-pci,drive=disk{number},serial=lab{number}"]


def _numa(platform: Platform) -> list[str]:
    nodes = platform.numa_nodes
    if nodes == 1:
        return []
    words = []
    for node in range(nodes):
        memory = platform.memory_mib * (node + 1) // nodes - platform.memory_mib * node // nodes
        first, after = platform.vcpus * node // nodes, platform.vcpus * (node + 1) // nodes
        words += ["-object", f"memory-backend-ram,id=node{node},size={memory}M"]
        words += ["-numa", f"node,nodeid={node},cpus={first}-{after - 1},memdev=node{node}"]
    return words


def _escaped(path: pathlib.Path) -> str:
    """In QEMU's option lists a comma is written twice."""
    return str(path).replace(",", ",,")
