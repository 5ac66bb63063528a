"""Messages survive any way of being cut on the pipe."""

from __future__ import annotations

import json
from typing import Any

import pytest
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


@given(MESSAGES.filter(bool), st.data())
def test_a_message_that_was_spoilt_is_never_handed_out(messages: list, data: st.DataObject) -> None:
    """A byte that is another, or one too many: what came before it is whole, and then no more."""
    stream = b"".join(map(wire.pack, messages))
    place = data.draw(st.integers(0, len(stream) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != stream[place]))
    rest = place + data.draw(st.integers(0, 1))
    spoilt = stream[:place] + bytes([other]) + stream[rest:] + wire.pack({"last": "word"})
    decoder = wire.Decoder()
    out: list[dict[str, Any]] = []
    with pytest.raises(wire.Garbled):
        out.extend(map(json.loads, decoder.feed(spoilt)))
    assert out == messages[: len(out)]
    assert len(b"".join(map(wire.pack, out))) <= place
    with pytest.raises(wire.Garbled):
        list(decoder.feed(wire.pack({"and": "more"})))
