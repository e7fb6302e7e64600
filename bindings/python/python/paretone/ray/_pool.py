"""Actors that hold a model each, and tasks that are done once whatever becomes of the actors."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import paretone
from paretone.ray._engine import LOST, processors, ray

# Workers that a task may lose before it is taken for what kills them.
MOST_LOST = 5
# Tasks that wait at a worker, the one it works on among them, so that it never waits for the driver.
DEPTH = 2


class Pool:
    """Workers, and the tasks they are given.

    Parameters
    ----------
    make : callable
        Makes a worker's actor; it has a method ``ready``.
    size : int, optional
        How many workers; by default as many as the cluster has processors.
    """

    def __init__(self, make: Callable[[], Any], size: int | None = None) -> None:
        if size is not None and size < 1:
            raise ValueError("workers are 1 or more")
        self._make = make
        self._size = size or processors()
        # What each reference tells of: a worker that starts (no task), or a task at a worker.
        self._awaited: dict[Any, tuple[Any, int | None]] = {}
        self._ready: list[Any] = []
        self._lost = 0

    def run(self, method: str, tasks: Sequence[tuple[Any, ...]]) -> Iterator[tuple[int, Any]]:
        """Have each task done, by a call of a worker's method with the task's arguments.

        Yields
        ------
        (int, object)
            The task's place and its result, in the order in which they are done; each once.

        Raises
        ------
        paretone.Error
            A task lost one worker after the other.
        Exception
            What the method raised.
        """
        waiting, tries = deque(range(len(tasks))), Counter[int]()
        done = 0
        for _ in range(min(self._size, len(tasks))):
            self._start()
        try:
            while done < len(tasks):
                self._hand_out(method, tasks, waiting)
                for reference in ray.wait(list(self._awaited), num_returns=1)[0]:
                    worker, task = self._awaited.pop(reference)
                    try:
                        result = ray.get(reference)
                    except LOST as error:
                        self._bury(worker, task is None, error)
                        if task is not None:
                            waiting.appendleft(task)
                            tries[task] += 1
                            _give_up_on(task, tries[task], error)
                        continue
                    except ray.exceptions.RayTaskError as error:
                        raise (error.cause or error) from None
                    if task is None:
                        self._ready.append(worker)
                    else:
                        done += 1
                        yield task, result
        finally:
            self.close()

    def close(self) -> None:
        """End all workers."""
        started = [worker for worker, task in self._awaited.values() if task is None]
        for worker in [*self._ready, *started]:
            ray.kill(worker)
        self._ready.clear()
        self._awaited.clear()

    def _start(self) -> None:
        worker = self._make()
        self._awaited[worker.ready.remote()] = (worker, None)

    def _hand_out(self, method: str, tasks: Sequence[tuple[Any, ...]], waiting: deque[int]) -> None:
        """Give the workers that are ready what they have room for, one each in turn."""
        at = Counter(id(worker) for worker, task in self._awaited.values() if task is not None)
        for _ in range(DEPTH):
            for worker in self._ready:
                if waiting and at[id(worker)] < DEPTH:
                    task = waiting.popleft()
                    self._awaited[getattr(worker, method).remote(*tasks[task])] = (worker, task)
                    at[id(worker)] += 1

    def _bury(self, worker: Any, was_starting: bool, error: Exception) -> None:
        """Start another worker in place of one that is lost, which each of its tasks tells anew."""
        if not was_starting and all(other is not worker for other in self._ready):
            return
        self._ready = [other for other in self._ready if other is not worker]
        self._lost += 1
        if self._lost > MOST_LOST * self._size:
            raise paretone.Error(f"{self._lost} workers were lost, the last one so: {error}") from error
        ray.kill(worker)
        self._start()


def _give_up_on(task: int, tries: int, error: Exception) -> None:
    if tries >= MOST_LOST:
        raise paretone.Error(f"shard {task} has lost {tries} workers, the last one so: {error}") from error
