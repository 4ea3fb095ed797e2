"""What the build adds to the wheel: the compiled catalogues, in place of their `.po` files."""

import runpy
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Catalogues(BuildHookInterface):  # type: ignore[type-arg]
    """Compiles `*/locales/<language>/LC_MESSAGES/*.po`. A checkout needs none of it: it reads the `.po` files."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before a wheel is built."""
        if version == "editable":
            return
        root = Path(self.root)
        compiled = runpy.run_path(str(root / "contract" / "catalogue.py"))["compiled"]
        self._folder = tempfile.TemporaryDirectory()
        for number, source in enumerate(sorted(root.glob("*/locales/*/LC_MESSAGES/*.po"))):
            target = Path(self._folder.name) / f"{number}.mo"
            target.write_bytes(compiled(source.read_text(encoding="utf-8")))
            place = Path("wsproof", source.relative_to(root)).with_suffix(".mo")
            build_data["force_include"][str(target)] = place.as_posix()

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Called when it is built."""
        if version != "editable":
            self._folder.cleanup()
