"""The catalogue: which machine a platform's name stands for. Data in platforms.yml, read and checked here."""

from __future__ import annotations

import dataclasses
import functools
import pathlib
import typing

import yaml

from .errors import LabError

CATALOGUE = pathlib.Path(__file__).with_name("platforms.yml")


@dataclasses.dataclass(frozen=True)
class ImageRecipe:
    """What a root disk is made of. Two equal recipes are one image."""

    suite: str
    kernel: str
    kernel_version: str
    security: bool
    expired_release: bool
    packages: tuple[str, ...]
    disk_mib: int


@dataclasses.dataclass(frozen=True)
class Disk:
    size_mib: int
    write_bytes_per_second: int | None = None


@dataclasses.dataclass(frozen=True)
class Platform:
    """A machine to be. Memory in MiB, as QEMU takes it; throttles in bytes per second."""

    name: str
    image: ImageRecipe
    cgroup: int
    memory_mib: int
    vcpus: int
    disk_write_bytes_per_second: int | None
    disks: tuple[Disk, ...]
    numa_nodes: int
    append: str
    tcg_qemu: int


@functools.cache
def _catalogue() -> dict[str, typing.Any]:
    return yaml.safe_load(CATALOGUE.read_text(encoding="utf-8"))


def names() -> list[str]:
    """The platforms there are, in the catalogue's order (oldest kernel first)."""
    return list(_catalogue()["platforms"])


def load(name: str, changes: typing.Mapping[str, typing.Any] | None = None) -> Platform:
    """The platform of that name, with ``changes`` to its keys; an added ``append`` comes after the platform's own.

    Raises LabError for a name or key that there is not, or a value of the wrong kind.
    """
    catalogue = _catalogue()
    if name not in catalogue["platforms"]:
        raise LabError(f"There is no platform {name!r}. There are: {', '.join(names())}.")
    keys = {**catalogue["defaults"], "kernel": None, "packages": [], **catalogue["platforms"][name]}
    for key, value in (changes or {}).items():
        if key not in keys or key in ("image", "cgroup"):
            raise LabError(f"A platform has no key {key!r} that can be changed. There are: {', '.join(sorted(set(keys) - {'image', 'cgroup'}))}.")
        keys[key] = f"{keys[key]} {value}".strip() if key == "append" else value
    for key in ("memory_mib", "vcpus", "disk_mib", "numa_nodes"):
        if not isinstance(keys[key], int) or keys[key] < 1:
            raise LabError(f"{key} must be a whole number of at least 1, not {keys[key]!r}.")
    if keys["numa_nodes"] > min(keys["vcpus"], keys["memory_mib"]):
        raise LabError(f"{keys['numa_nodes']} NUMA nodes need as many vcpus; there are {keys['vcpus']}.")
    try:
        disks = tuple(Disk(**disk) for disk in keys["disks"])
    except TypeError as error:
        raise LabError(f"disks must be a list of {{size_mib, write_bytes_per_second}}: {error}") from error
    return Platform(
        name=name,
        image=_recipe(keys),
        cgroup=keys["cgroup"],
        memory_mib=keys["memory_mib"],
        vcpus=keys["vcpus"],
        disk_write_bytes_per_second=keys["disk_write_bytes_per_second"],
        disks=disks,
        numa_nodes=keys["numa_nodes"],
        append=keys["append"],
        tcg_qemu=keys["tcg_qemu"],
    )


def _recipe(keys: dict[str, typing.Any]) -> ImageRecipe:
    image = {**_catalogue()["image_defaults"], **_catalogue()["images"][keys["image"]]}
    return ImageRecipe(
        suite=image["suite"],
        kernel=keys["kernel"] or image["kernel"],
        kernel_version=image["kernel_version"],
        security=image["security"],
        expired_release=image["expired_release"],
        packages=tuple(sorted({*image["common_packages"], *image["packages"], *keys["packages"]})),
        disk_mib=keys["disk_mib"],
    )
