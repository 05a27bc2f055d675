"""``make bench DEVICE=cuda``: training steps on a GPU, beside PyTorch on the same GPU.

Each program is a process of its own, and is timed from one moment when the GPU has nothing left to
do to the next: many steps are asked for in between, as a training run does. minitx replays a
captured step; without capture ("kernel by kernel") it is measured too, and judged by nobody.
PyTorch runs eagerly, compiled, and compiled with its forward and its backward pass replayed as
CUDA graphs ("torch compiled, graph"; the optimiser's kernels are asked for one by one). What is
aimed at is the eager one's time; the ratios to the others stand beside it.
"""

import datetime
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from subprocess import PIPE, Popen

import numpy as np

from tests.benchmarks.harness import ROOT, Player, measured
from tests.benchmarks.training_step import SIZES, VOCABULARY, data, flops

GPT2_SMALL = dict(num_layers=12, d_model=768, num_heads=12, length=1024, batch=4)
GPT2_VOCABULARY = 50257
SIDE = 4096  # of the square matrices whose product is the measure of the GPU
Program = tuple[Callable[[], object], Callable[[], None]]  # a step, and waiting for the GPU


@dataclass(frozen=True)
class Work:
    """Programs by name; ``target`` is the largest ratio of minitx's time to that of ``against``."""

    name: str
    programs: dict[str, Callable[[], Program]]
    against: str
    target: float | None = None


def why_not() -> str | None:
    """What is missing for a measurement, in a line; None if nothing is."""
    needs = "make bench DEVICE=cuda needs an NVIDIA GPU, CuPy and PyTorch for CUDA: "
    try:
        import torch

        from minitx import backend

        backend.move(np.zeros(1), "cuda")
    except (ImportError, RuntimeError) as error:
        return needs + " ".join(str(error).split())
    return None if torch.cuda.is_available() else needs + "this PyTorch finds no GPU"


def machine() -> dict[str, str]:
    """What it was measured on."""
    import cupy
    import torch

    return {
        "device": cupy.cuda.runtime.getDeviceProperties(0)["name"].decode(),
        "cupy": cupy.__version__,
        "torch": torch.__version__,
        "date": datetime.date.today().isoformat(),
    }


def measure(only: list[str], seconds: float) -> Iterator[dict]:
    """All measurements, each with the name of the GPU."""
    device = machine()["device"]
    for work in works():
        if only and not any(word in work.name for word in only):
            continue
        row = measured({who: GPUPlayer(work.name, who) for who in work.programs}, seconds)
        yield {
            "work": work.name,
            "device": device,
            "threads": 1,
            "clock": "gpu",
            **row,
            "ratio": row["ratio_to"][work.against],
            "against": work.against,  # whose time it is the ratio to, and was aimed at
            "target": work.target,
        }


def works() -> Iterator[Work]:
    """Everything that is timed on a GPU."""
    for name, size in SIZES.items():
        referees = {
            "torch": partial(torch_step, size),
            "torch compiled": partial(torch_step, size, "default"),
            "torch compiled, graph": partial(torch_step, size, "reduce-overhead"),
        }
        ours = partial(minitx_step, size)
        yield Work(f"training step {name} on the GPU", {"minitx": ours, **referees}, "torch", 1.0)
        yield Work(
            f"training step {name} on the GPU, kernel by kernel",
            {"minitx": partial(ours, captured=False), **referees},
            "torch",
        )
    for precision in ("float32", "tf32", "bfloat16"):
        yield Work(
            f"share of the GPU's matrix rate in {precision}, GPT-2 small",
            {
                "minitx": partial(minitx_step, GPT2_SMALL, GPT2_VOCABULARY, precision),
                "products alone": partial(products_alone, precision),
            },
            "products alone",
            1 / 0.5 if precision == "float32" else None,
        )


def batch_of(size: dict, vocabulary: int) -> list[np.ndarray]:
    """Ids and targets (B, T)."""
    return [ids * (vocabulary // VOCABULARY) for ids in data(size)]


def minitx_step(
    size: dict, vocabulary: int = VOCABULARY, precision: str = "float32", captured: bool = True
) -> Program:
    """A step of the book's model on CuPy, replayed or asked for kernel by kernel."""
    import cupy

    from minitx import backend
    from minitx.models import Decoder
    from minitx.training import AdamW
    from minitx.training.graph import CapturedStep

    shape = [size[name] for name in ("d_model", "num_heads", "num_layers", "length")]
    model = Decoder.gpt(vocabulary, *shape, rng=0).to("cuda")
    backend.matmul_precision(precision)
    optimiser = AdamW(model.parameters(), lr=1e-3, weight_decay=0.1)
    batch = [backend.move(ids, "cuda") for ids in batch_of(size, vocabulary)]

    def step() -> None:
        model.loss(*batch).backward()
        optimiser.step()
        optimiser.zero_grad()

    if captured:
        replay = CapturedStep(model, optimiser, lambda model, batch: model.loss(*batch), batch)
        step = partial(replay, batch)
    return step, cupy.cuda.get_current_stream().synchronize


def torch_step(size: dict, mode: str | None = None) -> Program:
    """The same step in PyTorch, in float32 as it comes; compiled in ``mode``, None for eager."""
    import torch

    from tests.benchmarks.torch_gpt import GPT

    referee = GPT(VOCABULARY, size, "tanh").cuda()
    ids, targets = (torch.from_numpy(x).cuda() for x in batch_of(size, VOCABULARY))
    optimiser = torch.optim.AdamW(referee.parameters(), lr=1e-3, weight_decay=0.1, fused=True)
    run = referee if mode is None else torch.compile(referee, mode=mode)

    def step() -> None:
        run(ids, targets).backward()
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)

    return step, torch.cuda.synchronize


def products_alone(precision: str) -> Program:
    """As many multiplications as in a step of GPT-2 small, in large square products."""
    import cupy

    from minitx import backend

    a = backend.move(np.random.default_rng(0).standard_normal((SIDE, SIDE), np.float32), "cuda")
    backend.matmul_precision(precision)
    product = backend.kernels_of(a).product
    tokens = GPT2_SMALL["batch"] * GPT2_SMALL["length"]
    more = 6.0 * tokens * (GPT2_VOCABULARY - VOCABULARY) * GPT2_SMALL["d_model"]  # a greater head
    whole, rest = divmod((flops(GPT2_SMALL) + more) / (2 * SIDE**3), 1)
    pieces = [a] * int(whole) + [a[: round(rest * SIDE)]]

    def step() -> None:
        for piece in pieces:
            product(piece, a)

    return step, cupy.cuda.get_current_stream().synchronize


class GPUPlayer(Player):
    """The program ``who`` of a work, in a process of its own."""

    def __init__(self, name: str, who: str):
        command = [sys.executable, "-m", "tests.benchmarks.cuda", name, who]
        self.process = Popen(command, cwd=ROOT, text=True, stdin=PIPE, stdout=PIPE)
        self.told("ready")


def serve(name: str, who: str) -> None:
    """Play: for each number that is read, so many calls; the seconds of one are written."""
    (make,) = (work.programs[who] for work in works() if work.name == name)
    out, sys.stdout = sys.stdout, sys.stderr
    step, wait = make()
    print("ready", file=out, flush=True)
    for line in sys.stdin:
        calls = int(line)
        wait()
        start = time.perf_counter()
        for _ in range(calls):
            step()
        wait()
        print((time.perf_counter() - start) / calls, file=out, flush=True)


if __name__ == "__main__":
    serve(*sys.argv[1:])
