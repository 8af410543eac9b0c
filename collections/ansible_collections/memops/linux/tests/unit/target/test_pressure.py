# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

import os

from ansible_collections.memops.linux.plugins.module_utils.collection.reading import Reader
from ansible_collections.memops.linux.plugins.module_utils.host import pressure

HOST = os.path.join(os.path.dirname(__file__), "..", "fixtures", "hosts", "linux-6.1-swap-full")


def test_a_thrashing_host_shows_the_share_of_time_lost_and_the_total_in_seconds():
    section = pressure.collect(Reader(HOST), None)
    assert section["memory"] == {
        "some": {"avg10": 9.77, "avg60": 5.15, "avg300": 1.36, "total_seconds": 4.601214},
        "full": {"avg10": 8.83, "avg60": 4.92, "avg300": 1.31, "total_seconds": 4.427229},
    }
    assert section["io"] and section["cpu"]


def test_full_is_null_where_the_kernel_prints_only_some():
    parsed = pressure.parse("some avg10=0.50 avg60=0.00 avg300=0.00 total=1500000\n")
    assert parsed == {"some": {"avg10": 0.5, "avg60": 0.0, "avg300": 0.0, "total_seconds": 1.5}, "full": None}


def test_text_that_is_no_psi_is_null():
    assert [pressure.parse(text) for text in (None, "", "some avg10=x")] == [None, None, None]


def test_a_kernel_without_psi_gives_nulls_and_one_reason(tmp_path):
    reader = Reader(str(tmp_path))
    assert pressure.collect(reader, None) == {"memory": None, "io": None, "cpu": None}
    assert reader.unreadable == [{"source": "/proc/pressure", "why": "no PSI: kernel without CONFIG_PSI, or psi=0"}]
