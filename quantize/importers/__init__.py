"""Networks of other tools as networks of integers: NIR, snnTorch and SpikingJelly.

::

    made = import_nir("net.nir", steps=8)      # or import_snntorch(module, input), import_spikingjelly(...)
    print(made.report)
    made.network.save("net.safetensors")

A tool's network becomes a chart of parts (:mod:`.parts`), the parts become layers of real numbers
(:mod:`.assemble`, :mod:`.reals`), and these become integers, exactly or with every change reported
(:mod:`.discretise`, :mod:`.report`). What has no exact form is refused, all of it at once, by name.
"""
