"""A CycleGAN between Proba-V and Landsat-8: settings, data, losses, training, export.

    PV, LU patches -> data (draw, turn) -> learner (two generators, two discriminators, cloud net)
                   -> last.ckpt -> genpv2l8, genl82pv, discl8, discpv .safetensors and .json

As published (Mateo-Garcia et al. 2021, IEEE JSTARS 14, 747-761), with an exact resume. Everything
random comes from (seed, epoch, position in the epoch).
"""
