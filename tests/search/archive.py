"""Items of Landsat and Sentinel-2 as archives hold them: many places, days, clouds, processings."""

from tests.servers.items import item

COLLECTIONS = ("landsat-c2l2-sr", "landsat-c2l1", "sentinel-2-l2a")


def landsat(place, day, cloud, box, *, level="L2SP", made="20260601", tier="T1", **facts):
    name = f"LC08_{level}_{place}_{day}_{made}_02_{tier}"
    base = f"https://archive/{name}/{name}"
    assets = {"red": {"href": f"{base}_SR_B4.TIF"}, "MTL.txt": {"href": f"{base}_MTL.txt"}}
    when = f"{day[:4]}-{day[4:6]}-{day[6:]}T{facts.pop('time', '10:13:20')}Z"
    properties = {"datetime": when, "landsat:wrs_path": place[:3], "landsat:wrs_row": place[3:]}
    properties |= {} if cloud is None else {"eo:cloud_cover": cloud}
    collection = "landsat-c2l2-sr" if level.startswith("L2") else "landsat-c2l1"
    suffix = "_SR" if level.startswith("L2") else ""
    return item(name + suffix, collection, {**properties, **facts}, assets, box)


def sentinel(tile, day, cloud, box, baseline="0511", made="T160632"):
    name = f"S2A_MSIL2A_{day}T103631_N{baseline}_R108_T{tile}_{day}{made}"
    base = f"https://archive/{name}.SAFE"
    assets = {"B02": {"href": f"{base}/GRANULE/L2A/IMG_DATA/R10m/T{tile}_{day}T103631_B02_10m.jp2"}}
    when = f"{day[:4]}-{day[4:6]}-{day[6:]}T10:36:31Z"
    properties = {"datetime": when, "eo:cloud_cover": cloud, "grid:code": f"MGRS-{tile}"}
    # the archive's own id, as one of them has it
    return item(f"S2A_{tile}_{day}_{baseline}_L2A", "sentinel-2-l2a", properties, assets, box)


HERE, EAST, FAR = (8.0, 49.0, 10.0, 51.0), (10.5, 49.0, 12.5, 51.0), (178.0, -18.0, -179.0, -16.0)
WEST_OF_LINE = (-179.5, -18.0, -178.0, -16.0)

ITEMS = [
    *(landsat("195025", f"202604{day:02d}", 5.0 * day, HERE) for day in range(1, 16)),
    *(landsat("195025", f"202604{day:02d}", 99.0, HERE, level="L1TP") for day in range(1, 12)),
    landsat("195025", "20260411", 99.0, HERE, level="L1TP", made="20260701"),
    landsat("195025", "20260411", 99.0, HERE, level="L1GT", made="20260602"),
    landsat("193026", "20260403", 15.0, EAST),
    landsat("193026", "20260404", None, EAST),
    landsat("193026", "20260405", 1.0, EAST, tier="RT", made="20260801"),
    landsat("193026", "20260405", 2.0, EAST, tier="T1", made="20260601"),
    landsat("193026", "20260406", 2.0, EAST, tier="T1", made="20260602"),
    landsat("193026", "20260406", 2.0, EAST, tier="T1", made="20260501"),
    landsat("193026", "20260430", 3.0, EAST, time="23:59:59.5"),
    landsat("193026", "20260501", 3.0, EAST, time="00:00:00"),
    landsat("193026", "20260505", 3.0, EAST, created="2026-06-01T00:00:00Z"),
    landsat("193026", "20260506", 3.0, EAST, created="2026-06-03T00:00:00Z"),
    landsat("073072", "20260402", 3.0, WEST_OF_LINE),
    sentinel("32UMC", "20260402", 10.0, HERE),
    sentinel("32UMC", "20260402", 10.0, HERE, "0500"),
    sentinel("32UNC", "20260402", 10.0, EAST),
    sentinel("32UMC", "20260407", 60.0, HERE),
]
