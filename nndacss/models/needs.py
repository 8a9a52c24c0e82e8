"""What evidence that is added to a network's word needs of it. Light."""

from __future__ import annotations

from collections.abc import Sequence

from nndacss.errors import SettingsError, complain


def check_needs(
    setting: str,
    needed: tuple[Sequence[str], Sequence[str]],
    classes: Sequence[str],
    roles: Sequence[str],
    remedy: str = "take it out",
) -> None:
    """SettingsError that names `setting` where a network lacks a class or band that is `needed`.

    `classes` and `roles` are the network's.
    """
    for kind, wanted, there in zip(("class", "band"), needed, (classes, roles), strict=True):
        if lacking := sorted(set(wanted) - set(there)):
            found = f"no {kind} {', '.join(lacking)} in the network"
            expected = f"{', '.join(wanted)} among them"
            raise SettingsError(complain(setting, found, expected, remedy))
