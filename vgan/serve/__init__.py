"""The live page: a browser sends frames, the model paints them, the page shows them.

`network` runs the model for all connections, one call at a time in a thread of its own;
`shelf` holds the styles; `live` is one page's stream of frames; `jobs` paints whole
films, each in a process of its own (`worker`), so that one can be cancelled or die and
the others go on. `guard` decides who may ask, `uploads` takes files in, `scratch` is
the one folder that the server writes to. `handlers` answer at the addresses, `app` and
`run` put all together.
"""
