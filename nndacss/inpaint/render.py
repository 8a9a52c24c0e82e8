"""What cloud, shadow and snow do to the light in each band; arrays in, arrays out.

The optics are those of the simulated scenes (`nndacss.simulate.atmosphere`), applied to an image
that has been seen:

- Cloud of optical thickness t, as a share R = g t / (1 + g t) of a cloud without end, over what
  is below it. Of the light from below, exp(-t (1 - 0.85**2)) comes up straight; the rest is
  scattered, so that it carries the ground's brightness but none of its pattern.
- A cloud without end is white, but for water or ice, which absorb in the short-wave infrared, and
  ozone above it, which absorbs green and red on both ways (top-of-atmosphere images only; the air
  above a bright cloud takes no light away: what it scatters comes from the cloud, too).
- Shadow: the ground's light is a share from the sky, which stays and is largest in blue, and the
  sun's beam, of which the cloud lets through what its thickness does. In a top-of-atmosphere
  image only what is above the air's own reflectance is dimmed; that is never more than the
  darkest pixels of the image.
- Snow: a spectrum between old and fresh, under what texture the ground had; where its grains are
  told, they make the infrared.
- Water: a spectrum between clear and turbid, and glint, above the air's own light.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from nndacss.errors import SettingsError, complain
from nndacss.inpaint.weather import Layer
from nndacss.raster import Pixels
from nndacss.simulate.atmosphere import Air, beam, cloud_reflectance
from nndacss.simulate.spectra import MATERIALS, ROLES

Field = NDArray[np.float32]
Bands = NDArray[np.float32]
"""(bands,) one number a band."""

#: Brightness of an endlessly thick cloud of water, and of ice, where it is not 1. Water as in the
#: simulated scenes; ice absorbs more at 1.6 um, and as much at 2.2 um (Pilewskie and Twomey 1987,
#: J. Atmos. Sci. 44): overcast chips of ice in L8 Biome lie between 0.14 and 0.42 of red. Water
#: vapour hides low clouds from the cirrus band.
WATER = {"swir16": 0.72, "swir22": 0.52, "cirrus": 0.03}
FROZEN = {"swir16": 0.28, "swir22": 0.30, "cirrus": 0.75}
#: How strongly ice absorbs, per millimetre: 4 pi times its imaginary refractive index over the
#: wavelength (Warren and Brandt 2008, J. Geophys. Res. 113, rounded; at 2.2 um as in snow_spectra's
#: points, whose short-wave bands are alike).
ABSORPTION = {"nir08": 0.0035, "swir16": 2.1, "swir22": 2.0}
#: Grains of this diameter d make snow reflect exp(-sqrt(13 d absorption)) (Kokhanovsky and Zege
#: 2004, Applied Optics 43).
_GRAINS = 13.0
#: Optical thickness of 300 Dobson units of ozone in OLI's bands (absorption coefficients of NASA's
#: Ocean Biology Processing Group, times 0.3 atm cm).
OZONE = {"coastal": 0.001, "blue": 0.006, "green": 0.031, "red": 0.018, "pan": 0.021}
#: Optical thickness of haze that is assumed where nothing is known.
HAZE = 0.06
#: Bands named otherwise by the table of wavelengths.
_ALIAS = {"nir": "nir08"}
#: Per cent of an image's pixels that count as its darkest.
_DARK = 1.0
#: Reflectance that the ground of a sample is made at most, but for 2 % of its pixels: the bright
#: sands of the Sahara reach 0.4 in red and 0.6 at 1.6 um (Cosnefroy et al. 1996, Remote Sensing of
#: Environment 58). Brighter ground would look like cloud without short-wave bands.
_BRIGHTEST, _MOST = 0.5, 98.0


@dataclass(frozen=True)
class Light:
    """Per band, what the air does; arrays are (bands,)."""

    path: Bands
    """Reflectance of the air alone; 0 in surface reflectance."""
    sky: Bands
    """Share of the ground's light that comes from the sky."""
    ozone: Bands
    """Share of light that ozone lets through, down and up; 1 in surface reflectance."""


