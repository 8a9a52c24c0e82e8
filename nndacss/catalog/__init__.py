"""The catalog of a product root: `collection.json` and `items.parquet` beside the products.

    collection  the static STAC collection: extent, summaries, a link to each product's item
    table       the same items as a table, in the layout of stac-geoparquet
    shelf       the two files on a disk or in an object store, replaced without losing a writer's
    update      both made from what is there, again and again until nobody was faster

The products are the truth: the catalog is made from their items each time, so that one that is gone
leaves it, and running it twice changes nothing.
"""
