"""Masks: clear, shadow, snow and cloud for every pixel of the output grid.

To add a method: one module here that exports `METHOD`, a function
`(scene, grid, settings) -> Masked` (see `quality`), which labels one window of any grid. Its
file name is its name in the settings (`mask.method`). The stage does the rest.
"""
