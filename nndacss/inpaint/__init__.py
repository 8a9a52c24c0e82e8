"""Painting clouds, their shadows and snow into images of clear ground, with exact labels.

    bank        outlines that people drew in real images, and clouds with the shadows they threw
    harvest     where these come from
    pairs       which shadow belongs to which cloud, and where the sun stands
    cast        where a cloud's shadow falls
    texture     fractal noise, for what happens inside an outline
    weather     what is drawn for one layer of cloud: height, thickness, edges, brightness
    shapes      an outline laid over a patch, as fields of optical thickness
    bodies      clouds that bring their own shape: the image's, and matched pairs
    render      what cloud, shadow and snow do to the light in each band
    precedence  what that does to labels
    networks    pixels from networks instead, the requests of many patches answered together
    weights     which networks these are
    steps       one structure painted: optics, network, label
    snowfields  snow and ice all over a patch: plains, floes, woods, lakes
    tools       what is drawn for a patch and painted in such steps
    modes       the six published ways to paint, as compositions of tools
    painter     all of it: pixels and label sets in, pixels and label sets out
    options     the settings of painting
    settings, plan, store, stage    sample sets painted once, for GenerateInpaintedSamples
    sheet, realism                  what it looks like, and how real

One painter with one order of precedence, cloud over shadow over snow over clear; labels are
replaced by it and never added. All chance comes from the generator that is passed in.
"""
