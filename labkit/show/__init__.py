"""HTML for what the lab returns: reports, sources, checks. Escaped, for light and dark."""

from __future__ import annotations

from labkit.show.checks import check_html
from labkit.show.report import report_html
from labkit.show.run import run_html
from labkit.show.sources import SideBySide, side_by_side

__all__ = ["SideBySide", "check_html", "report_html", "run_html", "side_by_side"]
