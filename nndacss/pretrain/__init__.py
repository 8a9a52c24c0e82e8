"""An encoder's first lessons: trained as a classifier of patches, then carried over.

    [[pretrain.datasets]] -> samples.h5 -> encoder + one linear layer -> weights.safetensors

The encoder is that of `[train.architecture]`, with the bands, indices and scaling of `[train]`, so
that it fits there as it is: `train.transfer.encoder = "pretrained"`.
"""
