"""Proba-V's vegetation instrument.

Wavelengths: mean over the three cameras as the product catalogue gives them (Earth Engine data
catalogue, VITO/PROBAV, from the PROBA-V Products User Manual), centre and full width at half
maximum in micrometres. Metres: ground sampling at nadir of the central camera, about 100 m for
the three visible and near infrared bands and 200 m for the short-wave infrared (Dierckx et al.
2014, doi:10.1080/01431161.2014.883097); products are gridded to 1/1008, 1/336 or 1/112 degree.
"""

from __future__ import annotations

from nndacss.sensors import Band, Sensor

SENSOR = Sensor(
    name="probav",
    platforms=("proba-v",),
    bands=(
        Band("blue", "BLUE", 0.460, 0.042, 100),
        Band("red", "RED", 0.658, 0.082, 100),
        Band("nir", "NIR", 0.834, 0.121, 100),
        Band("swir16", "SWIR", 1.610, 0.089, 200),
    ),
)
