"""Pages for people: every HTML report here is a Jinja2 template beside the code that fills it."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined, Template


def template(package: str, name: str) -> Template:
    """The template `name` in the folder of `package`, e.g. `nndacss.product`, `report.html.j2`.

    Values are escaped, and a value that the template names and nobody gives is an error.
    """
    environment = Environment(
        loader=PackageLoader(package, "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)
