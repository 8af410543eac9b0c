# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Programs of the host that is changed (swapon, systemctl, docker), bounded in time and output."""

import collections
import subprocess

ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "TZ": "UTC"}
OUTPUT_LIMIT = 1 << 20

#: status: of the program; 127 where there is no such program. output, errors: text.
Answer = collections.namedtuple("Answer", "status output errors")


class CommandError(Exception):
    """A program of the host did not do what it was asked; the text names it and says what it said."""


def ask(argv, timeout_seconds=60):
    """Run it, without a shell and without input, and give its Answer. Raises CommandError where it takes too long."""
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=ENVIRONMENT,
            timeout=timeout_seconds,
            check=False,
        )
    except FileNotFoundError:
        return Answer(127, "", "there is no %s on this host" % argv[0])
    except subprocess.TimeoutExpired:
        raise CommandError("%s did not end within %d s" % (" ".join(argv), timeout_seconds)) from None
    return Answer(done.returncode, _text(done.stdout), _text(done.stderr))


def do(argv, timeout_seconds=60):
    """Run it and give its output. Raises CommandError where it fails."""
    answer = ask(argv, timeout_seconds)
    if answer.status:
        raise CommandError("%s failed (%d): %s" % (" ".join(argv), answer.status, (answer.errors or answer.output).strip()[-500:] or "it said nothing"))
    return answer.output


def _text(data):
    return data[:OUTPUT_LIMIT].decode("utf-8", "replace")
