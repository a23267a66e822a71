"""The leaderboard of adversarial losses as a table in Markdown."""

import math

from vgan.metrics import show

COLUMNS = {
    "score": "score ↑",
    "style_strength": "style strength ↑",
    "edge_correlation": "edge correlation ↑",
    "content_distance": "content distance ↓",
    "known_flow_error": "warping error ↓",
    "temporal_consistency": "temporal consistency ↑",
}


def markdown(facts):
    """Return the table, best loss first, and below it how it was made.

    Args:
        facts: As `leaderboard.measure` gives them, with the command in their setup.
    """
    losses = {}
    for row in facts["runs"]:
        losses.setdefault(row["adversarial"], []).append(row)
    heads = ["loss", *COLUMNS.values(), "D's advantage at 25, 50, 75, 100 %"]
    lines = [
        _row([*heads, "collapse"]),
        _row(["---"] * (len(heads) + 1)),
        *(
            _row(_cells(loss, losses[loss]))
            for loss in sorted(losses, key=_rank(losses))
        ),
    ]
    setup = facts["setup"]
    seeds = "One seed"
    if setup["seeds"] > 1:
        seeds = f"Mean over {setup['seeds']} seeds ± half of the range"
    return "\n".join(lines) + (
        f"\n\n{seeds}; {setup['steps']} steps each; "
        f"measured on {setup['clips']}, by the averaged generator alone, in the "
        f"`{setup['features']}` features. The score is the geometric mean of style "
        "strength, edge correlation and temporal consistency. The advantage of the "
        "discriminator D is 0 where it cannot tell real from generated, and 1 where it "
        "always can. Collapse: what the alarm said, and runs that stopped, which have "
        f"no figures.\n\nOn {setup['machine']}; {setup['versions']}:\n\n"
        f"    {setup['command']}"
    )


def _rank(losses):
    """Key to sort losses by: those that stopped last, then by score."""

    def key(loss):
        rows = losses[loss]
        stopped = sum(row["figures"] is None for row in rows)
        scores = [_figure(row, "score") for row in rows]
        known = [score for score in scores if score is not None]
        return stopped, -(sum(known) / len(known)) if known else math.inf

    return key


def _cells(loss, rows):
    figures = [
        _mean_and_range(
            [_figure(row, name) for row in rows], lambda x, name=name: _show(name, x)
        )
        for name in COLUMNS
    ]
    advantage = [
        _mean_and_range(values, lambda x: f"{x:.2f}")
        for values in zip(*(row["advantage"] for row in rows), strict=True)
    ]
    return [loss, *figures, ", ".join(advantage), _collapse(rows)]


def _collapse(rows):
    reasons = {}
    for row in rows:
        for line in row["alarms"]:
            step, _, what = line.partition(": ")
            reasons.setdefault(what.partition(":")[0], step)
        if row["stopped"] and not row["alarms"]:
            reasons.setdefault(row["stopped"].partition(";")[0], "stopped")
    fallen = sum(bool(row["alarms"] or row["stopped"]) for row in rows)
    if not fallen:
        return "no"
    why = "; ".join(f"{what} ({step})" for what, step in reasons.items())
    return f"{fallen} of {len(rows)}: {why}"


def _figure(row, name):
    return row["figures"] and row["figures"][name]


def _show(name, value):
    return (
        f"{value:.2f}"
        if name in ("score", "temporal_consistency")
        else show(name, value)
    )


def _mean_and_range(values, text):
    """Mean ± half of the range of the values that are known."""
    known = [value for value in values if value is not None]
    if not known:
        return "-"
    middle = text(sum(known) / len(known))
    if len(known) == 1:
        return middle
    return f"{middle} ± {text((max(known) - min(known)) / 2)}"


def _row(cells):
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"
