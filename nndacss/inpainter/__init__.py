"""An inpainting network fitted to labelled images: it restores one structure where it is hidden.

    samples.h5 -> hide (window, hole) -> data (draw, vary) -> module (network, two losses)
               -> last.ckpt, best.ckpt -> weights.safetensors + weights.json (card), pictures.png

The structure (cloud, shadow or snow) is hidden in real labelled patches, and the network learns
to put it back. Painting then asks it to put the structure where there was none: see
`nndacss.models.inpainter`. Everything random comes from (seed, epoch, position in the epoch), as in
`nndacss.train`, whose fit, schedule, checkpoints and moving average these are.
"""
