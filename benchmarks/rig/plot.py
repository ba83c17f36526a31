"""A result as a picture: a panel a case, a bar a contestant at its median, a dot a run."""

from __future__ import annotations

from pathlib import Path

from benchmarks.rig.result import RESULTS, Result

INK = {"headrace": "#0b6e8f", "nginx": "#5b8c3e", "tensorzero": "#b4632a", "openai": "#8a5a9c"}
OTHER = "#8d8d8d"


def draw(result: Result, folder: Path = RESULTS) -> Path | None:
    """Draw the result into `folder`; None where matplotlib is not installed (make bench installs it)."""
    try:
        import matplotlib as mpl
    except ImportError:
        return None
    mpl.use("Agg")
    from matplotlib import pyplot

    cases = list(dict.fromkeys(row.case for row in result.measures))
    figure, panels = pyplot.subplots(1, len(cases), figsize=(3.4 * len(cases), 3.6), squeeze=False)
    for panel, case in zip(panels[0], cases, strict=True):
        rows = [row for row in result.measures if row.case == case]
        inks = [next((ink for name, ink in INK.items() if row.who.startswith(name)), OTHER) for row in rows]
        panel.bar(range(len(rows)), [row.median for row in rows], color=inks, width=0.6)
        for place, row in enumerate(rows):
            panel.plot([place] * len(row.runs), row.runs, "o", color="black", markersize=2.5, alpha=0.6)
        panel.set_xticks(range(len(rows)), [f"{row.who}\n{row.median:.3g}" for row in rows], fontsize=7)
        panel.set_ylabel(rows[0].unit, fontsize=8)
        panel.set_title(case, fontsize=8)
        panel.spines[["top", "right"]].set_visible(False)
    machine = result.machine
    figure.suptitle(result.title, fontsize=10)
    note = f"{result.date}, {machine.cores} cores, {machine.cpu}, Linux {machine.kernel}; dots are runs"
    figure.text(0.01, 0.01, note, fontsize=6)
    figure.tight_layout(rect=(0, 0.03, 1, 1))
    path = folder / f"{result.name}.png"
    figure.savefig(path, dpi=130)
    pyplot.close(figure)
    return path
