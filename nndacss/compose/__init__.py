"""Composition: one image out of Landsat at 10 m and its harmonized image.

To add a method: one module here that exports `METHOD`, a function
`(views, options, rng) -> Composed` (see `views`, `options`), which takes two images of six bands
and gives one. With a generator it draws its strength from it (training), without one (`None`) the
strength is fixed (production). It writes to none of its inputs and leaves nodata NaN. Its file name
is its name in the options (`method`, `adapted`).

    by_class      clear and snow harmonized, cloud and shadow adapted by one of the others
    fourier       Landsat's amplitude at low frequencies
    histogram     Landsat's histogram
    mix_channels  some bands, shares or pixels of each
    bicubic       Landsat as it is
    deep          the harmonized image as it is

`window` says what a window needs around it; `spectrum`, `lattice` and `fill` are `fourier`'s parts.
"""
