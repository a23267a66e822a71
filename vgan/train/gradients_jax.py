"""Gradients on JAX: variables become arguments of pure functions."""

import typing
from collections.abc import Callable

import jax
import keras
from keras import KerasTensor


class Gradients:
    """What `VideoGAN` needs of JAX."""

    pictures = None  # what `update` takes beside the batch

    def train_step(
        self, state: tuple, batch: dict[str, KerasTensor], pictures: typing.Any = None
    ) -> tuple[dict[str, KerasTensor], tuple]:
        """What `fit` calls: values of all variables in, scalars and new values out."""
        *values, metrics = state
        groups = self._variable_groups()
        mapping = [
            pair
            for variables, group in zip(groups, values, strict=True)
            for pair in zip(variables, group, strict=True)
        ]
        with keras.StatelessScope(state_mapping=mapping) as scope:
            logs = self.update(batch, pictures)
        values = [[scope.get_current_value(v) for v in group] for group in groups]
        return logs, (*values, metrics)

    def make_train_function(self, force: bool = False) -> None:
        """Compile the step such that an interrupted one leaves all as it was.

        Keras takes the values out of the variables and gives their memory to the step:
        Ctrl-C while it runs, or is compiled, would leave nothing to save. It also waits
        for a step where it ignores exceptions, Ctrl-C among them.
        """
        if self.train_function is not None and not force:
            return
        layout = _layout()
        everywhere, here = _spread(layout) if layout else (_same, _same)
        # None is as good as nothing said.
        step = jax.jit(self.train_step, out_shardings=layout)
        pictures = everywhere(self.pictures)
        variables = [v for group in self._variable_groups() for v in group]

        def train_function(state, iterator):
            batch = next(iterator)
            _assign(variables, [value for group in state[:-1] for value in group])
            logs, state = here(step(everywhere(state), batch, pictures))
            return jax.block_until_ready(logs), state

        self.train_function = train_function

    def gradients(
        self,
        loss: Callable[[], tuple[KerasTensor, dict[str, KerasTensor]]],
        variables: list[keras.Variable],
        optimizer: keras.optimizers.Optimizer | None = None,
    ) -> tuple[list[KerasTensor], dict[str, KerasTensor]]:
        """Return the gradients of `loss() -> (scalar, logs)`, and its logs.

        What `loss` assigns to variables is assigned. With an optimizer that scales its
        loss, they are the gradients of the scaled loss, as `apply` takes them.
        """
        own = {id(v) for v in variables}
        everything = [v for group in self._variable_groups() for v in group]
        others = [v for v in everything if id(v) not in own]
        present = [(v, v.value) for v in others]

        def pure(values):
            mapping = [*present, *zip(variables, values, strict=True)]
            with keras.StatelessScope(state_mapping=mapping) as scope:
                value, logs = loss()
                if optimizer is not None:
                    value = optimizer.scale_loss(value)
            return value, (logs, [scope.get_current_value(v) for v in others])

        values = [v.value for v in variables]
        gradients, (logs, changed) = jax.grad(pure, has_aux=True)(values)
        _assign(others, changed)
        return gradients, logs

    def apply(
        self,
        optimizer: keras.optimizers.Optimizer,
        gradients: list[KerasTensor],
        variables: list[keras.Variable],
    ) -> None:
        """Let the optimizer change the variables that it was built with."""
        # Also within a `StatelessScope`, where a scaled loss branches: pure functions.
        _assign(*_applied(optimizer, gradients, variables))

    def apply_if(
        self,
        due: KerasTensor,
        optimizer: keras.optimizers.Optimizer,
        gradients: list[KerasTensor],
        variables: list[keras.Variable],
    ) -> None:
        """The same where the boolean `due` holds; else nothing changes at all."""
        changing = [*variables, *optimizer.variables]
        values = jax.lax.cond(
            due,
            lambda: _applied(optimizer, gradients, variables)[1],
            lambda: [v.value for v in changing],
        )
        _assign(changing, values)

    def input_gradient(
        self, score: Callable[[KerasTensor], KerasTensor], x: KerasTensor
    ) -> KerasTensor:
        """Return the gradient of the scalar `score(x)` by the array x."""
        return jax.grad(score)(x)

    def compile_function(self, function: Callable) -> Callable:
        """Return the function compiled for its shapes.

        It reads this model's variables as they are at each call, and may assign.
        """
        variables = [v for group in self._variable_groups() for v in group]

        @jax.jit
        def pure(values, *arguments):
            mapping = zip(variables, values, strict=True)
            with keras.StatelessScope(state_mapping=mapping) as scope:
                result = function(*arguments)
            # jit hands through what is not changed; nothing is copied.
            return result, [scope.get_current_value(v) for v in variables]

        def compiled(*arguments):
            self.jax_state_sync()  # within `fit`, values are not in the variables
            result, values = pure([v.value for v in variables], *arguments)
            _assign(variables, values)
            return result

        return compiled

    def _variable_groups(self):
        """Variables in the order in which `fit` passes their values."""
        return (
            self.trainable_variables,
            self.non_trainable_variables,
            self.optimizer.variables,
        )


def compiled(update: Callable) -> Callable:
    """Return a method of the step that may be called outside of compiled code, too."""
    return update


def accelerator() -> tuple[bool, int | None]:
    """Whether there is one, and the bytes of its memory left; None if unknown."""
    device = jax.local_devices()[0]
    stats = device.memory_stats() or {}
    free = stats.get("bytes_limit", 0) - stats.get("bytes_in_use", 0)
    return device.platform != "cpu", free or None


def make_deterministic(seed: int) -> None:
    """Make every number of a run depend on the seed alone."""
    keras.utils.set_random_seed(seed)


def conv3d_precision(precision: str) -> str:
    """Return the precision that 3-D convolutions can be trained in: this one."""
    return precision


def _layout():
    """How an array lies whole on each device of `keras.distribution`; None without."""
    distribution = keras.distribution.distribution()
    if distribution is None:
        return None
    return keras.distribution.TensorLayout((), distribution.device_mesh).backend_layout


def _spread(layout):
    """Functions of trees of arrays: to all devices of all processes, and back.

    A step needs its arrays on all devices. All else takes those of the first device
    here: it is as without a distribution, and waits for no other process.
    """
    known = {}  # {id of an array here: (itself, what it is the part of)}

    def everywhere(tree):
        def spread(x):
            if id(x) in known:
                return known[id(x)][1]
            return jax.make_array_from_process_local_data(layout, x)

        return jax.tree.map(spread, tree)

    def here(tree):
        known.clear()

        def own(whole):
            x = whole.addressable_data(0)
            known[id(x)] = x, whole
            return x

        return jax.tree.map(own, tree)

    return everywhere, here


def _same(tree):
    return tree


def _applied(optimizer, gradients, variables):
    """[variables of both], and the values that they would have after `apply`."""
    values, state = optimizer.stateless_apply(
        [v.value for v in optimizer.variables],
        gradients,
        [v.value for v in variables],
    )
    return [*variables, *optimizer.variables], [*values, *state]


def _assign(variables, values):
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
