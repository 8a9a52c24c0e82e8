"""Landsat-8/9 OLI and TIRS.

Wavelengths: USGS Landsat 8 Data Users Handbook (LSDS-1574), table 2-1 and the OLI in-band
relative spectral responses; centre and full width at half maximum in micrometres. OLI-2 and
TIRS-2 on Landsat-9 are built to the same bands (LSDS-2082).
"""

from __future__ import annotations

from nndacss.sensors import Band, Sensor

SENSOR = Sensor(
    name="landsat8_oli",
    platforms=("landsat-8", "landsat-9"),
    bands=(
        Band("coastal", "B1", 0.443, 0.016, 30),
        Band("blue", "B2", 0.482, 0.060, 30),
        Band("green", "B3", 0.561, 0.057, 30),
        Band("red", "B4", 0.655, 0.037, 30),
        Band("nir08", "B5", 0.865, 0.028, 30),
        Band("swir16", "B6", 1.609, 0.085, 30),
        Band("swir22", "B7", 2.201, 0.187, 30),
        Band("pan", "B8", 0.590, 0.172, 15),
        Band("cirrus", "B9", 1.373, 0.020, 30),
        Band("lwir11", "B10", 10.895, 0.588, 30),
        Band("lwir12", "B11", 12.005, 1.015, 30),
    ),
)
