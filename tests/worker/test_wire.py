"""Frames survive any way of being cut on the pipe."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from labkit.worker import wire

FRAMES = st.lists(st.tuples(st.sampled_from([wire.JSON, wire.RECORDS]), st.binary(max_size=50)))


@given(FRAMES, st.lists(st.integers(1, 7)))
def test_frames_come_out_as_they_went_in(
    frames: list[tuple[bytes, bytes]], cuts: list[int]
) -> None:
    stream = b"".join(wire.pack(*frame) for frame in frames)
    decoder = wire.Decoder()
    out: list[tuple[bytes, bytes]] = []
    for cut in [*cuts, len(stream)]:
        out += decoder.feed(stream[:cut])
        stream = stream[cut:]
    assert out == frames


@given(st.dictionaries(st.text(), st.text()))
def test_json_frames(message: dict[str, str]) -> None:
    [(kind, payload)] = wire.Decoder().feed(wire.pack_json(message))
    assert kind == wire.JSON
    assert json.loads(payload) == message
