"""What is done every so many steps of training, and once more at its end."""

import keras


class Periodic(keras.callbacks.Callback):
    """Calls `act(step)`, never twice at one step.

    Args:
        every: Steps.
    """

    def __init__(self, every: int):
        super().__init__()
        self.every = every
        self.done = None

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Act when it is time."""
        if int(self.model.step.value) % self.every == 0:
            self.run()

    def on_train_end(self, logs: dict | None = None) -> None:
        """Act on what the run ended with."""
        self.run()

    def run(self) -> None:
        """Act now, unless it is done at this step."""
        step = int(self.model.step.value)
        if step != self.done:
            self.act(step)
            self.done = step
