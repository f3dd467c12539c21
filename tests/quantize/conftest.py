"""Networks as small as those here run fastest in one thread, and tests share their processors."""

import contextlib

with contextlib.suppress(ModuleNotFoundError):
    import torch

    torch.set_num_threads(1)
