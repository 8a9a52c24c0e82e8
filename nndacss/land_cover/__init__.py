"""Land-cover maps: a trained network over a whole Sentinel-2 scene, or an adapted Landsat product.

    plan (light) -> image (SAFE or product folder) -> network (tiles, blended) -> stage -> folder

The map is predicted on the image's own 10 m pixels, tile by tile with overlap, so memory does not
grow with the scene; what is written is a folder with COGs, report and STAC item.
"""
