"""The pages that are written from the code say what the code says."""

from __future__ import annotations

import importlib.util

from checkout import ROOT


def test_the_generated_pages_are_those_that_make_docs_writes():
    spec = importlib.util.spec_from_file_location("make_docs", ROOT / "tools/make_docs.py")
    make_docs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make_docs)

    stale = [str(path.relative_to(ROOT)) for path, text in make_docs.pages().items() if not path.exists() or path.read_text() != text]

    assert stale == [], "run `make docs`"
