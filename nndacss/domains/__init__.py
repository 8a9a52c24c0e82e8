"""Patches of two sensors, Proba-V and Landsat-8 as Proba-V: what a CycleGAN is trained on.

    sources (twin, products) -> parts (one a unit of work, kept when killed) -> domains.h5

`store` is the file, `source` what a kind of source must give, `plan` the recipe, `stage` the work.
The file has the keys and the layout of the published one (`PV`, `LU`), and more beside them.
"""
