"""One STAC API: what it holds, and a question to it in the words it understands."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nndacss.acquire.access import bearer
from nndacss.errors import InputError, SettingsError, StageError, complain
from nndacss.search.providers import Provider
from nndacss.search.settings import SearchSettings, days
from nndacss.tile.area import Bbox, area_bbox
from nndacss.web import SILENCE, TRIES

if TYPE_CHECKING:
    from pystac_client import Client

#: Percent of the scene (STAC's EO extension).
CLOUD = "eo:cloud_cover"
#: Items that are asked for at once.
_PAGE = 100
_LANDSAT = ("landsat:wrs_path", "landsat:wrs_row")


class Api:
    """A provider's API, opened when it is first asked."""

    def __init__(self, archive: Provider) -> None:
        self.archive = archive

    @cached_property
    def _client(self) -> Client:
        from pystac_client import Client
        from pystac_client.stac_api_io import StacApiIO
        from urllib3 import Retry

        # it would log the headers, and with them the token
        logging.getLogger("pystac_client").setLevel(logging.INFO)
        retry = Retry(
            total=TRIES,
            backoff_factor=1,
            backoff_jitter=0.5,
            status_forcelist=[408, 429, 500, 502, 503, 504],
            allowed_methods=None,
            raise_on_status=False,
        )
        with self._told():
            headers = bearer(self.archive.api)
            io = StacApiIO(headers=headers, max_retries=retry, timeout=SILENCE)
            return Client.open(self.archive.api, stac_io=io)

    def check(self, collections: Sequence[str]) -> None:
        """SettingsError where the API has no such collection; it lists those it has."""
        for name in collections:
            with self._told():
                if self._client.get_collection(name) is not None:
                    continue
                known = sorted(found.id for found in self._client.get_collections())
            near = [one for one in known if one[:4] == name[:4]] or known
            expected = f"one of {len(known)}, such as {', '.join(near[:12])}"
            found = f"no collection {name!r}"
            raise SettingsError(complain(self.archive.api, found, expected, "correct the name"))

    def items(
        self, collections: Sequence[str], settings: SearchSettings
    ) -> Iterator[dict[str, Any]]:
        """Items as JSON; some may not fit, where the API filters by less than was asked.

        Of `settings.path_row` and `settings.tile` no more than one place is asked for: lists of
        values are not understood everywhere.
        """
        client = self._client
        question: dict[str, Any] = {"collections": list(collections), "limit": _PAGE}
        if settings.dates:
            first, last = days(settings.dates)
            question["datetime"] = f"{first}T00:00:00Z/{last}T23:59:59.999Z"
        question.update(_where(settings))
        # ids alone are a question of their own: with a place they are the agency's, not the API's
        if settings.ids and not (settings.path_row or settings.tile):
            question["ids"] = list(settings.ids)
        terms = _terms(settings, self.archive.tile)
        with self._told(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of conformance classes, which are looked at here
            if terms and client.conforms_to("query"):
                question["query"] = {name: {op: value} for name, op, value in terms}
            elif terms and client.conforms_to("filter"):
                question["filter"] = _cql2(terms)
                question["filter_lang"] = "cql2-json"
            yield from client.search(**question).items_as_dicts()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What pystac-client raises, in our words."""
        from pystac import STACError
        from pystac_client.exceptions import APIError

        api = self.archive.api
        try:
            yield
        except APIError as error:
            code = getattr(error, "status_code", None)
            said = " ".join(str(error).split())[:200]
            if code in (401, 403):
                found = f"HTTP {code}"
                message = complain(api, found, "leave to search", self.archive.credentials)
                raise InputError(message) from error
            if code is not None and code < 500 and code not in (408, 429):
                remedy = "check address and settings of the search"
                raise InputError(complain(api, f"HTTP {code} ({said})", "items", remedy)) from error
            found = f"no answer after {TRIES} tries ({f'HTTP {code}' if code else said})"
            remedy = "check the network (and HTTPS_PROXY) and run again"
            raise StageError(complain(api, found, "a STAC API", remedy)) from error
        except (STACError, json.JSONDecodeError, KeyError) as error:
            found = f"{type(error).__name__}: {error}"
            raise InputError(complain(api, found, "a STAC API", "check the address")) from error


def _where(settings: SearchSettings) -> dict[str, Any]:
    """The place: an area's own shape where it has one, or a box."""
    if settings.area and settings.bbox:
        raise SettingsError(complain("search", "area and bbox", "one of them", "give one"))
    if settings.area:
        box = area_bbox(settings.area, "")  # also checks that it is GeoJSON in degrees
        geometry = _geometry(json.loads(Path(settings.area).read_text()))
        return {"intersects": geometry} if geometry else _boxed(box)
    return _boxed(settings.bbox) if settings.bbox else {}


def _boxed(box: Bbox) -> dict[str, Any]:
    west, south, east, north = box
    if south >= north:
        expected = "west,south,east,north with south below north"
        raise SettingsError(complain("bbox", str(list(box)), expected, "correct it"))
    if west <= east:
        return {"bbox": list(box)}
    # RFC 7946: a box with west > east crosses the 180th meridian, which not every API knows
    halves = ((west, 180.0), (-180.0, east))
    rings = [[[w, south], [e, south], [e, north], [w, north], [w, south]] for w, e in halves]
    return {"intersects": {"type": "MultiPolygon", "coordinates": [[ring] for ring in rings]}}


def _geometry(geojson: Mapping[str, Any]) -> dict[str, Any] | None:
    """The polygons of any GeoJSON as one geometry; None where it has other shapes."""
    kind = geojson.get("type")
    parts = {
        "FeatureCollection": geojson.get("features"),
        "GeometryCollection": geojson.get("geometries"),
        "Feature": [geojson.get("geometry") or {}],
    }.get(str(kind))
    if parts is None:
        if kind == "Polygon":
            return {"type": "MultiPolygon", "coordinates": [geojson["coordinates"]]}
        return {"type": kind, "coordinates": geojson["coordinates"]} if _many(geojson) else None
    shapes = [_geometry(part) for part in parts]
    if not shapes or any(shape is None for shape in shapes):
        return None
    polygons = [polygon for shape in shapes if shape for polygon in shape["coordinates"]]
    return {"type": "MultiPolygon", "coordinates": polygons}


def _many(geojson: Mapping[str, Any]) -> bool:
    return geojson.get("type") == "MultiPolygon"


Term = tuple[str, str, Any]
"""Property, operator of the query extension, value."""


def _terms(settings: SearchSettings, tile: str) -> list[Term]:
    """What properties must be; APIs that state a property differently are asked for less."""
    found: list[Term] = []
    if settings.cloud_cover < 100:
        found.append((CLOUD, "lte", settings.cloud_cover))
    for place in settings.path_row[:1]:
        path, row = _LANDSAT
        found += [(path, "eq", place[:3]), (row, "eq", place[3:])]
    for place in settings.tile[:1]:
        found.append((tile, "eq", f"MGRS-{place}" if tile == "grid:code" else place))
    return found


def _cql2(terms: Sequence[Term]) -> dict[str, Any]:
    """The same as CQL2-JSON."""
    operators = {"lte": "<=", "eq": "="}
    arguments = [
        {"op": operators[op], "args": [{"property": name}, value]} for name, op, value in terms
    ]
    return {"op": "and", "args": arguments} if len(arguments) > 1 else arguments[0]
