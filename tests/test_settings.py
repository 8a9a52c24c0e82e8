"""Settings: files, overrides, and errors that say what is known."""

import tomllib

import pytest

from nndacss.errors import SettingsError
from nndacss.resources import config_file, folder
from nndacss.settings import Settings, load_settings, restore, sections


def test_defaults_are_unchanged():
    assert all(section.changed() == {} for section in load_settings(None).values())


#: Which config lists all keys of which sections: one config a chain.
LISTED = {
    "default.toml": {"tile", "mask", "harmonize", "product"},
    "mask.toml": {"samples", "train", "evaluate", "experiment"},
    "harmonizer.toml": {"pairs", "harmonizer"},
    "nndacss.toml": {"views", "compose"},
    "probav.toml": {"convert_pv", "domains", "cloudnet", "cyclegan", "transfer"},
    "search.toml": {"search", "acquire"},
    "csia.toml": {"mask_bank", "inpaint"},
    "inpainter.toml": {"inpainter"},
    "landcovernet.toml": {"landcovernet", "clean", "pretrain", "land_cover"},
}


def missing_keys(table, cls, place):
    """Keys of a section, and of the sections inside it, that a config's table does not show."""
    for key, field in cls.model_fields.items():
        if key not in table:
            yield from [] if field.default is None else [f"{place}.{key}"]
        elif isinstance(field.default, Settings):
            yield from missing_keys(table[key], type(field.default), f"{place}.{key}")


@pytest.mark.parametrize("name", LISTED)
def test_the_configs_list_every_key(name):
    """No setting is hidden: each section with keys is listed in full in its chain's config."""
    table = tomllib.loads((folder("configs") / name).read_text())
    assert set(table) >= LISTED[name]
    lost = [
        key for part in LISTED[name] for key in missing_keys(table[part], sections()[part], part)
    ]
    assert lost == []


def test_every_section_is_in_one_config():
    with_keys = {name for name, cls in sections().items() if cls.model_fields}
    assert with_keys == set().union(*LISTED.values())


def test_the_default_config_states_the_defaults():
    settings = load_settings(config_file("default.toml"))
    assert [name for name, section in settings.items() if section.changed()] == []


def test_overrides_win_over_the_file(tmp_path):
    config = tmp_path / "a.toml"
    config.write_text('[tile]\ngrid = "landsat"\nwindow = 256\n')
    loaded = load_settings(config, ["tile.grid=mgrs:32TQM", "mask.dilated=true"])
    assert loaded["tile"].changed() == {"grid": "mgrs:32TQM", "window": 256}
    assert loaded["mask"].changed() == {"dilated": True}


def test_a_key_of_a_table_in_a_section():
    loaded = load_settings(None, ["train.paint.bank=a/b.h5", "mask.dilate.cloud=3"])
    assert loaded["train"].paint.bank == "a/b.h5"
    assert loaded["mask"].changed() == {"dilate": {"cloud": 3}}
    with pytest.raises(SettingsError, match="window is a value; expected a section"):
        load_settings(None, ["tile.window=256", "tile.window.size=3"])


def test_lists_and_plain_words():
    loaded = load_settings(
        None, ['harmonize.roles=["blue", "red"]', "harmonize.target=sentinel-2b"]
    )
    assert loaded["harmonize"].roles == ("blue", "red")
    assert loaded["harmonize"].target == "sentinel-2b"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("tile.grdi=s2", "unknown key tile.grdi; expected one of bbox, grid, part, window"),
        ("tlie.grid=s2", r"section \[tlie\]"),
        ("tile.window=much", "tile.window = 'much'"),
        ("tile.window=3", "greater than or equal to 64"),
        ("harmonize.target=landsat-9", "sentinel-2a"),
        ("harmonize.roles=[]", "distinct roles"),
        ("grid=s2", "section.key=value"),
        ("tile.grid", "section.key=value"),
    ],
)
def test_errors_say_what_is_known(override, message):
    with pytest.raises(SettingsError, match=message) as error:
        load_settings(None, [override])
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["[tile", "tile = 3", "\x00\xff"])
def test_files_that_are_no_settings(tmp_path, text):
    config = tmp_path / "a.toml"
    config.write_bytes(text.encode("latin-1"))
    with pytest.raises(SettingsError, match=r"a\.toml"):
        load_settings(config)


def test_a_missing_config_names_the_installed_ones():
    with pytest.raises(SettingsError, match=r"default\.toml"):
        config_file("nothing.toml")


def test_a_recipe_holds_changes_only():
    assert restore({"tile": {"window": 256}}, "tile") == sections()["tile"](window=256)
    assert restore({}, "mask") == sections()["mask"]()
