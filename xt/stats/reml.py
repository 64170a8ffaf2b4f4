"""Linear mixed models with crossed random effects, by restricted maximum likelihood (REML).

    y = X b + sum_k Z_k u_k + e        u_k ~ N(0, sigma2 * ratio_k I), e ~ N(0, sigma2 I)

Each Z_k says which level of one grouping (language, target x language, ...) a row belongs to, times a number where the
effect is a slope. Nothing is nested: all groupings may cross. The criterion is that of Bates et al. 2015 (lme4, section
2.3), profiled over b and sigma2, with its gradient; the matrix that is factored has as many rows as there are levels.

statsmodels' MixedLM fits the same model: a test holds both together. It needs 40 seconds for 1,600 rows and six
groupings where this needs one, and where a variance ends at 0 it gives some coefficients no standard error.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from xt.errors import DataError

AT_BOUNDARY = 1e-6
"""Ratio of a variance to the residual one below which it is said to be 0."""


@dataclass(frozen=True, slots=True)
class Grouping:
    """One random effect: which level each row belongs to."""

    levels: np.ndarray
    """(N,) the level of each row, of any type that can be sorted."""
    values: np.ndarray | None = None
    """(N,) what the level's effect is multiplied with; None: 1, an intercept."""


@dataclass(frozen=True, slots=True)
class MixedFit:
    """A fitted model."""

    estimates: np.ndarray
    """(P,) b."""
    covariance: np.ndarray
    """(P, P) of the estimates, given the variances: that these are estimated is not counted."""
    residual_variance: float
    """sigma2."""
    ratios: Mapping[str, float]
    """Name of a grouping -> its variance / sigma2."""
    num_levels: Mapping[str, int]
    """Name of a grouping -> how many levels it has."""
    criterion: float
    """-2 log restricted likelihood, without constants."""
    converged: bool
    """Whether the search for the ratios ended at a minimum."""
    message: str
    """What the search said at its end."""

    @property
    def at_boundary(self) -> tuple[str, ...]:
        """The groupings whose variance ended at 0."""
        return tuple(name for name, ratio in self.ratios.items() if ratio < AT_BOUNDARY)


def fit_reml(y: np.ndarray, x: np.ndarray, groupings: Mapping[str, Grouping]) -> MixedFit:
    """Fits y (N,) on the columns of x (N, P) with these random effects.

    Raises DataError where columns of x depend on each other, or fewer rows than columns are left.
    """
    from scipy.optimize import minimize

    rank, (num_rows, num_columns) = np.linalg.matrix_rank(x), x.shape
    if rank < num_columns or num_rows <= num_columns:
        raise DataError(f"{num_columns} fixed effects of rank {rank} on {num_rows} rows; allowed: independent columns")
    problem = Problem(y, x, groupings)
    start = np.full(len(groupings), 0.5)
    found = minimize(problem.evaluate, start, jac=True, method="L-BFGS-B", bounds=[(0, None)] * len(start))
    estimates, covariance, sigma2 = problem.estimate(found.x)
    ratios = dict(zip(groupings, map(float, found.x), strict=True))
    sizes = dict(zip(groupings, map(int, problem.sizes), strict=True))
    return MixedFit(estimates, covariance, sigma2, ratios, sizes, float(found.fun), bool(found.success), found.message)


class Problem:
    """The cross products of one data set, from which the criterion at any variance ratios follows."""

    def __init__(self, y: np.ndarray, x: np.ndarray, groupings: Mapping[str, Grouping]):
        from scipy import sparse

        blocks = []
        for grouping in groupings.values():
            names, places = np.unique(grouping.levels, return_inverse=True)
            values = np.ones(len(y)) if grouping.values is None else grouping.values
            blocks.append(sparse.csr_matrix((values, (np.arange(len(y)), places)), (len(y), len(names))))
        z = sparse.hstack(blocks, format="csr")
        self.sizes = np.array([block.shape[1] for block in blocks])
        self.df = len(y) - x.shape[1]
        xy = np.column_stack([x, y])
        self.zz, self.zxy, self.xyxy = (z.T @ z).toarray(), z.T @ xy, xy.T @ xy

    def solve(self, ratios: np.ndarray) -> tuple:
        """(Cholesky factor of M = I + L Z'Z L, L as a vector, (L Z'[X y], M^-1 of it), [X y]' V^-1 [X y])."""
        from scipy.linalg import cho_factor, cho_solve

        scale = np.repeat(np.sqrt(ratios), self.sizes)
        matrix = scale[:, None] * self.zz * scale + np.eye(len(scale))
        factor = cho_factor(matrix, lower=True, overwrite_a=True, check_finite=False)
        right = scale[:, None] * self.zxy
        solved = cho_solve(factor, right, check_finite=False)
        return factor, scale, (right, solved), self.xyxy - right.T @ solved

    def estimate(self, ratios: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
        """(b, its covariance, sigma2) at these ratios: generalised least squares."""
        *_, cross = self.solve(ratios)
        inverse = np.linalg.inv(cross[:-1, :-1])
        estimates = inverse @ cross[:-1, -1]
        sigma2 = float(cross[-1, -1] - cross[-1, :-1] @ estimates) / self.df
        return estimates, sigma2 * inverse, sigma2

    def evaluate(self, ratios: np.ndarray) -> tuple[float, np.ndarray]:
        """(-2 log restricted likelihood without constants, its gradient in the ratios).

        d/d ratio_k = tr(Z_k' P Z_k) - |Z_k' P y|^2 / sigma2, with P y = V^-1 (y - X b).
        """
        from scipy.linalg import cho_solve

        factor, scale, (_, solved), cross = self.solve(ratios)
        inverse = np.linalg.inv(cross[:-1, :-1])
        estimates = inverse @ cross[:-1, -1]
        sigma2 = (cross[-1, -1] - cross[-1, :-1] @ estimates) / self.df
        half = 2 * np.log(np.diag(factor[0])).sum()
        criterion = half + np.linalg.slogdet(cross[:-1, :-1])[1] + self.df * np.log(sigma2)
        scaled = self.zz * scale
        rest = self.zxy - scaled @ solved  # Z' V^-1 [X y]
        traces = np.diag(self.zz) - np.einsum("ij,ji->i", scaled, cho_solve(factor, scaled.T, check_finite=False))
        traces = traces - np.einsum("ij,jk,ik->i", rest[:, :-1], inverse, rest[:, :-1])
        effects = rest[:, -1] - rest[:, :-1] @ estimates
        starts = np.cumsum(self.sizes) - self.sizes
        return float(criterion), np.add.reduceat(traces - effects**2 / sigma2, starts)
