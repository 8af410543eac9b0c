# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The commonest prefix is read in one go, and says the same as when it is peeled off part by part."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.memops.linux.plugins.plugin_utils.log_lines import prefix
from ansible_collections.memops.linux.plugins.plugin_utils.log_lines.stamps import Clock

#: Among them what peeling takes for more than a host's name.
HOSTS = ["web1", "info", "error", "syslog-1", "10-ABC", "user.info", "a.log-7", "x|", "-", "journal-3", "2026-11-20", "Nov", "stdout", "[web1]", "<4>"]
TEXTS = [
    "x invoked oom-killer: gfp_mask=0x0", "[T123] abc", "[C0] x", "<6>abc", "  indented", "", "INFO: task x:1 blocked", "info: y", ", a", ": a",
    "[   12.000000] again", "Nov 20 10:00:00 web1 kernel: [ 1.000000] glued", "[  123]   0  1 2", "kernel: [ 3.000000] z", "err x", "[info] hello",
]  # fmt: skip


@given(
    st.sampled_from(["Nov 20 10:00:00", "Jan  1 00:00:00", "Feb 31 10:00:00", "Xyz 20 10:00:00", "Dec 45 99:99:99"]),
    st.sampled_from(HOSTS) | st.text(max_size=12),
    st.sampled_from([" kernel: ", "  kernel: ", " kernel:", " sshd[7]: "]),
    st.sampled_from(["[    1.000000]", "[12345.678901]", "[1234567890123.000000]", "[ 1.00]", "[]", ""]),
    st.sampled_from([" ", "  ", "", "\t"]),
    st.sampled_from(TEXTS) | st.text(max_size=30),
)
@settings(max_examples=2000, deadline=None)
def test_a_kernels_line_in_a_syslog_says_the_same_when_it_is_read_in_one_go(stamp, host, tag, uptime, space, text):
    line = prefix.cleaned(f"{stamp} {host}{tag}{uptime}{space}{text}")
    assert prefix.message(line, Clock(1.79e9)) == prefix._Peeling(line.lstrip(), Clock(1.79e9)).result()
