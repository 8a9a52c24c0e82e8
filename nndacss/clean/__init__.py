"""Cleaning LandCoverNet: which chips and dates to trust, decided by rules that can be run again.

settings    section [clean]
measure     what one image and its label are like, in numbers
outliers    pixels that contradict their label, by a robust distance
duplicates  images and grounds that are there twice
verdict     numbers to verdicts, and a person's list that overrules them
sheet       a page with what was rejected, and why
stage       all of it: table, list of what is kept, page
"""
