"""The load document: `schemas/load.schema.json`."""

import json
import os
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from contract.model import Contract
from loadtest.recorder import Recorder
from loadtest.settings import LoadSettings
from loadtest.thresholds import parse_threshold

FORMAT = "wsproof.load/1"


def load_document(settings: LoadSettings, contract: Contract, recorder: Recorder, started: datetime) -> None:
    """Write the document of a run, atomically."""
    duration = time.monotonic() - recorder.started
    document = recorder.document(
        {
            "format": FORMAT,
            "tool": {"name": "wsproof", "version": settings.version},
            "endpoint": settings.endpoint,
            "contract": {"title": contract.title, "version": contract.version},
            "started": started.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "duration_s": round(duration, 3),
            "complete": duration >= settings.duration * 0.9,
            "settings": {
                "users": settings.users,
                "spawn_rate": settings.spawn_rate,
                "time_s": settings.duration,
                "think_time_s": settings.think_time,
                "channels": settings.channels,
                "journeys": dict(settings.journeys),
            },
            "verdict": "passed",
            "reason": None,
            "thresholds": [],
        }
    )
    document["generator"] = {"cpu_percent": round(100 * time.process_time() / max(duration, 0.001), 1), "late_ms_max": None}
    document["thresholds"] = [parse_threshold(text).judge(document) for text in settings.thresholds]
    document["reason"] = _reason(document)
    document["verdict"] = "failed" if document["reason"] else "passed"
    _write(Path(settings.document), document)


def _reason(document: dict[str, Any]) -> str | None:
    """Why a run failed; None where it passed. A run that measured nothing has proved nothing."""
    if not document["metrics"].get("connect"):
        errors = next(iter(document["errors"]), "no user got so far")
        return f"no connection could be made: {errors}"
    breached = [f"{one['metric']} {one['limit']}" for one in document["thresholds"] if not one["passed"]]
    return f"threshold breached: {', '.join(breached)}" if breached else None


def _write(path: Path, document: dict[str, Any]) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(json.dumps(document, indent=1), encoding="utf-8")
    temporary.replace(path)
