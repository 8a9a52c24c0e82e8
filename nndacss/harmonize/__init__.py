"""Harmonization: Landsat's bands as Sentinel-2 would see them, at 10 m.

To add a method: one module here that exports `METHOD`, a function
`(scene, grid, settings) -> Harmonized` (see `bandpass` and `result`), which computes one window
of any grid and whose result depends on nothing but its arguments. Its file name is its name in
the settings (`harmonize.method`). The stage does the rest: windows, parts, quantization, files.

`deep` is the method of networks: `weights` says which, `ground` where, `fields` runs them.
"""
