# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Text of hosts on its way into HTML, data of a page, and the policy that forbids what slips through."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from markupsafe import Markup

from ..terminal import printable


def shown(value: Any) -> Any:
    """What a template puts out: text on one line with what is not printable (ANSI, direction overrides, lone surrogates) escaped; markup as it is."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def data_block(document: Any) -> Markup:
    """JSON for a script element of type application/json: nothing in it can end the element or begin a comment."""
    text = json.dumps(document, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def policy(style: str, script: str) -> str:
    """The page's Content-Security-Policy: no source at all but these two texts."""
    return f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; base-uri 'none'; form-action 'none'"


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
