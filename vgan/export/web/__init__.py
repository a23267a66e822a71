"""A page that paints in the browser alone: static files, without any server."""
