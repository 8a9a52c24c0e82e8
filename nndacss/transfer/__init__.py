"""Does adaptation help: clouds learnt on Landsat, told on Proba-V, with and without it.

domains.h5 (test), cloud networks, generators -> measure (counts, distances)
                                              -> result.json, table.csv, report.html
"""
