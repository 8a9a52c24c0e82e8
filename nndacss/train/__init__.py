"""A supervised fit over a sample store: settings, data, losses, Lightning modules, export.

    samples.h5 -> data (draw, augment) -> module (network, loss, schedule) -> last.ckpt, best.ckpt
                                                        -> weights.safetensors + weights.json (card)

What every fit shares, whatever it fits, is `fit_settings`, `order`, `draws`, `batches`, `learner`,
`fitting`, `watch` and `provenance`; the rest is of masks alone.

Everything random comes from (seed, epoch, position in the epoch): how many worker processes load
the data, and where a fit was stopped and resumed, change nothing.
"""