def light(
    pixels: Pixels, roles: tuple[str, ...], level: str, elevation: float, haze: float = HAZE
) -> Light:
    """The air over an image of `level` TOA or SR; `elevation` of the sun in degrees.

    `haze` is its optical thickness at 0.55 um: the more there is, the more light comes from the
    air itself. SettingsError for a band or level that is not known.
    """
    if level not in ("TOA", "SR"):
        raise SettingsError(complain("level", repr(level), "TOA or SR", "correct it"))
    air, dust = Air(elevation, haze), np.full((1, 1), haze, np.float32)
    names = [_ALIAS.get(role, role) for role in roles]
    known = {*ROLES, "pan", "cirrus"}
    if unknown := [name for name in names if name not in known]:
        remedy = "leave it out of `roles`"
        raise SettingsError(complain("band", unknown[0], ", ".join(sorted(known)), remedy))
    sky = np.array([air.diffuse(name) for name in names], np.float32)
    if level == "SR":
        return Light(np.zeros_like(sky), sky, np.ones_like(sky))
    path = np.array([float(air.path(name, dust)[0, 0]) for name in names], np.float32)
    ozone = np.exp([-OZONE.get(name, 0.0) * _mass(elevation) for name in names]).astype(np.float32)
    return Light(np.minimum(path, darkest(pixels)), sky, ozone)


def under_sun(light: Light, before: float, now: float) -> Light:
    """The air under a sun of another elevation, degrees, as far as bright ground shows it: ozone.

    Nothing changes in surface reflectance.
    """
    ozone = light.ozone ** np.float32(_mass(now) / _mass(before))
    return replace(light, ozone=ozone.astype(np.float32))


def _mass(elevation: float) -> float:
    """How many times the air is passed, down from the sun and straight up."""
    return float(1 + 1 / np.sin(np.radians(elevation)))


def darkest(pixels: Pixels) -> Bands:
    """(bands,) the value that one in a hundred pixels is below; infinite without any pixel."""
    some = pixels[:, ::4, ::4].reshape(len(pixels), -1)
    result = np.full(len(pixels), np.inf, np.float32)
    for band, values in enumerate(some):
        seen = values[~np.isnan(values)]
        if seen.size:
            place = min(int(seen.size * _DARK / 100), seen.size - 1)
            result[band] = max(0.0, float(np.partition(seen, place)[place]))
    return result


def sunlight(slant: Field, fill: float) -> tuple[Field, Field]:
    """Shares of the sun's light that reach the ground below clouds: straight, and scattered.

    `slant` (rows, columns) is the clouds' optical thickness along the beam. Scattered is what the
    clouds pass on downwards, and `fill` of what they do not.
    """
    straight = beam(slant)
    scattered = np.maximum(1 - cloud_reflectance(slant) - straight, 0)
    scattered += np.float32(fill) * (1 - straight - scattered)
    return straight, scattered


def ground(pixels: Pixels, light: Light, gains: NDArray[np.float64]) -> Pixels:
    """The image where the ground reflects these factors (bands,) more light.

    A factor is lowered where it would make most of the ground brighter than bare ground is. What
    is there of path radiance stays. Returns a new array; factors of 1 change nothing.
    """
    result = pixels.copy()
    for band, seen in enumerate(pixels):
        lit = np.maximum(seen - np.float32(light.path[band]), 0)
        bright = float(np.nanpercentile(lit, _MOST)) if not np.isnan(lit).all() else 0.0
        largest = max(_BRIGHTEST / bright, 1.0) if bright > 0 else 1.0
        result[band] += lit * np.float32(min(float(gains[band]), largest) - 1)
    return result


def shadow(
    pixels: Pixels, roles: tuple[str, ...], light: Light, straight: Field, scattered: Field
) -> Pixels:
    """The image where only these shares (rows, columns), 0 to 1, are left of the sun's light.

    Water takes some of what is scattered in the short-wave infrared: of light that passes a
    cloud once, the root of what it takes from light sent back by an endless one. Returns a new
    array; a share of 1 that comes straight changes nothing.
    """
    result = np.empty_like(pixels)
    for band, (role, ground) in enumerate(zip(roles, pixels, strict=True)):
        lost = 1 - straight - np.float32(WATER.get(role, 1.0) ** 0.5) * scattered
        lit = np.maximum(ground - light.path[band], 0)
        result[band] = ground - lit * (1 - light.sky[band]) * lost
    return result


