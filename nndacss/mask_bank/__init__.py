"""The mask bank as a stage: outlines of clouds and snow, and matched pairs, out of labelled data.

    folders of masks, labelled data sets -> parts (some images each, kept when killed) -> bank.h5

`settings` which sources and masks, `sources` how each is read, `plan` the recipe, `stage` the
work. The file and what is found in labels are those of `nndacss.inpaint` (`bank`, `harvest`,
`pairs`).
"""
