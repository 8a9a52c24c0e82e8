"""The archives that are known: their address, what they hold, and which credentials they want.

Sources: the STAC APIs themselves and their documentation (landsatlook.usgs.gov/stac-server,
github.com/Element84/earth-search, planetarycomputer.microsoft.com/docs,
documentation.dataspace.copernicus.eu/APIs/STAC.html). Credentials come from the environment only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from nndacss.errors import SettingsError, complain

Kind = tuple[Literal["landsat", "sentinel2"], Literal["L1", "L2"]]
Access = Literal["plain", "requester-pays", "planetary-computer", "copernicus", "token"]

#: Variables of the environment for an API given by its address.
TOKEN, TOKEN_HOSTS = "NNDACSS_STAC_TOKEN", "NNDACSS_STAC_TOKEN_HOSTS"


@dataclass(frozen=True)
class Provider:
    """One archive."""

    name: str
    api: str
    """Address of the STAC API."""
    collections: Mapping[Kind, str]
    """By sensor and level; what is not here, the archive does not have."""
    access: Access
    """How its files are signed for; see `nndacss.acquire.access`."""
    credentials: str
    """What to do to get in."""
    tile: str = "grid:code"
    """The property of a Sentinel-2 item that tells its MGRS tile."""
    notes: tuple[str, ...] = field(default=())
    """What users should know before they choose it."""

    @property
    def has_pan(self) -> bool:
        """Whether Landsat's Level 1, and with it the pan band, is there."""
        return ("landsat", "L1") in self.collections

    def collection(self, sensor: str, level: str) -> str:
        """The collection of a sensor and level; SettingsError says what there is."""
        for kind, name in self.collections.items():
            if kind == (sensor, level):
                return name
        there = ", ".join(" ".join(kind) for kind in self.collections) or "none by itself"
        remedy = "choose another provider, or name the collection in search.collections"
        raise SettingsError(complain(self.name, f"no {sensor} {level}", f"one of: {there}", remedy))


_AWS = (
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN) of an AWS account: "
    "its bucket bills whoever reads"
)
PROVIDERS = {
    provider.name: provider
    for provider in (
        Provider(
            "landsatlook",
            "https://landsatlook.usgs.gov/stac-server",
            {("landsat", "L1"): "landsat-c2l1", ("landsat", "L2"): "landsat-c2l2-sr"},
            "requester-pays",
            _AWS,
            notes=("Level 1 with the pan band is there",),
        ),
        Provider(
            "earth-search",
            "https://earth-search.aws.element84.com/v1",
            {
                ("landsat", "L2"): "landsat-c2-l2",
                ("sentinel2", "L1"): "sentinel-2-l1c",
                ("sentinel2", "L2"): "sentinel-2-c1-l2a",
            },
            "requester-pays",
            _AWS,
            notes=(
                "no Landsat Level 1: no pan band, so detail below 30 m is inferred, not seen",
                "Sentinel-2 L2A is open to all; Landsat and Sentinel-2 L1C want an AWS account",
            ),
        ),
        Provider(
            "planetary-computer",
            "https://planetarycomputer.microsoft.com/api/stac/v1",
            {("landsat", "L2"): "landsat-c2-l2", ("sentinel2", "L2"): "sentinel-2-l2a"},
            "planetary-computer",
            "PC_SDK_SUBSCRIPTION_KEY is optional; check that the archive is up",
            tile="s2:mgrs_tile",
            notes=(
                "no Landsat Level 1: no pan band, so detail below 30 m is inferred, not seen",
                "open to all",
            ),
        ),
        Provider(
            "cdse",
            "https://stac.dataspace.copernicus.eu/v1",
            {("sentinel2", "L1"): "sentinel-2-l1c", ("sentinel2", "L2"): "sentinel-2-l2a"},
            "copernicus",
            "set CDSE_USERNAME and CDSE_PASSWORD, or CDSE_ACCESS_TOKEN",
            notes=("Sentinel-2 only, as SAFE files of the agency",),
        ),
    )
}


def provider(name: str) -> Provider:
    """A known archive by name, or any STAC API by its address; SettingsError lists the known.

    An empty name stands for an item of unknown origin: its files are read as they are.
    """
    if name in PROVIDERS:
        return PROVIDERS[name]
    if name.startswith(("http://", "https://")):
        remedy = f"set {TOKEN} (sent to the API's host, or to those in {TOKEN_HOSTS})"
        return Provider(name, name.rstrip("/"), {}, "token", remedy)
    if not name:
        return Provider("", "", {}, "plain", _AWS)
    expected = f"{', '.join(PROVIDERS)}, or the address of a STAC API"
    raise SettingsError(complain("search.provider", repr(name), expected, "correct it"))


def provider_of(address: str) -> Provider:
    """The archive that an item's address belongs to: one that is known, or the API it is in."""
    for known in PROVIDERS.values():
        if address.startswith(known.api + "/"):
            return known
    return provider(address.partition("/collections/")[0])
