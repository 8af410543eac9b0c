"""Run the target half's unit tests under every Python from 3.6 to 3.13 that is installed.

What runs on an examined host must run on the oldest platform Python in use, so
its tests are run under the real interpreters. One that is not installed is
named, never passed over in silence. Run it as ``make targets``.
"""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TESTS = ROOT / "collections/ansible_collections/memops/linux/tests/unit/target"
VERSIONS = [f"3.{minor}" for minor in range(6, 14)]
#: The last tools for a Python that they have left behind; the pip it came with does not find them by itself.
LAST_PIP = {"3.6": "pip<22"}
LAST_PYTEST = {"3.6": "pytest<7.1", "3.7": "pytest<8", "3.8": "pytest<8.4", "3.9": "pytest<9"}


def interpreter(version: str) -> str | None:
    """A Python of this version: on the PATH, or installed by pyenv beside its shims."""
    candidates = [shutil.which(f"python{version}")]
    for folder in os.get_exec_path():
        if pathlib.Path(folder).name == "shims":
            versions = pathlib.Path(folder).parent / "versions"
            candidates += [str(path) for path in versions.glob(f"{version}.*/bin/python{version}")]
    return next((path for path in candidates if path and _speaks(path, version)), None)


def _speaks(path: str, version: str) -> bool:
    """A pyenv shim answers for versions that it cannot run, so each is asked."""
    told = subprocess.run([path, "-c", "import sys, ensurepip; print('%d.%d' % sys.version_info[:2])"], capture_output=True, text=True)
    return told.returncode == 0 and told.stdout.strip() == version


def environment(version: str, python: str) -> pathlib.Path:
    """A virtual environment with pytest, made once for each version."""
    folder = ROOT / ".venv-targets" / version
    ready = folder / ".ready"
    if not ready.exists():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([python, "-m", "venv", str(folder)], check=True)
        install = [str(folder / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        if version in LAST_PIP:
            subprocess.run([*install, "--upgrade", LAST_PIP[version]], check=True)
        subprocess.run([*install, LAST_PYTEST.get(version, "pytest")], check=True)
        ready.touch()
    return folder / "bin/python"


def run(version: str) -> str | None:
    """The last line of pytest's output, or None where the version is not installed.

    Raises SystemExit with the output of a run that failed.
    """
    python = interpreter(version)
    if python is None:
        return None
    command = [str(environment(version, python)), "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(TESTS), str(TESTS)]
    variables = {**os.environ, "PYTHONPATH": str(ROOT / "collections"), "PYTHONDONTWRITEBYTECODE": "1"}
    told = subprocess.run(command, capture_output=True, text=True, env=variables, cwd=ROOT)
    if told.returncode:
        sys.exit(f"Python {version}: the target tests failed\n{told.stdout}{told.stderr}")
    return next((line for line in reversed(told.stdout.splitlines()) if re.search(r"\d+ passed", line)), None)


def main() -> None:
    """Print one line for each version; fail if none could be tested."""
    tested = 0
    for version in VERSIONS:
        outcome = run(version)
        tested += outcome is not None
        print(f"target tests, Python {version}: {outcome or 'not installed, not tested'}", flush=True)
    if not tested:
        sys.exit("no Python from 3.6 to 3.13 with venv was found, so nothing was tested")


if __name__ == "__main__":
    main()
