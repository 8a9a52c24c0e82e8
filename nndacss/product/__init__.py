"""Products: the only writers of what is handed to the user.

A product is the folder `<output root>/<scene>_<digest8>/` that `docs/product.md` specifies: COGs,
quicklooks, a report, and the STAC item, which is written last and means that all is there.
"""
