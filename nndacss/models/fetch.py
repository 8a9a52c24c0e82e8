"""Published harmonizer weights into our own form: `python -m nndacss.models.fetch`.

Reads a foreign weights file (no foreign code is run), checks every layer against the variant, and
writes `<folder>/deep_harmonization_<variant>.safetensors` with its card.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from nndacss.download import checksum
from nndacss.errors import InputError, NndacssError, complain
from nndacss.models.card import save_weights
from nndacss.models.deep_variants import VARIANTS, Variant
from nndacss.models.harmonizer_card import INPUTS, HarmonizerCard

LICENCE = (
    "unknown: the weights' own licence could not be read (the authors' code is MIT); "
    "look at the page of the model before you pass them or products on"
)
NOTES = (
    "Trained on cloud-free images of Europe only: what it makes of cloud means nothing.",
    "Pan is Level-1 top-of-atmosphere reflectance, all else surface reflectance.",
    "That B8A (not B08) is its near infrared, and that the checkpoint was trained as the "
    "published configuration says, was inferred from the published code.",
)


def import_weights(
    file: Path, variant: Variant, folder: Path, url: str = "", sha256: str = ""
) -> HarmonizerCard:
    """Read `file`, check it, write weights and card; returns the card.

    InputError where the file has another sha256 than given, WeightsError where it cannot be read
    or its layers are not the variant's.
    """
    from nndacss.models.deep_harmonization import check_state
    from nndacss.models.foreign import load_foreign

    if not file.is_file():
        raise InputError(complain(file, "no such file", "a weights file", "check --file"))
    found = checksum(file)
    if sha256 and found != sha256.lower():
        remedy = "fetch the file again, or correct --sha256"
        raise InputError(complain(file, f"sha256 {found}", sha256.lower(), remedy))
    tensors = load_foreign(file)
    check_state(tensors, variant.depth, variant.up, str(file))
    source = {"file": file.name, "sha256": found}
    if url:
        source |= {"file": Path(urlsplit(url).path).name, "url": url}
    card = card_of(variant, source)
    return save_weights(card, tensors, folder / card.name)


def card_of(variant: Variant, source: Mapping[str, Any]) -> HarmonizerCard:
    """The card of a published variant whose weights came from `source`; sha256 still empty."""
    return HarmonizerCard(
        name=variant.title,
        purpose="Landsat-8/9 on the 10 m grid to Sentinel-2-like reflectance: one of the four "
        "published Deep-Harmonization networks; the published result is the mean of all four",
        roles=INPUTS,
        levels=("SR",),
        training={
            "data": "about 60,000 same-day Landsat-8 and Sentinel-2 pairs, Europe, cloud-free",
            "simulated": False,
            "by": "Sambandham et al. 2024, ISPRS J. Photogramm. Remote Sens. 212, 274-288",
            "source": dict(source),
        },
        licence=LICENCE,
        notes=NOTES,
        sha256="",
        family="deep_harmonization",
        architecture={"depth": variant.depth, "up": variant.up},
        deviation="ensemble",
        pan="synthetic",
        multiple=variant.multiple,
        reach=0,
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Import one file; 1 and one line on standard error where that cannot be done."""
    parser = argparse.ArgumentParser(description="Published harmonizer weights into our own form.")
    parser.add_argument("file", type=Path, help=".pth, .pt, .bin or .safetensors")
    parser.add_argument("folder", type=Path, help="where to write weights and card")
    parser.add_argument("--variant", choices=list(VARIANTS), required=True)
    parser.add_argument("--url", default="", help="where the file came from, for the card")
    parser.add_argument("--sha256", default="", help="of the file")
    given = parser.parse_args(argv)
    try:
        import_weights(given.file, VARIANTS[given.variant], given.folder, given.url, given.sha256)
    except NndacssError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
