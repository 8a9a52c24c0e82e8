"""Views: labelled Landsat images on the 10 m grid, each beside its harmonized image.

    sources -> network -> parts (one a source image, kept when killed) -> views.h5 -> compose

Made once for all compositions of an experiment: the network is the costly part. `kinds` are the
sources, `twin` and `archive` make their images, `harmonized` runs the network, `store` is the file.
"""
