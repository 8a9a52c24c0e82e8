"""Training samples: windows of labelled images, cut once, in one HDF5 file for random reads.

    datasets -> cut -> parts (one a source image, kept when killed) -> samples.h5

`store` is the file, `cut` the windows, `split` the folds, `plan` the recipe, `stage` the work.
"""
