"""Counts first, scores from counts.

`counts.count` compares labels with label sets and gives whole numbers, which add up exactly over
windows, samples, folds and machines; `scores` turns counts into IoU, F1 and the rest, once, at the
end. A score that its counts do not decide is None, never 0 or 1. To add a score: write a function
of `Tally` in `scores.py` and name it in `METRICS`. `paired` says whether one model's IoU is above
another's on the same scenes, and how small a difference they could show.
"""
