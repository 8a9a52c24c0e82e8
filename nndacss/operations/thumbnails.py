"""Small pictures of products for a page, and links to them."""

from __future__ import annotations

import base64
import io

from PIL import Image, UnidentifiedImageError

from nndacss.operations.roots import Root

#: Longer side, pixels.
SIDE = 180
#: What shows through where a picture has no data.
PAPER = (233, 230, 222)


def thumbnail(root: Root, product: str) -> str | None:
    """A product's true colour with its mask over it, as a JPEG data URI; None without pictures."""
    for name in ("overlay", "after"):
        for file in sorted(file for file in root.files(product) if file.endswith(f"_{name}.png")):
            try:
                with Image.open(io.BytesIO(root.read(product, file) or b"")) as picture:
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
