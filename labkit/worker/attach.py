"""Attach the loaded programs, and detach them."""

from __future__ import annotations

import errno

from labkit.worker.compile import Module


def attach(module: Module) -> list[tuple[str, str]]:
    """Attach the functions named (raw_)tracepoint__...; return (kind, tracepoint) of each.

    Raises OSError, with nothing left attached, where one of them cannot be.
    """
    attached: list[tuple[str, str]] = []
    for name in module.functions():
        kind, _, rest = name.partition("__")
        place = rest.replace("__", ":", 1)
        try:
            if kind == "tracepoint":
                module.attach_tracepoint(tp=place, fn_name=name)
            elif kind == "raw_tracepoint":
                place = rest
                module.attach_raw_tracepoint(tp=place, fn_name=name)
            else:
                continue
        except Exception as error:  # bcc raises Exception itself
            detach(module, attached)
            raise OSError(errno.EIO, f"cannot attach to {place}: {error}") from error
        attached.append((kind, place))
    return attached


def detach(module: Module, attached: list[tuple[str, str]]) -> None:
    """Detach; when this returns, no program is running any more (the kernel waits for them)."""
    for kind, name in attached:
        if kind == "tracepoint":
            module.detach_tracepoint(name)
        else:
            module.detach_raw_tracepoint(name)
