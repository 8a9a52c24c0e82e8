"""Landsat-7 Enhanced Thematic Mapper Plus, of which only labelled test images are read here.

Wavelengths: centre and width of the nominal band edges, micrometres (USGS, Landsat 4-7 band
designations: 0.45-0.52, 0.52-0.60, 0.63-0.69, 0.77-0.90, 1.55-1.75, 2.08-2.35). Its near infrared
is as broad as Sentinel-2's B08.
"""

from __future__ import annotations

from nndacss.sensors import Band, Sensor

SENSOR = Sensor(
    name="landsat7_etm",
    platforms=("landsat-7",),
    bands=(
        Band("blue", "B1", 0.485, 0.07, 30),
        Band("green", "B2", 0.560, 0.08, 30),
        Band("red", "B3", 0.660, 0.06, 30),
        Band("nir", "B4", 0.835, 0.13, 30),
        Band("swir16", "B5", 1.650, 0.20, 30),
        Band("swir22", "B7", 2.215, 0.27, 30),
    ),
    push_broom=False,
)
