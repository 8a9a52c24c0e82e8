"""UpdateCatalog from the command line."""

import json

from tests.catalog.products import make
from tests.tasks.test_operations import Desk


def test_update_catalog(tmp_path):
    desk = Desk(tmp_path, tmp_path)
    make(tmp_path / "products", "LC08_a_01234567")
    make(tmp_path / "products", "LC08_b_01234567").joinpath("item.json").write_text("{}")
    code, _, said = desk.run("UpdateCatalog", "--collection", "mine", "--base", "https://h/p")
    assert code == 0, said
    assert f"{tmp_path}/products/collection.json: 1 items, 1 added, 0 removed" in said
    assert "left out: LC08_b_01234567, whose item cannot be read (KeyError: 'assets')" in said
    collection = json.loads((tmp_path / "products/collection.json").read_text())
    assert collection["id"] == "mine"
    code, _, said = desk.run("UpdateCatalog", "--output-root", "absent")
    assert code == 30
    assert "absent: found No such file or directory; expected a product root" in said
    assert "Traceback" not in said
