"""Settings: files, overrides, and errors that say what is known."""

import tomllib

import pytest

from nndacss.errors import SettingsError
from nndacss.resources import config_file, folder
from nndacss.settings import load_settings, restore, sections


def test_defaults_are_unchanged():
    assert all(section.changed() == {} for section in load_settings(None).values())


def test_the_default_config_states_the_defaults():
    """Every key of every section, each with its default value."""
    table = tomllib.loads((folder("configs") / "default.toml").read_text())
    for name, settings in load_settings(config_file("default.toml")).items():
        assert settings.changed() == {}, name
        optional = {
            key for key, field in type(settings).model_fields.items() if field.default is None
        }
        assert set(table.get(name, {})) == set(type(settings).model_fields) - optional


def test_overrides_win_over_the_file(tmp_path):
    config = tmp_path / "a.toml"
    config.write_text('[tile]\ngrid = "landsat"\nwindow = 256\n')
    loaded = load_settings(config, ["tile.grid=mgrs:32TQM", "mask.dilated=true"])
    assert loaded["tile"].changed() == {"grid": "mgrs:32TQM", "window": 256}
    assert loaded["mask"].changed() == {"dilated": True}


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
