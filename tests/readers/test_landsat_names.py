from __future__ import annotations

from pathlib import Path

import pytest

from nndacss.readers.landsat.names import (
    find_l1,
    format_rank,
    is_archive,
    is_product_file,
    metadata_of,
    parts,
    product_in,
)

L1 = "LC08_L1TP_017051_20151205_20200908_02_T1"
L2 = "LC08_L2SP_017051_20151205_20200908_02_T1"


def test_product_ids_of_all_generations() -> None:
    assert product_in(f"{L2}_SR_B4.TIF") == L2
    assert product_in("LC09_L2SR_231062_20230723_20230802_02_T2_QA_PIXEL.TIF") is not None
    assert product_in("LO08_L1GT_195025_20130707_20170503_01_RT.tar") is not None
    assert product_in("LC80460282016177LGN00_B2.TIF") == "LC80460282016177LGN00"


@pytest.mark.parametrize(
    "name",
    [
        "LE07_L1TP_195025_20010730_20170204_01_T1_B1.TIF",
        "LT08_L1TP_195025_20130707_20170503_01_T1_B10.TIF",
        "S2A_MSIL2A_20230707T103031_N0509_R108_T32UMA_20230707T170000.SAFE",
        "DEM.TIF",
        "",
    ],
)
def test_other_products_are_not_taken(name: str) -> None:
    assert product_in(name) is None


def test_kinds_of_files() -> None:
    assert is_product_file(f"{L1}_B2.TIF")
    assert is_product_file(f"{L1}_MTL.json")
    assert not is_product_file(f"{L1}.tar")
    assert metadata_of(f"{L1}_mtl.TXT") == (L1, "txt")
    assert metadata_of("LE07_L1TP_195025_20010730_20170204_01_T1_MTL.txt") is None
    assert [format_rank(f"{L1}_MTL.{kind}") for kind in ("txt", "json", "xml")] == [0, 1, 2]
    assert is_archive(Path("a.TAR"))
    assert is_archive(Path("a.tar.gz"))
    assert is_archive(Path("a.tgz"))
    assert not is_archive(Path("a.zip"))


def test_parts() -> None:
    name = parts(L2)
    assert name is not None
    assert (name.sensor, name.level, name.place) == ("LC08", "L2SP", "017051")
    assert (name.acquired, name.processed, name.collection) == ("20151205", "20200908", "02")


@pytest.mark.parametrize("make", [Path.mkdir, Path.touch], ids=["folder", "file"])
def test_find_l1_needs_a_folder_or_archive(tmp_path: Path, make) -> None:
    (tmp_path / L2).mkdir()
    make(tmp_path / L1)
    assert find_l1(tmp_path / L2) == (tmp_path / L1 if make is Path.mkdir else None)


def test_find_l1_prefers_folder_then_tar_and_the_same_collection(tmp_path: Path) -> None:
    scene = tmp_path / f"{L2}.tar"
    scene.touch()
    ordered = [
        f"{L1}.tar",
        f"{L1}.tar.gz",
        L1.replace("20200908", "20200907") + ".tar",
        L1.replace("L1TP", "L1GT") + ".tar",
        L1.replace("_02_", "_01_"),
    ]
    for name in ordered[:-1]:
        (tmp_path / name).touch()
    (tmp_path / ordered[-1]).mkdir()
    for name in ordered:
        assert find_l1(scene) == tmp_path / name
        (tmp_path / name).rmdir() if (tmp_path / name).is_dir() else (tmp_path / name).unlink()
    assert find_l1(scene) is None


@pytest.mark.parametrize(
    "other",
    [
        L1.replace("LC08", "LC09"),
        L1.replace("017051", "017052"),
        L1.replace("20151205", "20151221"),
        L2.replace("L2SP", "L2SR"),
    ],
)
def test_find_l1_takes_no_other_acquisition(tmp_path: Path, other: str) -> None:
    (tmp_path / L2).mkdir()
    (tmp_path / other).mkdir()
    assert find_l1(tmp_path / L2) is None


def test_find_l1_of_l1_and_of_renamed_folders(tmp_path: Path) -> None:
    (tmp_path / L1).mkdir()
    (tmp_path / L1 / f"{L1}_MTL.txt").touch()
    (tmp_path / "mine").mkdir()
    assert find_l1(tmp_path / L1) is None
    assert find_l1(tmp_path / "mine") is None
    (tmp_path / "mine" / f"{L2}_MTL.txt").touch()
    assert find_l1(tmp_path / "mine") == tmp_path / L1
