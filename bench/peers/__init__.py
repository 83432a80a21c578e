"""Other people's claim extractors beside ours, each in a process of its own; none is a dependency of the project.

``python -m bench.peers`` runs those that can be had. This file imports nothing: a peer's worker may run in a virtual
environment that has none of our libraries.
"""
