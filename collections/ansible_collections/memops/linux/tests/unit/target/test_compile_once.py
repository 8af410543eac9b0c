# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Imports from an archive: the same modules, each compiled once; elsewhere nothing changes."""

import builtins
import sys
import zipfile
from zipimport import zipimporter

import pytest

from ansible_collections.memops.linux.plugins.module_utils.collection import compile_once


@pytest.fixture
def archive(tmp_path, monkeypatch):
    path = tmp_path / "sent.zip"
    with zipfile.ZipFile(str(path), "w") as zipped:
        zipped.writestr("sent_here/__init__.py", "from .inner import VALUE\n")
        zipped.writestr("sent_here/inner.py", "VALUE = 7\nWHERE = __file__\n")
        zipped.writestr("left_alone.py", "VALUE = 8\n")
    monkeypatch.setattr(sys, "path", [str(path)] + sys.path)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    yield str(path)
    for name in ("sent_here", "sent_here.inner", "left_alone"):
        sys.modules.pop(name, None)


def test_a_package_from_an_archive_is_the_same_and_its_files_are_found_in_traces(archive):
    sys.meta_path.insert(0, compile_once._Importer("sent_here", zipimporter(archive)))

    import sent_here.inner

    assert (7, archive + "/sent_here/inner.py") == (sent_here.VALUE, sent_here.inner.WHERE)
    assert type(sent_here.inner.__loader__).__name__ == "_Importer"


def test_each_file_is_compiled_once(archive, monkeypatch):
    compiled = []
    compile_for_real = builtins.compile

    def counted(source, filename, *arguments, **options):
        compiled.append(filename)
        return compile_for_real(source, filename, *arguments, **options)

    monkeypatch.setattr(builtins, "compile", counted)
    sys.meta_path.insert(0, compile_once._Importer("sent_here", zipimporter(archive)))

    __import__("sent_here.inner")

    assert [name for name in compiled if name.startswith(archive)] == [archive + "/sent_here/__init__.py", archive + "/sent_here/inner.py"]


def test_what_lies_elsewhere_and_what_is_not_there_is_left_to_python(archive):
    importer = compile_once._Importer("sent_here", zipimporter(archive))

    assert importer.find_spec("left_alone") is None
    assert importer.find_spec("sent_here.missing") is None


def test_without_an_archive_nothing_is_installed(monkeypatch):
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    before = list(sys.meta_path)

    compile_once.install("ansible_collections.memops", __loader__)

    assert sys.meta_path == before
