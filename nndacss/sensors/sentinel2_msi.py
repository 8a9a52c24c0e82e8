"""Sentinel-2 MSI.

Wavelengths: ESA Sentinel-2 Spectral Response Functions (S2-SRF, COPE-GSEG-EOPG-TN-15-0007),
Sentinel-2A centre wavelengths and bandwidths in micrometres.
"""

from __future__ import annotations

from nndacss.sensors import Band, Sensor

SENSOR = Sensor(
    name="sentinel2_msi",
    platforms=("sentinel-2a", "sentinel-2b", "sentinel-2c"),
    bands=(
        Band("coastal", "B01", 0.443, 0.021, 60),
        Band("blue", "B02", 0.492, 0.066, 10),
        Band("green", "B03", 0.560, 0.036, 10),
        Band("red", "B04", 0.665, 0.031, 10),
        Band("rededge071", "B05", 0.704, 0.015, 20),
        Band("rededge075", "B06", 0.741, 0.015, 20),
        Band("rededge078", "B07", 0.783, 0.020, 20),
        Band("nir", "B08", 0.833, 0.106, 10),
        Band("nir08", "B8A", 0.865, 0.021, 20),
        Band("nir09", "B09", 0.945, 0.020, 60),
        Band("cirrus", "B10", 1.374, 0.031, 60),
        Band("swir16", "B11", 1.614, 0.091, 20),
        Band("swir22", "B12", 2.202, 0.175, 20),
    ),
)
