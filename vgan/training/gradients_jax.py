"""Gradients on JAX: variables become arguments of pure functions."""

import jax
import keras


class Gradients:
    """What `VideoGAN` needs of JAX."""

    def train_step(self, state, batch):
        """What `fit` calls: values of all variables in, scalars and new values out."""
        *values, metrics = state
        groups = self._variable_groups()
        mapping = [
            pair
            for variables, group in zip(groups, values, strict=True)
            for pair in zip(variables, group, strict=True)
        ]
        with keras.StatelessScope(state_mapping=mapping) as scope:
            logs = self.update(batch)
        values = [[scope.get_current_value(v) for v in group] for group in groups]
        return logs, (*values, metrics)

    def gradients(self, loss, variables):
        """Return the gradients of `loss() -> (scalar, logs)`, and its logs.

        What `loss` assigns to variables is assigned.
        """
        own = {id(v) for v in variables}
        everything = [v for group in self._variable_groups() for v in group]
        others = [v for v in everything if id(v) not in own]
        present = [(v, v.value) for v in others]

        def pure(values):
            mapping = [*present, *zip(variables, values, strict=True)]
            with keras.StatelessScope(state_mapping=mapping) as scope:
                value, logs = loss()
            return value, (logs, [scope.get_current_value(v) for v in others])

        values = [v.value for v in variables]
        gradients, (logs, changed) = jax.grad(pure, has_aux=True)(values)
        for variable, value in zip(others, changed, strict=True):
            variable.assign(value)
        return gradients, logs

    def input_gradient(self, score, x):
        """Return the gradient of the scalar `score(x)` by the array x."""
        return jax.grad(score)(x)

    def compile_function(self, function):
        """Return the function as it is: it reads variables that change."""
        return function

    def _variable_groups(self):
        """Variables in the order in which `fit` passes their values."""
        return (
            self.trainable_variables,
            self.non_trainable_variables,
            self.optimizer.variables,
        )


def make_deterministic(seed):
    """Make every number of a run depend on the seed alone."""
    keras.utils.set_random_seed(seed)
