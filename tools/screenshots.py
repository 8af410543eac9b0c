"""The pictures of the report in the README: a fleet and a host, made from recorded evidence of real kernels.

python tools/screenshots.py        writes docs/images of the collection
"""

from __future__ import annotations

import io
import pathlib
import sys
import tempfile

from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "collections"), str(ROOT / "tests/browser")]

import chromium  # noqa: E402
import fleets  # noqa: E402

IMAGES = ROOT / "collections/ansible_collections/memops/linux/docs/images"
PATIENCE_MILLISECONDS = 120_000
LARGEST_BYTES = 200_000
#: file -> (where on the page, size of the window in pixels)
PICTURES = {"fleet.png": ("", (1180, 1000)), "host.png": ("host-anon-swap-full.bookworm-6.1", (1180, 1560))}


def main() -> int:
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="memops-pictures-") as folder, chromium.browser() as browser:
        page = fleets.recorded_fleet(pathlib.Path(folder))
        for name, (host, (width, height)) in PICTURES.items():
            window = browser.new_page(viewport={"width": width, "height": height}, color_scheme="light")
            window.set_default_timeout(PATIENCE_MILLISECONDS)
            window.goto(chromium.address(page))
            if host:
                window.locator("[name=text]").fill(host)
                window.get_by_role("link", name=host, exact=True).first.click()
                window.locator(".host.open").wait_for()
            window.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
            (IMAGES / name).write_bytes(smaller(window.screenshot()))
            size = (IMAGES / name).stat().st_size
            if size > LARGEST_BYTES:
                print(f"{name} has {size} bytes, more than {LARGEST_BYTES}", file=sys.stderr)
                return 1
            print(f"{name}: {size / 1000:.0f} kB")
    return 0


def smaller(png: bytes) -> bytes:
    """The same picture with 255 colours, the far apart ones kept; nearly all others are edges of letters."""
    packed = io.BytesIO()
    with Image.open(io.BytesIO(png)) as picture:
        picture.convert("RGB").quantize(255, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(packed, "PNG", optimize=True)
    return packed.getvalue()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except chromium.NoBrowser as reason:
        sys.exit(str(reason))
