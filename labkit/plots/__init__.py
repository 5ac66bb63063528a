"""One function a picture; each returns the Axes that it drew on."""

from __future__ import annotations
