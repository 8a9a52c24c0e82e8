"""Geometry that all stages share: grids, resampling, windows, parts, mosaics."""
