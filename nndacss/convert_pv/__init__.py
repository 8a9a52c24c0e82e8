"""The convert_pv stage: one Landsat-8 scene as one Proba-V product in HDF5.

    plan      which scene, which labels, what the result is called; opens no raster
    clouds    labels by hand of L8 Biome and 38-Cloud, by rows
    scene     Landsat's rows, and what labels there are
    scratch   the 90 m image between the two passes, on disk
    write     Proba-V's layout
    stage     two passes: rows to 90 m, then pieces of 85 km to Proba-V's grid

Memory does not grow with the scene, and how it is cut never changes a pixel.
"""
