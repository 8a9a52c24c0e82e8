"""Proba-V products in HDF5: Level 2A (segments), Level 3 (syntheses), and our own conversions.

`layout` knows where things lie and what the numbers mean, `status` decodes the status map,
`product` reads windows. Of a product's four bands all are missing where one is: the networks that
read Proba-V need all of them.

Where pixels lie: a dataset's MAPPING holds `projection, 0.5, 0.5, longitude, latitude, step, step,
datum, units` of its upper left pixel, and 0.5 means that longitude and latitude are those of the
pixel's *centre*. So read the products' own makers: VITO's Matlab reader (PROBA-V-S1-S10-product,
`pv_read.m`) writes them into ENVI headers as the place of pixel (1.5, 1.5), which is the centre
in ENVI's counting, and ESA's SNAP takes the corner coordinates beside them for pixel centres: the
step is their distance over one pixel less than the width. The published conversion program writes
and reads the corner of the pixel instead, though it says 0.5; it is half a pixel (166 m in 333 m
products) off on real ones. Its files are known by their `class_image`; where they have
a `GeoTransform`, which by GDAL's definition is the corner's, that tells which of the two it is.
"""

from __future__ import annotations

from nndacss.readers.probav.layout import BANDS
from nndacss.readers.probav.product import Product, open_product

__all__ = ["BANDS", "Product", "open_product"]
