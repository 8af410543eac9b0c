#!/usr/bin/env bash
# ansible-test sanity for the collection: tests/run_sanity.sh BIN
# ansible-test makes its own environments with a get-pip.py that it downloads from a fixed address.
# Where that address is closed (air-gapped, behind a mirror), Python's own ensurepip does the same.
set -euo pipefail
bin=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."
home=${HOME:?}
export PATH="$bin:$PATH"
unset ANSIBLE_CONFIG

cache=$home/.ansible/test/cache
if [ ! -e "$cache/get_pip_24_2.py" ]; then
  mkdir -p "$cache"
  cat > "$cache/get_pip_24_2.py" <<'PY'
import runpy
import subprocess
import sys

subprocess.check_call([sys.executable, "-m", "ensurepip"])
sys.argv = ["pip", "install", *(word for word in sys.argv[1:] if word not in ("--no-setuptools", "--no-wheel"))]
runpy.run_module("pip", run_name="__main__")
PY
fi

cd collections/ansible_collections/memops/linux
exec ansible-test sanity --python "$(python -c 'import sys; print("%d.%d" % sys.version_info[:2])')" --color no
