"""What each term costs of a training step: what to compare, and what comes of it."""

import dataclasses

import numpy as np

from vgan import InputError
from vgan import losses as room


@dataclasses.dataclass(frozen=True)
class Variant:
    """An experiment with a change of its losses, to be timed beside the others.

    Attributes:
        name: Of the term; "" for the whole step.
        kind: "whole", "noise" (the whole step once more), "used" (without a term that
            the experiment uses), "unused" (with one that it does not), "unpunished"
            (without penalties) or "penalty" (one of them, at every step).
        losses: The experiment's losses, a dict.
    """

    name: str
    kind: str
    losses: dict = dataclasses.field(compare=False)


def variants(losses, names=()):
    """Return the Variants of an experiment's losses, the whole step first.

    Args:
        losses: {name: arguments}, as an experiment has them.
        names: Of the terms and penalties to look at; all of them if there are none.

    Raises:
        InputError: There is no such term.
    """
    used = {name: weight_of(losses, name) for name in losses if name != "features"}
    adversarial = adversarial_of(losses)
    penalties = [] if adversarial is None else [*adversarial.penalties]
    terms = [*used, *(name for name in room.Loss.known if name not in used)]
    known = [*terms, *penalties]
    for name in names:
        if name not in known:
            raise InputError(f"term={name}: not here; known: {', '.join(known)}")
    found = [Variant("", "whole", losses), Variant("", "noise", losses)]
    for name in [name for name in terms if name in (names or known)]:
        weight = 0.0 if used.get(name) else 1.0
        changed = {**losses, name: {**losses.get(name, {}), "weight": weight}}
        found.append(Variant(name, "used" if used.get(name) else "unused", changed))
    chosen = [name for name in penalties if name in (names or known)]
    if chosen:
        own = {**losses["adversarial"], "penalty_interval": 1}
        none = {**own, **dict.fromkeys(penalties, 0.0)}
        found.append(Variant("", "unpunished", {**losses, "adversarial": none}))
        for name in chosen:
            one = {**none, name: adversarial.penalties[name] or 1.0}
            found.append(Variant(name, "penalty", {**losses, "adversarial": one}))
    return found


def adversarial_of(losses):
    """The adversarial loss of an experiment's losses; None without one."""
    given = {name: value for name, value in losses.items() if name == "adversarial"}
    return next(iter(room.build(given)), None)


def weight_of(losses, name):
    """What a loss weighs in an experiment's losses; 0 where it is not there."""
    return losses[name].get("weight", 1.0) if name in losses else 0.0


def figures(losses, times, cycle):
    """Return what terms and penalties cost.

    Args:
        losses: The experiment's losses, a dict.
        times: {Variant: seconds of each step}, taken in turn.
        cycle: Steps after which all that is lazy comes around again.

    Returns:
        {"step_ms", "noise_ms", "terms", "penalties"}; see `steps.measure`.
    """

    def typical(seconds):
        medians = [np.median(seconds[place::cycle]) for place in range(cycle)]
        return 1000 * float(np.mean(medians))

    kinds = {variant.kind: seconds for variant, seconds in times.items()}
    whole = kinds["whole"]
    step_ms = typical(whole)
    adversarial = adversarial_of(losses)
    rows, penalties = [], []
    for variant, seconds in times.items():
        if variant.kind in ("used", "unused"):
            # Compared step by step: what slows a round slows both.
            difference = typical(whole - seconds)
            cost = difference if variant.kind == "used" else -difference
            rows.append(
                {
                    "term": variant.name,
                    "used": variant.kind == "used",
                    "weight": weight_of(losses, variant.name),
                    "variant_ms": typical(seconds),
                    "ratio": typical(seconds) / step_ms,
                    "cost_ms": cost,
                    "share": cost / step_ms,
                }
            )
        elif variant.kind == "penalty":
            cost = typical(seconds - kinds["unpunished"])
            interval = adversarial.penalty_interval
            weight = adversarial.penalties[variant.name]
            penalties.append(
                {
                    "term": variant.name,
                    "used": bool(weight),
                    "weight": weight,
                    "taken_ms": cost,
                    "interval": interval,
                    "cost_ms": cost / interval,
                    "share": cost / interval / step_ms,
                }
            )
    return {
        "step_ms": step_ms,
        "noise_ms": abs(typical(whole - kinds["noise"])),
        "terms": sorted(rows, key=lambda row: (not row["used"], -row["cost_ms"])),
        "penalties": penalties,
    }


def lines(facts):
    """What the terminal shows of what `measure` gave."""
    setup, waiting = facts["setup"], facts["pipeline"]
    shown = [
        f"{setup['batch']}; median of {setup['steps']} steps",
        f"{setup['machine']}; {setup['versions']}",
        "",
        f"{'':28}{'ms':>9}{'share':>9}",
        _line("whole step", facts["step_ms"], 1),
        _line("(noise of it)", facts["noise_ms"], facts["noise_ms"] / facts["step_ms"]),
    ]
    titles = {True: "what a term costs", False: "what an unused term would add"}
    for used, title in titles.items():
        rows = [row for row in facts["terms"] if row["used"] == used]
        shown += ["", title] if rows else []
        shown += [_line(f"  {r['term']}", r["cost_ms"], r["share"]) for r in rows]
    if facts["penalties"]:
        interval = facts["penalties"][0]["interval"]
        shown += ["", f"what a penalty costs, taken every {interval} steps"]
        for row in facts["penalties"]:
            name = row["term"] + ("" if row["used"] else " (unused)")
            line = _line(f"  {name}", row["cost_ms"], row["share"])
            shown.append(f"{line}   ({row['taken_ms']:.1f} ms when taken)")
    shown += ["", *(f"{name}: {why}" for name, why in facts["left_out"].items())]
    return [
        *shown,
        f"The input pipeline keeps training waiting for {waiting['wait_ms']:.1f} ms "
        f"beside {waiting['step_ms']:.1f} ms of work, which it slows, "
        f"{100 * waiting['wait_share']:.1f} % of the time.",
        f"Alone, it gives a batch every {waiting['alone_ms']:.1f} ms, "
        f"{waiting['alone_per_second']:.1f} a second.",
    ]


def _line(name, milliseconds, share):
    return f"{name:28}{milliseconds:9.1f}{100 * share:7.1f} %"
