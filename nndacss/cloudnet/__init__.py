"""A cloud network for Proba-V's four bands, fitted to patches with known clouds.

    domains.h5 -> data (draw, turn) -> learner (network, cross entropy) -> last.ckpt, best.ckpt
               -> weights.safetensors + weights.json (card)

The network is the published small U-Net (`nndacss.models.separable_unet`); fit, schedule,
checkpoints and moving average are those of `nndacss.train`.
"""
