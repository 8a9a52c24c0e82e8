"""Small pictures of products for a page, and links to them."""

from __future__ import annotations

import base64
import io
import os
from pathlib import Path
from urllib.parse import quote

from PIL import Image, UnidentifiedImageError

#: Longer side, pixels.
SIDE = 180
#: What shows through where a picture has no data.
PAPER = (233, 230, 222)


def thumbnail(folder: Path) -> str | None:
    """A product's true colour with its mask over it, as a JPEG data URI; None without pictures."""
    for name in ("overlay", "after"):
        for path in sorted(folder.glob(f"*_{name}.png")):
            try:
                with Image.open(path) as picture:
                    return _uri(picture)
            except (OSError, UnidentifiedImageError):
                continue
    return None


def _uri(picture: Image.Image) -> str:
    small = picture.convert("RGBA")
    small.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    flat = Image.new("RGB", small.size, PAPER)
    flat.paste(small, mask=small.getchannel("A"))
    stream = io.BytesIO()
    flat.save(stream, format="JPEG", quality=82, optimize=True)
    return f"data:image/jpeg;base64,{base64.b64encode(stream.getvalue()).decode()}"


def link(product: Path, page: Path) -> str:
    """Address of a product's own report as seen from the folder of a page."""
    return quote(os.path.relpath(product / "report.html", page))
