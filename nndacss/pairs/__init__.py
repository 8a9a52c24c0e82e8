"""Training pairs for harmonization: Landsat on the 10 m grid, and Sentinel-2 on the same pixels.

    sources (twin, degraded, same_day) -> parts (one a unit of work, kept when killed) -> pairs.h5

`store` is the file, `source` what a kind of pair must give, `plan` the recipe, `stage` the work.
"""
