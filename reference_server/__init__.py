"""The reference server: the chat protocol as the specification says it, and the same with one known fault.

`network` is the only package that touches sockets; `session` and `hub` decide everything else without any.
Start with `network.running` (embedded) or `network.serve_forever`.
"""
