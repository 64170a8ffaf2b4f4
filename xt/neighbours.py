"""Exact nearest neighbours by dot product, both ways in one pass over the similarity matrix, of which only a block is
ever held."""

from dataclasses import dataclass

import torch

BLOCK_ROWS, BLOCK_COLUMNS = 1024, 8192
"""What is held of the similarity matrix: 32 MiB of float32, and a few times that while its best are found."""


@dataclass(frozen=True)
class Neighbours:
    """For each of N vectors its K best, best first; of equal ones the one of lower place first."""

    scores: torch.Tensor  # (N, K) float32 dot products
    places: torch.Tensor  # (N, K) int64 places among the others


def neighbours(rows: torch.Tensor, columns: torch.Tensor, count: int, device) -> tuple[Neighbours, Neighbours]:
    """(the `count` best columns of each row, the `count` best rows of each column), or all where there are fewer.

    `rows` (N, H), `columns` (M, H) float32. Each block of the product is computed once, on `device`.
    """
    best_rows = [nothing_found(len(part), device) for part in columns.split(BLOCK_COLUMNS)]
    of_rows = []
    for first_row, row_part in enumerate_parts(rows, BLOCK_ROWS):
        best, row_part = nothing_found(len(row_part), device), row_part.to(device)
        for place, (first_column, column_part) in enumerate(enumerate_parts(columns, BLOCK_COLUMNS)):
            block = row_part @ column_part.to(device).T
            best = merge(best, highest(block, count), first_column, count)
            best_rows[place] = merge(best_rows[place], highest(block.T, count), first_row, count)
        of_rows.append(best)
    return join(of_rows), join(best_rows)


def ranked(queries: torch.Tensor, candidates: torch.Tensor, count: int, device) -> Neighbours:
    """The `count` best candidates of each query, or all where there are fewer; one way only."""
    of_queries = []
    for part in queries.split(BLOCK_ROWS):
        best, part = nothing_found(len(part), device), part.to(device)
        for first, block in enumerate_parts(candidates, BLOCK_COLUMNS):
            best = merge(best, highest(part @ block.to(device).T, count), first, count)
        of_queries.append(best)
    return join(of_queries)


def highest(scores: torch.Tensor, count: int) -> Neighbours:
    """The `count` highest of each row of (B, M) scores, of equal ones those of lower place, always."""
    if scores.shape[1] <= count:
        return Neighbours(*scores.sort(dim=1, descending=True, stable=True))
    values, places = scores.topk(count + 1, dim=1)
    undecided = values[:, count - 1] == values[:, count]
    places = places[:, :count].sort(dim=1).values
    if undecided.any():
        places[undecided] = scores[undecided].sort(dim=1, descending=True, stable=True).indices[:, :count]
        places = places.sort(dim=1).values
    values, order = scores.gather(1, places).sort(dim=1, descending=True, stable=True)
    return Neighbours(values, places.gather(1, order))


def merge(best: Neighbours, fresh: Neighbours, offset: int, count: int) -> Neighbours:
    """The `count` best of what was found before and what was found behind it, from place `offset` on."""
    values = torch.cat([best.scores, fresh.scores], dim=1)
    places = torch.cat([best.places, fresh.places + offset], dim=1)
    values, order = values.sort(dim=1, descending=True, stable=True)
    return Neighbours(values[:, :count], places.gather(1, order[:, :count]))


def nothing_found(size: int, device) -> Neighbours:
    """No neighbours yet, for `size` vectors."""
    return Neighbours(torch.empty(size, 0, device=device), torch.empty(size, 0, dtype=torch.long, device=device))


def enumerate_parts(vectors: torch.Tensor, size: int):
    """(place of the first, part) of vectors cut into parts of at most `size`."""
    return zip(range(0, len(vectors), size), vectors.split(size), strict=True)


def join(parts: list[Neighbours]) -> Neighbours:
    """The neighbours of consecutive parts in one, on the host."""
    return Neighbours(
        torch.cat([part.scores for part in parts]).cpu(), torch.cat([part.places for part in parts]).cpu()
    )
