"""Widgets: each a thin layer over plain functions, with a first result that is real."""

from __future__ import annotations
