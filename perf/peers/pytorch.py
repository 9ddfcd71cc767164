"""The work of `pann bench` in PyTorch on the CPU, tuned as a fair opponent, and both sides in one table.

Usage: python3 perf/peers/pytorch.py [--threads 2] [--runs 15] [--quick]     (from the repository's root, after dotnet build -c Release)
"""
import argparse, json, os, subprocess, sys, tempfile, time
from concurrent.futures import ThreadPoolExecutor

TUNED = {"OPENBLAS_CORETYPE": "SkylakeX", "ATEN_CPU_CAPABILITY": "avx512", "MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "8000000000"}
SPEC, DEGREES, RANGE = "composite:7,7,27", (7, 7, 27), 50.0
CHUNKS = (1 << 14, 1 << 16, 1 << 18, 1 << 20, 1 << 30)
BATCHES = (256, 128, 64, 32, 16, 8)  # images evaluated at a time, of 256
TRAINING, EVALUATION, SINGLE, DOUBLE = WORKS = "training step", "evaluation", f"PANN {SPEC}, float32", f"PANN {SPEC}, float64"
TURNS = ("ours", "peer", "ours", "peer", "ours")  # processes; --quick takes the first two


def measure(threads, runs):
    """One process: every work in both layouts, medians as images a second."""
    import numpy as np
    import torch
    import torch.nn as nn
    import torch.nn.functional as F

    torch.set_num_threads(threads)
    torch.manual_seed(1)

    def stages():
        """
        Odd polynomials of the right degrees that stand for sgn, as powers of x^2 for Horner's scheme: fewer passes over memory than
        Clenshaw's recurrence, and exact enough for a time. Any coefficients would take as long; these let the result be checked.
        """
        found, low, high = [], 0.02, 1.0
        for degree in DEGREES:
            s = np.cos((np.arange(2000) + 0.5) * np.pi / 2000)
            s = s[np.abs(s) * high >= low]
            basis = np.stack([np.cos((2 * k + 1) * np.arccos(s)) for k in range((degree + 1) // 2)], axis=1)
            c = np.linalg.lstsq(basis, np.sign(s), rcond=None)[0]
            y = np.abs(basis @ c)
            odd = np.zeros(degree + 1)
            odd[1::2] = c
            found.append((1 / high, np.polynomial.chebyshev.cheb2poly(odd)[1::2].tolist()))
            low, high = y.min(), y.max()
        return found

    STAGES = stages()

    class PolynomialRelu(nn.Module):
        """Input and output in float32; in between the arithmetic of `kind`, each piece converted where it lies in the cache."""
        chunk = 1 << 20  # elements at a time, so that all passes but the first stay in the cache; set to the fastest below
        kind = torch.float32

        def forward(self, input):
            permuted = input.dim() == 4 and not input.is_contiguous()
            memory = input.permute(0, 2, 3, 1) if permuted else input
            y = torch.empty_like(memory)
            source, target = memory.reshape(-1), y.view(-1)
            for i in range(0, source.numel(), self.chunk):
                x = source[i:i + self.chunk]
                t = x / RANGE if x.dtype == self.kind else x.to(self.kind).div_(RANGE)
                p = t
                for inverse, c in STAGES:
                    s = p * inverse
                    square = s * s
                    q = torch.full_like(s, c[-1])
                    for coefficient in reversed(c[:-1]):
                        q.mul_(square).add_(coefficient)
                    p = q.mul_(s)
                torch.mul(p.add_(1), t.mul_(RANGE / 2), out=target[i:i + self.chunk])
            return y.permute(0, 3, 1, 2) if permuted else y

    class Block(nn.Module):
        def __init__(self, inputs, channels, stride, act):
            super().__init__()
            self.conv1, self.bn1 = nn.Conv2d(inputs, channels, 3, stride, 1, bias=False), nn.BatchNorm2d(channels)
            self.conv2, self.bn2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels)
            self.act1, self.act2, self.stride, self.pad = act(), act(), stride, (channels - inputs) // 2

        def forward(self, x):
            y = self.bn2(self.conv2(self.act1(self.bn1(self.conv1(x)))))
            if self.stride != 1:
                x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.pad, self.pad))
            return self.act2(y.add_(x))

    def resnet20(act):
        layers, inputs = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), act()], 16
        for stage in range(3):
            for block in range(3):
                layers.append(Block(inputs, 16 << stage, 2 if stage and not block else 1, act))
                inputs = 16 << stage
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))

    def median(work, runs=runs, seconds=6.0):
        """Seconds; on a slow machine of fewer runs, at least three."""
        begin = time.perf_counter()
        for i in range(max(1, runs // 3)):
            work()
            if i >= 1 and time.perf_counter() - begin > seconds / 3:
                break
        times, begin = [], time.perf_counter()
        while len(times) < runs and (len(times) < 3 or time.perf_counter() - begin < seconds):
            start = time.perf_counter()
            work()
            times.append(time.perf_counter() - start)
        return sorted(times)[len(times) // 2]

    # Correctness before time: the polynomial stands for ReLU, in both arithmetics, and these are two.
    x, found = torch.linspace(-RANGE, RANGE, 20001), []
    for PolynomialRelu.kind in (torch.float32, torch.float64):
        found.append(PolynomialRelu()(x))
        error = (found[-1] - x.clamp(min=0)).abs().max().item()
        assert found[-1].dtype == torch.float32 and error < 0.02 * RANGE, f"polynomial ReLU in {PolynomialRelu.kind} is off by {error}"
    assert not torch.equal(*found), "polynomial ReLU is the same in float32 and float64"

    result = {"torch": torch.__version__}
    for layout in (torch.contiguous_format, torch.channels_last):
        relu, pann = resnet20(lambda: nn.ReLU(inplace=True)).to(memory_format=layout), resnet20(PolynomialRelu).to(memory_format=layout)
        optimiser = torch.optim.SGD(relu.parameters(), lr=1e-3, momentum=0.9, weight_decay=5e-4)
        images, labels = torch.randn(128, 3, 32, 32).to(memory_format=layout), torch.randint(0, 10, (128,))
        many = torch.randn(256, 3, 32, 32).to(memory_format=layout)

        def step():
            optimiser.zero_grad(set_to_none=True)
            F.cross_entropy(relu(images), labels).backward()
            optimiser.step()

        relu.train()
        rates = {TRAINING: (128 / median(step), "128")}
        relu.eval(), pann.eval()

        def evaluation(work):
            """Images a second: 256 of them, in batches and pieces of the sizes that were fastest, each batch by all threads or by one of its own, whichever was; and which was."""
            network, pieces = (relu, (None,)) if work == EVALUATION else (pann, CHUNKS)

            def one(first, batch):
                with torch.no_grad():  # a setting of each thread
                    network(many[first:first + batch])

            def together(batch):
                for first in range(0, 256, batch):
                    one(first, batch)

            def apart(batch):
                list(pool.map(lambda first: one(first, batch), range(0, 256, batch)))

            ways = []
            for way, own in ((together, threads), (apart, 1)):
                torch.set_num_threads(own)
                with ThreadPoolExecutor(threads) as pool:  # its threads take the setting over
                    seconds = {}
                    for PolynomialRelu.chunk in pieces:
                        seconds[PolynomialRelu.chunk] = median(lambda: way(64), runs=min(2, runs))
                    PolynomialRelu.chunk = min(seconds, key=seconds.get)
                    batch = min(BATCHES, key=lambda size: median(lambda: way(size), runs=min(2, runs)))
                    ways.append((median(lambda: way(batch)), f"{batch} {way.__name__}"))
            torch.set_num_threads(threads)
            best = min(ways)
            return 256 / best[0], best[1]

        for work, PolynomialRelu.kind in ((EVALUATION, None), (SINGLE, torch.float32), (DOUBLE, torch.float64)):
            rates[work] = evaluation(work)
        result[str(layout).split(".")[-1]] = rates
    print(json.dumps(result))


def ours(threads, runs, *options):
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "bench.json")
        subprocess.run(["dotnet", "src/PannCore.Cli/bin/Release/net10.0/pann.dll", "bench", "--threads", str(threads), "--runs", str(runs), "--json", file, *options], check=True, stdout=subprocess.DEVNULL)
        found = json.load(open(file))
    return {
        TRAINING: found["trainImagesPerSecond"],
        EVALUATION: found["evalImagesPerSecond"],
        SINGLE: found["pannEvalImagesPerSecond"][SPEC],
        DOUBLE: found["pannFloat64EvalImagesPerSecond"][SPEC],
    }


def peer(threads, runs, environment):
    """Images a second of each work in the better of both layouts and how many at a time that was, and the version."""
    out = subprocess.run([sys.executable, __file__, "--threads", str(threads), "--runs", str(runs), "--measure"], env={**os.environ, **environment}, check=True, stdout=subprocess.PIPE, text=True)
    found = json.loads(out.stdout)
    best = {work: max((*found[layout][work], layout) for layout in ("contiguous_format", "channels_last")) for work in WORKS}
    return {work: rate for work, (rate, _, _) in best.items()}, {work: f"{way}, {layout}" for work, (_, way, layout) in best.items()}, found["torch"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="few runs: shows that all of it works, not how fast it is")
    parser.add_argument("--runs", type=int, default=15, help="timed runs of each work in a process, at most")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        return measure(arguments.threads, arguments.runs)

    turns, runs = (TURNS[:2], 1) if arguments.quick else (TURNS, arguments.runs)
    mine, four, tuned, fastest = [], [], [], {work: [] for work in WORKS}

    def report(number):
        if sys.stderr.isatty():
            print(f"process {number} of {len(turns) + 1}", end="\r", file=sys.stderr, flush=True)

    for number, turn in enumerate(turns, 1):
        report(number)
        if turn == "ours":
            mine.append(ours(arguments.threads, runs))
            four.append(ours(arguments.threads, runs, "--convolution", "winograd4"))
        else:
            rates, ways, version = peer(arguments.threads, runs, TUNED)
            tuned.append(rates)
            for work in WORKS:
                fastest[work].append(ways[work])
    report(len(turns) + 1)
    untuned, _, _ = peer(arguments.threads, runs, {})

    def median(values):
        ordered = sorted(values)
        return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2

    def cells(values):
        return f"{median(values):>8.0f} ({min(values):.0f}-{max(values):.0f})"

    print(f"images/s, {arguments.threads} threads; median (least-most) of {len(mine)} processes of PannCore and {len(tuned)} of tuned PyTorch {version}, which took turns; the better of contiguous and channels_last")
    print("PannCore: as by default, training with Winograd's F(4x4), evaluation with F(2x2); F(4x4): everything with it")
    print(f"{'work':<32}{'PannCore':>22}{'F(4x4)':>22}{'PyTorch tuned':>22}{'ratio':>7}{'range':>12}{'F(4x4)':>8}{'untuned':>9}")
    for work in WORKS:
        a, f, b = ([rates[work] for rates in side] for side in (mine, four, tuned))
        print(f"{work:<32}{cells(a):>22}{cells(f):>22}{cells(b):>22}{median(a) / median(b):>7.2f}{f'{min(a) / max(b):.2f}-{max(a) / min(b):.2f}':>12}{median(f) / median(b):>8.2f}{untuned[work]:>9.0f}")

    print("images at a time, together or each thread apart, and layout, by which tuned PyTorch was fastest:")
    for work in WORKS:
        print(f"{work:<32}{' / '.join(fastest[work])}")


if __name__ == "__main__":
    main()