def cloud(
    pixels: Pixels,
    roles: tuple[str, ...],
    light: Light,
    layer: Layer,
    thickness: Field,
    shade: Field,
) -> Pixels:
    """The image seen through a layer of optical thickness `thickness` (rows, columns).

    `shade` is the brightness of its top relative to a flat one. Returns a new array; a thickness
    of 0 changes nothing.
    """
    share = cloud_reflectance(thickness)
    straight = beam(thickness)
    result = np.empty_like(pixels)
    for band, (role, ground) in enumerate(zip(roles, pixels, strict=True)):
        bright = shade * light.ozone[band]
        absorbed = 1 - brightness(role, layer)
        if absorbed > 0:
            bright = bright * (1 - np.float32(absorbed) * share)
        below = straight * ground + (1 - straight) * around(ground)
        result[band] = below + share * (bright - below)
    return result


def brightness(role: str, layer: Layer) -> float:
    """Brightness of the layer in a band, were it endlessly thick."""
    water = WATER.get(role, 1.0) ** layer.absorption
    ice = FROZEN.get(role, 1.0) ** (0.5 + 0.4 * layer.absorption)
    return float(water ** (1 - layer.ice) * ice**layer.ice)


def snow(
    pixels: Pixels,
    roles: tuple[str, ...],
    light: Light,
    cover: Field,
    age: float,
    *,
    grain: float | None = None,
    relief: float = 1.0,
) -> Pixels:
    """The image where snow covers the share `cover` (rows, columns) of each pixel.

    `age` from 0, fresh, to 1, old; `grain`, the grains' diameter in millimetres, which the infrared
    follows, instead of the age; `relief`, the power of the ground's texture that is left, from 0
    to 1. Bands that nobody described for snow stay as they are.
    """
    old, fresh = MATERIALS["snow"]
    red = age * old[ROLES.index("red")] + (1 - age) * fresh[ROLES.index("red")]
    result = pixels.copy()
    for band, (role, ground) in enumerate(zip(roles, pixels, strict=True)):
        name = _ALIAS.get(role, role)
        if name in ROLES:
            place = ROLES.index(name)
            own = age * old[place] + (1 - age) * fresh[place]
            if grain is not None and name in ABSORPTION:
                own = red * float(np.exp(-np.sqrt(_GRAINS * grain * ABSORPTION[name])))
            texture = np.clip(ground / np.maximum(around(ground), 0.01), 0.7, 1.2) ** relief
            result[band] = ground + cover * (np.float32(light.ozone[band] * own) * texture - ground)
    return result


def water(
    pixels: Pixels,
    roles: tuple[str, ...],
    light: Light,
    cover: Field,
    turbid: Field,
    glint: Field,
) -> Pixels:
    """The image where open water covers the share `cover` (rows, columns) of each pixel.

    `turbid` from 0, clear, to 1; `glint` is the reflectance that the surface adds in all bands.
    Bands that nobody described for water stay as they are.
    """
    clear, murky = MATERIALS["water"]
    mud = np.clip(turbid, 0, 1)
    result = pixels.copy()
    for band, (role, ground) in enumerate(zip(roles, pixels, strict=True)):
        name = _ALIAS.get(role, role)
        if name in ROLES:
            place = ROLES.index(name)
            own = np.float32(clear[place]) + np.float32(murky[place] - clear[place]) * mud + glint
            seen = light.path[band] + light.ozone[band] * own
            result[band] = ground + cover * (seen - ground)
    return result


def around(band: Field, cell: int = 16) -> Field:
    """The mean of what surrounds each pixel: cells of `cell` pixels, joined by straight lines.

    Missing pixels do not count; where all of a cell is missing, the mean of the band.
    """
    seen = ~np.isnan(band)
    filled = np.where(seen, band, 0)
    rows, columns = (np.arange(0, size, cell) for size in band.shape)
    total = np.add.reduceat(np.add.reduceat(filled, rows, 0), columns, 1)
    count = np.add.reduceat(np.add.reduceat(seen, rows, 0, np.float32), columns, 1)
    mean = total.sum() / max(float(count.sum()), 1.0)
    means = np.where(count > 0, total / np.maximum(count, 1), np.float32(mean))
    down, across = (_between(size, cell) for size in band.shape)
    result: Field = down @ means.astype(np.float32) @ across.T
    return result


@cache
def _between(size: int, cell: int) -> Field:
    """(size, cells) weights that join the values at cells' centres by straight lines."""
    cells = -(-size // cell)
    at = np.clip((np.arange(size) + 0.5) / cell - 0.5, 0, cells - 1)
    weights: Field = np.maximum(0, 1 - np.abs(at[:, None] - np.arange(cells))).astype(np.float32)
    return weights
