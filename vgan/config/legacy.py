"""Names that fields had in earlier versions, so that old runs and habits go on."""

import typing

FIELDS = {  # name then: name now
    "losses.gan": "losses.adversarial.weight",
    "losses.gan_warmup": "losses.adversarial.warmup",
    "losses.r1": "losses.adversarial.r1",
    "losses.r2": "losses.adversarial.r2",
    "losses.gradient_penalty": "losses.adversarial.gradient_penalty",
    "losses.penalty_interval": "losses.adversarial.penalty_interval",
    "losses.second_style": "losses.last_frame_style.weight",
    "losses.second_features": "losses.last_frame_style.features",
    "losses.second_grey": "losses.last_frame_style.grayscale_probability",
    "losses.aging": "losses.state_consistency",
    "losses.code": "losses.style_code",
    "train.balance": "train.d_skip_above",
    "train.laps": "train.burn_in",
}
ALARMS = {"say": "warn", "lower": "reduce_lr"}
ORDER = (  # in which the losses were summed
    *("content", "layout", "edges", "style", "last_frame_style", "reconstruction_l1"),
    *("reconstruction_l2", "distillation", "distillation_texture", "style_code"),
    *("temporal_long", "state_consistency", "adversarial", "temporal"),
)


def current_name(name: str) -> str:
    """The name that a field has now, as --set takes it."""
    return FIELDS.get(name, name)


def translate(values: typing.Any) -> typing.Any:
    """Bring a config.json of an earlier version to the names of this one.

    Args:
        values: What the file holds; what is of this version, or is no config, comes
            back as it is.
    """
    losses = values.get("losses") if isinstance(values, dict) else None
    if not isinstance(losses, dict) or "gan" not in losses:
        return values
    flat = {f"losses.{name}": value for name, value in losses.items()}
    targets = flat.pop("losses.targets", {})
    kind = flat.pop("losses.adversarial")
    features = flat.pop("losses.features", "random")
    terms = {"adversarial": {"name": kind}, "last_frame_style": {}}
    for name, value in flat.items():
        _, term, *argument = current_name(name).split(".")
        terms.setdefault(term, {})[argument[0] if argument else "weight"] = value
    for name, value in targets.items():
        terms[current_name(f"losses.{name}").split(".")[1]]["target"] = value
    critic = kind == "wasserstein"
    for name in ("r1", "r2") if critic else ("gradient_penalty",):
        terms["adversarial"].pop(name, None)
    order = [*ORDER, *(name for name in terms if name not in ORDER)]
    used = {name: terms[name] for name in order if terms.get(name, {}).get("weight")}
    train = {
        current_name(f"train.{name}").split(".")[1]: value
        for name, value in values.get("train", {}).items()
    }
    train["alarm"] = ALARMS.get(train.get("alarm"), train.get("alarm", "warn"))
    return {**values, "train": train, "losses": {"features": features, **used}}
