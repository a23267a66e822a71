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
        """Return the gradients of `loss() -> (scalar, logs)`, and its logs."""
        present = {
            id(v): (v, v.value) for group in self._variable_groups() for v in group
        }

        def pure(values):
            given = {
                id(v): (v, value) for v, value in zip(variables, values, strict=True)
            }
            mapping = [*{**present, **given}.values()]
            with keras.StatelessScope(state_mapping=mapping) as scope:
                value, logs = loss()
            return value, (logs, scope.get_current_value(self.seed.state))

        values = [v.value for v in variables]
        gradients, (logs, seed) = jax.grad(pure, has_aux=True)(values)
        self.seed.state.assign(seed)
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
