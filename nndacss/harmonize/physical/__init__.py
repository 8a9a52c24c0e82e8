"""The physical transform: Landsat-8 top-of-atmosphere reflectance as Proba-V would see it.

Published by Mateo-Garcia, Laparra, Lopez-Puigdollers and Gomez-Chova 2020, Transferring deep
learning models for cloud detection between Landsat-8 and Proba-V, ISPRS J. 160, 1-17,
doi:10.1016/j.isprsjprs.2019.11.024:

    mix       coastal and blue to Proba-V's broad BLUE; RED, NIR and SWIR are B4, B5 and B6
    psf       each band as blurred as Proba-V sees it, on every third pixel: 30 m to 90 m
    shares    what part of a 90 m pixel is missing, or cloud
    lanczos   90 m to Proba-V's grid of latitude and longitude
    transform all of it, for rows of a scene and for arrays in memory (`to_probav`)

Two departures from the published program, each with a switch back:

- `shift`: blurred pixel i is centred on input pixel 3i, so the 90 m grid begins one input pixel
  up and left of the 30 m grid (`corrected`). The published program lets both begin at one corner
  (`legacy`), which puts its products 30 m too far south and east, and lets GDAL err by up to
  11 m where it puts a pixel (see `lanczos`).
- `edges`: where Landsat pixels are missing the blur is the weighted mean of those that are there,
  and reaches four sigma (`normalized`). The published program counts missing pixels as black, so
  that a dark rim of up to 210 m remains, and cuts every band at seven pixels, which is 2.6 sigma
  of SWIR (`legacy`).
"""
