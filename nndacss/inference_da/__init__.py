"""Proba-V products adapted to Landsat-8, with the cloud mask that a Landsat network sees in them.

    plan      which product, which weights: the recipe, and whether a file was made by it
    stage     the child process: checks, then the copy, whole or not at all
    write     the copy: adapted bands in place of the observed ones, then the mask from them
    publish   the same as COGs with a STAC item and a quicklook, on request

The mask is predicted from the bands as they are delivered, so that it can be had from them again.
"""
