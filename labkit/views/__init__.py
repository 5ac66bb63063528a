"""HTML for what the lab returns: reports, sources, checks. Escaped, for light and dark."""

from __future__ import annotations

from labkit.views.checks import check_html
from labkit.views.report import report_html
from labkit.views.run import run_html
from labkit.views.sources import SideBySide, side_by_side

__all__ = ["SideBySide", "check_html", "report_html", "run_html", "side_by_side"]
