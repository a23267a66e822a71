"""Decoding alone, the least that a clip of a video file can cost."""

import time

import av


def decode(path, start, end):
    """Open a file, go to the key frame before `start`, and decode until `end`.

    Nothing is converted or kept. As `video.VideoReader` does it: the threads are those
    that PyAV sets, and where the file's index leads too far, it goes to earlier ones.

    Args:
        path: The file.
        start: Second.
        end: Second.

    Returns:
        Number of decoded frames, and the processor seconds of all threads.

    Raises:
        av.FFmpegError: It is damaged.
    """
    began, count = time.process_time(), 0
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        begin = (container.start_time or 0) / av.time_base
        origin = begin if abs(begin) >= 1 else 0.0
        for earlier in (0, 10, start):
            second = max(0, start - earlier)
            container.seek(round((second + origin) / stream.time_base), stream=stream)
            frames = container.decode(stream)
            frame = next(frames, None)
            if frame is None or _second(frame, origin) <= second or not second:
                break
        while frame is not None:
            count += 1
            if _second(frame, origin) >= end:
                break
            frame = next(frames, None)
    return count, time.process_time() - began


def _second(frame, origin):
    return 0.0 if frame.time is None else frame.time - origin
