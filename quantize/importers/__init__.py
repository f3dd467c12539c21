"""Networks of other tools as networks of integers: NIR, snnTorch and SpikingJelly.

::

    made = import_nir("net.nir", steps=8)      # or import_snntorch(module, input), import_spikingjelly(...)
    print(made.report)
    made.network.save("net.safetensors")

A tool's network becomes a graph of operations (:mod:`..graph`), the graph becomes layers of real numbers
(:mod:`.assemble`, :mod:`.real_network`), and these become integers, exactly or with every change reported
(:mod:`.discretise`, :mod:`.report`). What rounding did is measured with the golden model, against the same
network as finely as integers can say it (:mod:`.finest`). What has no exact form is refused, all of it at
once, by name.
"""
