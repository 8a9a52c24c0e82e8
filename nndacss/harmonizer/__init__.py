"""A harmonizer fitted to pairs: settings, data, losses, measures, calibration, export.

    pairs.h5 -> data (draw, augment) -> module (network, losses) -> last.ckpt, best.ckpt
             -> calibrate (standard deviations, on scenes kept out)
             -> weights.safetensors + weights.json (card)

Everything random comes from (seed, epoch, position in the epoch), as in `nndacss.train`, whose
fit, schedule, checkpoints and moving average these are.
"""
