"""Measured costs that were invented: known ratios between arms, noise of each process, languages of known length."""

from collections.abc import Mapping
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from xt.costs import COST_SCHEMA, write_costs
from xt.results import write_run

TOKENS = {"en": 20.0, "zh": 40.0}
NONE, NOTHING = pd.DataFrame(), {}


def write_cost_study(
    results: Path,
    study: str = "lab-cost",
    *,
    encoders: Mapping[str, float] | None = None,
    target: str = "xquad",
    ratios: Mapping[str, float] | None = None,
    num_rounds: int = 12,
    noise: float = 0.01,
    tokens: Mapping[str, float] = TOKENS,
    layers: tuple[int, ...] = (4,),
    features: Mapping[str, float] = NOTHING,
    left_out: Mapping[str, str] = NOTHING,
    seed: int = 1,
) -> None:
    """One measurement per encoder, of milliseconds per batch of one English feature; `ratios` are those of the arms,
    `features` those of an example by language."""
    encoders, ratios = encoders or {"lab-base": 10.0}, ratios or {"none": 1.0, "squad": 1.0}
    for number, (encoder, base) in enumerate(encoders.items()):
        run_id = f"efficiency-{target}-{encoder.replace('-', '_')}-s1-{number:012x}"
        row = dict(
            run_id=run_id, phase="efficiency", encoder=encoder, intermediate="+".join(ratios), target=target, seed=1,
            model_id=None, parent_id=None, status="done", seconds=60.0, num_train_examples=None, num_truncated=None,
            outcome="ok", selection_score=None, data_status="generated", code_version="test", device="a processor",
            precision="fp32", num_threads=1, libraries="numpy 2",
        )  # fmt: skip
        rng = np.random.default_rng([seed, number])
        tables = invent_tables(base, ratios, num_rounds, noise, tokens, layers, features, left_out, rng)
        write_run(results / study, run_id, NONE, row, NONE)
        write_costs(results / study, run_id, tables)


def invent_tables(base, ratios, num_rounds, noise, tokens, layers, features, left_out, rng) -> dict[str, pd.DataFrame]:
    """The tables; all that a process measures is off by a factor of its own."""
    tables = {name: [] for name in ("processes", "texts", "work", "latencies")}
    for order, (number, arm) in enumerate(product(range(num_rounds), ratios)):
        key = {"round": number, "order": order, "intermediate": arm, "backend": "eager"}
        cost = base * ratios[arm] * np.exp(rng.normal(0, noise))
        for count in (1, 16):
            memory, high = 300 + base * count, 20 + rng.uniform(0, 1)
            tables["processes"].append(key | dict(
                batch_size=count, num_parameters=1000, disk_mib=4.0, load_seconds=1.0, ready_seconds=0.5,
                base_memory_mib=250.0, memory_mib=memory, peak_memory_mib=memory * ratios[arm] + high,
                device_memory_mib=None, joules=None,
                features_per_second=1000 * count / (cost * count**0.7)))  # fmt: skip
        for code, length in tokens.items():
            tables["texts"].append(key | dict(
                eval_language=code, tokenize_ms=length / 100, num_tokens=length,
                features_per_example=features.get(code, 1.0)))  # fmt: skip
            for depth in layers:
                tables["work"].append(key | dict(eval_language=code, num_layers=depth, flops=1e6 * length * depth))
                for count, repeat in product((1, 16), range(3)):
                    spent = cost * count**0.7 * length / TOKENS["en"] * depth / max(layers)
                    spent *= np.exp(rng.normal(0, 0.02))
                    tables["latencies"].append(key | dict(
                        eval_language=code, batch_size=count, num_layers=depth, number=repeat, milliseconds=spent,
                        padded_tokens=int(count * length)))  # fmt: skip
    tables["left_out"] = [{"backend": name, "reason": why} for name, why in left_out.items()]
    return {name: pd.DataFrame(rows, columns=list(COST_SCHEMA[name])) for name, rows in tables.items()}
