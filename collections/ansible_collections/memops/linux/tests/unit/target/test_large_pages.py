# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from ansible_collections.memops.linux.plugins.module_utils.collection.reading import Reader
from ansible_collections.memops.linux.plugins.module_utils.host import large_pages


def test_the_pool_that_takes_most_memory_stands_first(tmp_path):
    for size, total in (("2048", 100), ("1048576", 3)):
        folder = tmp_path / "sys/kernel/mm/hugepages" / ("hugepages-%skB" % size)
        folder.mkdir(parents=True)
        for name, count in (("nr", total), ("free", 2), ("resv", 1), ("surplus", 0)):
            (folder / (name + "_hugepages")).write_text("%d\n" % count)
    assert large_pages.pools(Reader(str(tmp_path))) == [
        {"size_bytes": 1 << 30, "total": 3, "free": 2, "reserved": 1, "surplus": 0},
        {"size_bytes": 2 << 20, "total": 100, "free": 2, "reserved": 1, "surplus": 0},
    ]


def test_the_bracketed_word_is_the_choice():
    assert large_pages.chosen("always defer defer+madvise [madvise] never\n") == "madvise"
    assert large_pages.chosen("always never") is None
    assert large_pages.chosen(None) is None
