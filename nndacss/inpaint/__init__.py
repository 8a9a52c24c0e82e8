"""Painting clouds, their shadows and snow into images of clear ground, with exact labels.

    bank      outlines that people drew in real images, see `harvest` for where they come from
    cast      where a cloud's shadow falls
    texture   fractal noise, for what happens inside an outline
    weather   what is drawn for one layer of cloud: height, thickness, edges, brightness
    shapes    an outline laid over a patch, as fields of optical thickness
    render    what cloud, shadow and snow do to the light in each band
    painter   all of it: pixels and label sets in, pixels and label sets out
    options   the settings

One painter with one order of precedence, cloud over shadow over snow over clear; labels are
replaced by it and never added. All chance comes from the generator that is passed in.
"""
