"""A supervised fit over a sample store: settings, data, losses, Lightning modules, export.

    samples.h5 -> data (draw, augment) -> module (network, loss, schedule) -> last.ckpt, best.ckpt
                                                        -> weights.safetensors + weights.json (card)

Everything random comes from (seed, epoch, position in the epoch): how many worker processes load
the data, and where a fit was stopped and resumed, change nothing.
"""
