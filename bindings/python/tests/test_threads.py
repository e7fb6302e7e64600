"""Python's lock is let go of, and Ctrl-C stops what is long."""

from __future__ import annotations

import os
import signal
import threading
import time

import numpy
import pytest


@pytest.fixture(scope="module")
def long(samples):
    """Minutes of speech."""
    return numpy.tile(samples, 60)


def test_other_threads_go_on(asr, long):
    turns = 0
    done = threading.Event()

    def count():
        nonlocal turns
        while not done.is_set():
            turns += 1
            time.sleep(0.001)

    other = threading.Thread(target=count)
    other.start()
    asr.transcribe(long, version="v7")
    done.set()
    other.join()
    assert turns > 20


@pytest.mark.parametrize("how", [{"version": "v7"}, {"tolerance": 0.0}, {"version": "v7", "n_best": 2}])
def test_interrupts_stop_a_long_call(asr, long, how):
    endless = numpy.tile(long, 20)
    # What a shell starts in the background ignores interrupts unless it asks for them.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        began = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
        began.start()
        with pytest.raises(KeyboardInterrupt):
            asr.transcribe(endless, **how)
    finally:
        signal.signal(signal.SIGINT, before)
    assert asr.transcribe(long[:80000], version="v1").text, "the recogniser can be used again"
