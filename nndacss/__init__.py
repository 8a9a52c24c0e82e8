"""Landsat scenes as Sentinel-2-like 10 m products with cloud, shadow and snow masks."""
