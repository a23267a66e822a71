"""A user's file or camera in, a finished one out: the whole of a command."""
