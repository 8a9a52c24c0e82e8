"""Masks: clear, shadow, snow and cloud for every pixel of the output grid.

To add a method: one module here that exports `METHOD`, a function
`(scene, grid, settings) -> Masked` (see `quality`), which labels one window of any grid. Its
file name is its name in the settings (`mask.method`). The stage does the rest.

    quality     the agency's own quality band
    spectral    plain thresholds, provisional
    network     the learned mask: weights, views of scenes, tiles (`nndacss.models`)
    morphology  growing and cleaning of a predicted mask
    weights     which network, for recipes: names, cards, checks
"""
