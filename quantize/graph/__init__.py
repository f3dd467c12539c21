"""Networks of other tools as a graph of operations, in the words that conversion and import share.

A :class:`.graph.Graph` holds what a network is made of, each part behind those that feed it: weights, gains,
pooling (:mod:`.operations`), and neurons (:mod:`.neurons`). Each says which shape it gives, or why it cannot
take what comes; what cannot be taken is gathered in :class:`.refusals.Refusals`, so that one error names it
all. :mod:`.torch_reader` reads a torch module into a graph; only the ``torch_`` modules need torch.
"""
