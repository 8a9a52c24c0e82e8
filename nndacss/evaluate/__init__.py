"""Evaluation: one model on labelled test data, as counts.

`settings` says on which data, `models` brings every kind of model to one call, `score` counts,
`pictures` shows the worst samples, `stage` is the child process. A model is a kind in
`models.KINDS`: weights that this pipeline trained, weights by name, or a peer from `baselines`.
What was trained on is never scored: see `score.held_out`.
"""
