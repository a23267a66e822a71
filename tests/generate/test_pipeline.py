import itertools
import threading
import time

import pytest

from vgan.generate.pipeline import BackgroundWriter, Prefetcher


def test_order_is_kept_and_all_is_done():
    done = []
    with Prefetcher(range(100)) as items, BackgroundWriter(done.append) as write:
        for item in items:
            write(item)
    assert done == list(range(100))


def test_stages_work_at_the_same_time():
    """Item n is read, n - 1 processed, n - 2 written, and each waits for the others."""
    meet = threading.Barrier(3, timeout=60)
    met = []

    def source():
        for item in range(20):
            if item >= 2:
                meet.wait()
            yield item

    def save(item):
        if item < 18:
            meet.wait()
            met.append(item)

    with Prefetcher(source()) as items, BackgroundWriter(save) as write:
        for item in items:
            if 1 <= item < 19:
                meet.wait()
            write(item)
    assert met == list(range(18))


def test_what_waits_is_bounded():
    read, written, most = [], [], 0

    def source():
        for item in range(50):
            read.append(item)
            yield item

    def write(item):
        time.sleep(0.005)
        written.append(item)

    with (
        Prefetcher(source(), depth=2) as items,
        BackgroundWriter(write, depth=2) as out,
    ):
        for item in items:
            out(item)
            most = max(most, len(read) - len(written))
    assert written == list(range(50))
    # Two wait on either side, and each of the three stages has one in its hands.
    assert 4 <= most <= 2 + 2 + 3


def test_errors_of_the_reader_come_in_their_place():
    def broken():
        yield 1
        raise ValueError("broken")

    with Prefetcher(broken()) as items:
        assert next(items) == 1
        with pytest.raises(ValueError, match="broken"):
            next(items)


def write_all(items, function, depth, error=None):
    with BackgroundWriter(function, depth) as out:
        for item in items:
            out(item)
        if error:
            raise error


def test_errors_of_the_writer_stop_the_rest():
    done, asked = [], itertools.count()

    def write(item):
        if item == 3:
            raise OSError("full")
        done.append(item)

    with pytest.raises(OSError, match="full"):
        write_all(iter(asked.__next__, 1000), write, depth=2)
    assert done == [0, 1, 2]
    assert next(asked) < 20


@pytest.mark.parametrize(("error", "kept"), [(KeyboardInterrupt, 3), (ValueError, 1)])
def test_ctrl_c_keeps_what_was_made_and_other_errors_do_not(error, kept):
    done = []

    def write(item):
        time.sleep(0.2)
        done.append(item)

    with pytest.raises(error):
        write_all(range(3), write, 3, error)
    assert (len(done) == 3) == (kept == 3)
    assert len(done) <= kept


def test_a_reader_left_early_is_stopped():
    before = threading.active_count()
    with Prefetcher(itertools.count()) as items:
        next(items)
    assert threading.active_count() == before
