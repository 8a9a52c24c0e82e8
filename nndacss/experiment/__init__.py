"""Experiments: variants x seeds x folds, planned as recipes and summed up in one report.

`plan` (light: it runs in the scheduler's process) makes the orders of all stages from one TOML
file; `summary` sums counts into tables; `report` shows them. To add a variant, write it in the
TOML file; equal stages of several variants are carried out once, since equal recipes are one.

`results` reads what runs left, `tables` scores it, `differences` compares every model with the
`reference` on the same scenes, `leaks` says whether a gain may be a leaked label.
"""
