"""Choose a few of very many: samples of a stream, and far-apart points."""

import hashlib
import heapq
import typing

import numpy as np
import tqdm


class Sample:
    """A random sample of a stream, of fixed size: the items of the lowest ranks.

    With ranks that are hashes (`rank`), each item has the same chance, whatever the
    order; and an item that comes again meets itself.
    """

    def __init__(self, size):
        """Keep at most `size` items."""
        self.size = size
        self.full = False  # whether any item was not kept
        self._heap = []  # of negative ranks: the highest is the first to go
        self._items = {}

    def wants(self, rank):
        """Whether an item of that rank would be kept."""
        wanted = len(self._heap) < self.size or rank <= -self._heap[0]
        self.full |= not wanted
        return wanted

    def get(self, rank):
        """Return the item of that rank, or None."""
        return self._items.get(rank)

    def add(self, rank, item):
        """Take in an item, and give up the one of the highest rank if need be."""
        if rank not in self._items:
            self._items[rank] = item
            heapq.heappush(self._heap, -rank)
            if len(self._heap) > self.size:
                self.full = True
                del self._items[-heapq.heappop(self._heap)]

    def items(self):
        """Return (rank, item) of all that is kept, by rank."""
        return sorted(self._items.items())


def rank(seed, *key):
    """Rank of an item in a Sample: a number below 2**128 that looks random.

    Args:
        seed: Another seed, other ranks.
        *key: What names the item; its `str` counts.
    """
    name = "\0".join(str(part) for part in (seed, *key)).encode()
    return int.from_bytes(hashlib.blake2b(name, digest_size=16).digest())


class Centers(typing.NamedTuple):
    """What `k_center` chose.

    Attributes:
        chosen: int [k], indices of points, in the order of choice.
        radius: Largest distance of any point to the nearest of the chosen.
    """

    chosen: np.ndarray
    radius: float


def k_center(points, count, labels=None, owners=None):
    """Choose points so that all others are near to one: the greedy k-center.

    The first is the one nearest to the mean, each next the one farthest from all that
    are chosen: the radius is at most twice the least possible. With `labels`, only
    points that carry one of the labels chosen least often so far may be next, which
    balances the labels as far as the points allow, at the cost of that bound.

    Takes O(N k D) time, and beside the points O(N) memory; the same points give the
    same choice.

    Args:
        points: float32 [N, D].
        count: k.
        labels: Labels of each point, N lists of anything hashable; a point may have
            several, or none.
        owners: int [N]; of the points of one owner at most one is chosen.

    Returns:
        Centers.

    Raises:
        ValueError: There are fewer points, or owners, than `count`.

    References:
        Gonzalez, Clustering to Minimize the Maximum Intercluster Distance, 1985.
        Sener and Savarese, Active Learning for Convolutional Neural Networks: A
        Core-Set Approach, 2018.
    """
    owners = np.arange(len(points)) if owners is None else np.asarray(owners)
    if not 1 <= count <= len(np.unique(owners)):
        raise ValueError(f"cannot choose {count} of {len(np.unique(owners))}")
    table, times = _label_table(labels, len(points))
    squares = np.einsum("nd,nd->n", points, points)

    def distances(center, square):
        return np.maximum(squares - 2 * (points @ center) + square, 0)

    mean = points.mean(axis=0)
    worth = -distances(mean, mean @ mean)
    nearest = np.full(len(points), np.inf, np.float32)
    free = np.ones(len(points), bool)
    chosen = []
    bar = {"desc": "k-center", "unit": "clip", "leave": False, "delay": 2}
    for _ in tqdm.trange(count, **bar):
        rarest = times[table].min(axis=1)
        may = free & (rarest == rarest[free].min())
        index = int(np.argmax(np.where(may, worth, -np.inf)))
        chosen.append(index)
        free &= owners != owners[index]
        times[np.unique(table[index])] += 1
        times[-1] = _NEVER
        nearest = np.minimum(nearest, distances(points[index], squares[index]))
        nearest[index] = 0
        worth = nearest
    return Centers(np.array(chosen), float(np.sqrt(nearest.max())))


_NEVER = np.iinfo(np.int64).max // 2  # what fills the table is no label to balance


def _label_table(labels, count):
    """[N, most labels of a point] of places in [labels + 1], the last a filler."""
    if labels is None:
        labels = [()] * count
    labels = [each or [None] for each in labels]  # no label is a label too
    places = {}
    for each in labels:
        for label in each:
            places.setdefault(label, len(places))
    table = np.full((count, max(map(len, labels), default=1)), len(places))
    for row, each in zip(table, labels, strict=True):
        row[: len(each)] = [places[label] for label in each]
    return table, np.array([0] * len(places) + [_NEVER])
