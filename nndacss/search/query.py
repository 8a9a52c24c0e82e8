"""Asking a STAC API, and checking what it answers.

    search(SearchSettings(provider="earth-search", bbox=(8, 50, 9, 51), dates="2026-W46"), None)

Not every API filters by everything it is asked for, and some leave out filters silently: so
the API is asked for what its conformance classes promise, and each item is looked at once more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from nndacss.errors import InputError, SettingsError, complain
from nndacss.search.api import CLOUD, Api
from nndacss.search.found import Found, without_secrets
from nndacss.search.names import (
    acquisition,
    landsat_acquisition,
    place,
    processed,
    product_of,
    taken_on,
)
from nndacss.search.providers import Provider, provider
from nndacss.search.settings import SearchSettings, days

Item = Mapping[str, Any]


def search(settings: SearchSettings, as_of: datetime | None = None) -> list[Found]:
    """Scenes by acquisition time and id, each acquisition once (its latest processing).

    `as_of`: what was published later is left out, so that a search can be repeated. Landsat
    Level-2 scenes come with their Level-1 twin where the provider has it. SettingsError where a
    collection is unknown or nothing narrows the search, InputError where nothing is found or
    the API refuses, StageError where it does not answer.
    """
    _check_narrow(settings)
    archive = provider(settings.provider)
    names = settings.collections or (archive.collection(settings.sensor, settings.level),)
    api = Api(archive)
    found = _latest(_found(api, names, settings, as_of))
    if not found:
        sought = _told(settings)
        remedy = "widen dates, area or cloud_cover, or look whether the archive has it yet"
        raise InputError(complain(f"{archive.name} {', '.join(names)}", "no scene", sought, remedy))
    wants_l1 = settings.sensor == "landsat" and settings.level == "L2"
    return _with_l1(found, api, settings, as_of) if wants_l1 else found


def _found(
    api: Api, collections: Sequence[str], settings: SearchSettings, as_of: datetime | None
) -> Iterator[Found]:
    """Everything that fits, in all its processings."""
    api.check(collections)
    for question in _questions(settings):
        for item in api.items(collections, question):
            scene = as_found(item)
            if _fits(scene, question, as_of):
                yield scene


def _questions(settings: SearchSettings) -> Iterator[SearchSettings]:
    """One question an id or place; what one question finds is sorted out by the next steps.

    Product ids are searched by their day and place, since archives call them differently.
    """
    for name in settings.ids:
        where, day = place(name), taken_on(name)
        known: dict[str, Any] = {"ids": (name,)}
        if where is not None and day is not None:
            known["path_row" if where.isdigit() else "tile"] = (where,)
            known["dates"] = day.isoformat()
        yield settings.model_copy(update=known)
    if settings.ids:
        return
    for one in settings.path_row:
        yield settings.model_copy(update={"path_row": (one,), "tile": ()})
    for one in settings.tile:
        yield settings.model_copy(update={"path_row": (), "tile": (one,)})
    if not (settings.path_row or settings.tile):
        yield settings


def as_found(item: Item) -> Found:
    """An item as JSON, seen as a scene."""
    clean: dict[str, Any] = without_secrets(item)
    properties = clean.get("properties") or {}
    cloud = properties.get(CLOUD)
    hrefs = {name: str(asset.get("href", "")) for name, asset in clean["assets"].items()}
    return Found(
        id=product_of(clean) or str(clean["id"]),
        item=clean,
        collection=str(clean.get("collection") or ""),
        datetime=str(properties.get("datetime") or properties.get("start_datetime") or ""),
        cloud_cover=None if cloud is None else float(cloud),
        assets=hrefs,
    )


def _fits(scene: Found, settings: SearchSettings, as_of: datetime | None) -> bool:
    """Whether a scene is what was asked for, as far as its item tells."""
    places = {*settings.path_row, *settings.tile}
    if settings.ids and not {scene.id, scene.item["id"]} & set(settings.ids):
        return False
    if scene.cloud_cover is not None and scene.cloud_cover > settings.cloud_cover:
        return False
    if places and (place(scene.id) or "") not in places:
        return False
    if settings.dates:
        first, last = days(settings.dates)
        taken = _moment(scene.datetime)
        if taken is None or not first <= taken.date() <= last:
            return False
    known = _published(scene.item)
    return as_of is None or known is None or known <= as_of


def _published(item: Item) -> datetime | None:
    """When the archive made the item known; None where it does not say."""
    properties = item.get("properties") or {}
    for key in ("published", "created", "updated"):
        if (moment := _moment(str(properties.get(key) or ""))) is not None:
            return moment
    return None


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _latest(scenes: Iterator[Found]) -> list[Found]:
    """One scene an acquisition, its latest processing, sorted by time and id."""
    best: dict[tuple[str, ...], Found] = {}
    for scene in scenes:
        key = acquisition(scene.id) or (scene.id,)
        if key not in best or _rank(scene) > _rank(best[key]):
            best[key] = scene
    return sorted(best.values(), key=lambda scene: (scene.datetime, scene.id))


def _rank(scene: Found) -> tuple[tuple[str, ...], str]:
    return processed(scene.id), str((scene.item.get("properties") or {}).get("updated") or "")


def twin(scene: Found, archive: Provider, settings: SearchSettings) -> Found | None:
    """The Level-1 product of a Landsat Level-2 scene's acquisition; None where there is none."""
    anywhere = {"area": "", "bbox": None, "ids": (), "tile": (), "sensor": "landsat", "level": "L2"}
    return _with_l1([scene], Api(archive), settings.model_copy(update=anywhere), None)[0].l1


def _with_l1(
    found: list[Found], api: Api, settings: SearchSettings, as_of: datetime | None
) -> list[Found]:
    """Landsat Level-2 scenes with their Level-1 twins, of one search for all of them."""
    name = settings.l1_collection or api.archive.collections.get(("landsat", "L1"))
    keys = {scene.id: key for scene in found if (key := landsat_acquisition(scene.id, "L2"))}
    if name is None or not keys:
        return found
    # the twin has another id and, by another algorithm of another day, another cloud cover
    days_taken = sorted(key.date for key in keys.values())
    asked = {
        "ids": (),
        "cloud_cover": 100.0,
        "dates": f"{days_taken[0]}/{days_taken[-1]}",
        "path_row": tuple(sorted({key.place for key in keys.values()})),
    }
    twins = {
        key: scene
        for scene in _latest(_found(api, (name,), settings.model_copy(update=asked), as_of))
        if (key := landsat_acquisition(scene.id, "L1"))
    }
    return [
        replace(scene, l1=twins.get(keys[scene.id])) if scene.id in keys else scene
        for scene in found
    ]


def _check_narrow(settings: SearchSettings) -> None:
    narrow = (settings.area, settings.bbox, settings.path_row, settings.tile, settings.ids)
    if not any(narrow):
        expected = "area, bbox, path_row, tile or ids"
        remedy = "say where to look (--area, --bbox=west,south,east,north)"
        raise SettingsError(complain("search", "nothing that says where", expected, remedy))


def _told(settings: SearchSettings) -> str:
    """What was asked for, in words."""
    asked = {**settings.changed(), "cloud_cover": settings.cloud_cover}
    kept = {key: value for key, value in asked.items() if key not in ("provider", "collections")}
    return "some for " + ", ".join(f"{key} {value}" for key, value in kept.items())
