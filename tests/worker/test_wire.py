"""Messages survive any way of being cut on the pipe."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from labkit.worker import wire

MESSAGES = st.lists(st.dictionaries(st.text(), st.text()))


@given(MESSAGES, st.lists(st.integers(1, 7)))
def test_messages_come_out_as_they_went_in(messages: list[dict[str, str]], cuts: list[int]) -> None:
    stream = b"".join(map(wire.pack, messages))
    decoder = wire.Decoder()
    out: list[bytes] = []
    for cut in [*cuts, len(stream)]:
        out += decoder.feed(stream[:cut])
        stream = stream[cut:]
    assert list(map(json.loads, out)) == messages
