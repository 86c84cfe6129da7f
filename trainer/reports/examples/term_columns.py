"""Term columns: where a term objects, as the shapes of its values and of the examples suggest."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from trainer.reports.examples.kinds import is_image, shortened
from trainer.reports.examples.objections import CurveValues, HeatMaps, Objections, PairValues, PointValues, Tiles
from trainer.reports.examples.places import bounds_of, placed_points, underlay
from trainer.reports.examples.shown import Shown, Values


def of_term(shown: Shown, name: str) -> Objections:
    """Returns the column of a term: a map of its values, or one value for each example."""
    is_masked = np.isnan(shown.terms[name].averaged(1))
    notes = zip(is_masked, shown.means[name], strict=True)
    about = {
        "title": f"{shortened(name)}\n{_role(shown, name)}",
        "term": name.partition("/")[0],
        "notes": ["masked" if masked else f"mean {mean:.3g}" for masked, mean in notes],
    }
    return _map_of(shown, shown.terms[name], about)


def _map_of(shown: Shown, values: Values, about: Mapping[str, Any]) -> Objections:
    shape = values.totals.shape[1:]
    points = placed_points(shown)
    if points is not None and len(shape) > 0:
        count = points.shape[1]
        placed = {"points": points, "bounds": bounds_of(shown), **about}
        if shape[0] == count and len(shape) < 3:
            return PointValues(values=values.averaged(2), **placed)
        if shape == (count * (count - 1) // 2,):
            return PairValues(values=values.averaged(2), **placed)
    if is_image(shape):
        return HeatMaps(values=values.averaged(3), under=underlay(shown, shape[:2]), **about)
    if len(shape) > 2 and min(shape[:2]) > 1:
        return HeatMaps(values=values.averaged(3), **about)
    if len(shape) > 0 and shape[0] > 1:
        return CurveValues(values=values.averaged(2), **about)
    return Tiles(values=values.averaged(1), **{**about, "notes": ()})


def _role(shown: Shown, name: str) -> str:
    """Returns what a picture of a term says beside its name: its weight, and which of several tensors is shown."""
    term, _, tensor = name.partition("/")
    weight = shown.weights.get(term, 1.0)
    words = [f"\N{MULTIPLICATION SIGN} {weight:.3g}" if weight else "weight 0"]
    words += [f"1 of {shown.of_tensors[term]} tensors"] if tensor and shown.of_tensors.get(term, 1) > 1 else []
    return ", ".join(words)
