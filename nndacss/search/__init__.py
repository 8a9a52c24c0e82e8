"""Search: which scenes a STAC API holds for an area, dates and clouds.

`settings` is the section `[search]`, `providers` the archives that are known and what each has,
`query` asks, `names` tells which agency product an item is, `found` is what comes back.
"""
