"""Exact nearest neighbours of 40,000 and 20,000 vectors both ways, against faiss-cpu's exact index."""

import time

from tests.benchmarks import frame

TAKES = "40,000 x 20,000 x 768 both ways, three times each; needs faiss-cpu; three minutes"
COUNT = 4
"""Neighbours, as margins of mined pairs take."""
FAISS = "faiss.IndexFlatIP(768).add(columns).search(rows, 4), and the same the other way round; threads as torch"
TOLERANCE = 1e-5
"""Two dot products of unit vectors that are nearer than this are one to float32."""


def measure(tiny: bool = False):
    """Seconds of both, and how many neighbours differ by more than rounding."""
    import torch

    from xt.neighbours import neighbours

    torch.manual_seed(0)
    sizes, width = ((400, 200), 16) if tiny else ((40_000, 20_000), 768)
    rows, columns = draw(*sizes, width)
    found = {}

    def ours(_):
        return clock(found, "xt", lambda: neighbours(rows, columns, COUNT, "cpu"))

    def theirs(_):
        return clock(found, "faiss", lambda: (search(rows, columns), search(columns, rows)))

    contestants = {"xt": ours} | ({"faiss": theirs} if has_faiss() else {})
    measured = frame.alternate(contestants, 1 if tiny else 3)
    what = f"neighbours, {sizes[0]} x {sizes[1]} x {width}, both ways"
    if "faiss" not in contestants:
        seconds = float(measured["seconds"].median())
        return frame.table([frame.row(what, seconds, "seconds", arguments=FAISS, note="faiss-cpu is not installed")])
    judged, different = frame.compare(measured, "xt", "faiss"), count_different(found["xt"], found["faiss"])
    row = frame.row(what, judged.pop("this"), "seconds", "ratio > 1", arguments=FAISS, **judged)
    rounding = f"of {sum(sizes) * COUNT}; scores apart by more than {TOLERANCE}"
    return frame.table([row, frame.row("neighbours that differ", different, "", "this <= 0", note=rounding)])


def draw(num_rows: int, num_columns: int, width: int):
    """Unit vectors; each column is near to one of the rows."""
    import torch
    from torch.nn.functional import normalize

    rows = torch.randn(num_rows, width)
    columns = rows[:num_columns] + torch.randn(num_columns, width)
    return normalize(rows, dim=1), normalize(columns, dim=1)


def clock(found: dict, name: str, task) -> dict:
    """Wall and processor seconds of a task, whose result is noted."""
    started = time.perf_counter(), time.process_time()
    found[name] = task()
    return dict(seconds=time.perf_counter() - started[0], processor_seconds=time.process_time() - started[1])


def has_faiss() -> bool:
    """Whether faiss can be imported."""
    from importlib.util import find_spec

    return find_spec("faiss") is not None


def search(queries, candidates):
    """(scores, places) of the best candidates by faiss."""
    import faiss
    import torch

    faiss.omp_set_num_threads(torch.get_num_threads())
    index = faiss.IndexFlatIP(queries.shape[1])
    index.add(candidates.numpy())
    return index.search(queries.numpy(), COUNT)


def count_different(ours, theirs) -> int:
    """Neighbours at a rank whose scores are apart by more than rounding."""
    import torch

    return sum(
        int(((one.scores - torch.from_numpy(scores)).abs() > TOLERANCE).sum())
        for one, (scores, _) in zip(ours, theirs, strict=True)
    )
