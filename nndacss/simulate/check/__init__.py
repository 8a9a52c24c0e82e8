"""Is the twin like the world? Real data and the twin side by side, on a page a person can judge.

    python -m nndacss.simulate.check ../shared/data        # twin-check.html and twin-check.json

    parts        what a section of the page is made of, and a labelled chip
    real, twin   labelled chips, spectra, masks and crops from the archives; the same from the twin
    statistics   spreads, overlaps, sizes and edges of masks, noise, sharpness: plain functions
    spectra, shapes, sharpness, difficulty, gallery    one section of the page each
    pictures, page    thumbnails and small charts; the HTML

The twin's numbers were tuned on a part of the real data (the Biome chips in `train`, every second
mask); verdicts are about the other part. A folder that is absent is named on the page, and its
section left out.
"""
