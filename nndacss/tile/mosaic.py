"""Parts joined by a VRT: one raster to look at, no pixel copied."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nndacss.identity import drafted
from nndacss.tile.parts import Part
from nndacss.tile.run import Layer, part_file, write_error


def mosaic(parts: Sequence[Part], layer: Layer, folder: Path) -> Path:
    """Write `<folder>/<layer>.vrt` over the layer's parts; returns its path.

    Paths inside are relative, so the folder can be moved.
    """
    from osgeo import gdal  # no stubs; imported here so that geometry needs no system library

    gdal.UseExceptions()
    path = folder / f"{layer.name}.vrt"
    with drafted(path) as draft:
        sources = [str(part_file(folder, layer.name, part)) for part in parts]
        try:
            dataset = gdal.BuildVRT(str(draft), sources)
            if dataset is None:
                raise RuntimeError("the mosaic could not be written")
            for index, description in enumerate(layer.bands, start=1):
                band = dataset.GetRasterBand(index)
                band.SetDescription(description)
            dataset.FlushCache()
            del band, dataset
        except RuntimeError as error:
            raise write_error(folder, error) from error
    return path
