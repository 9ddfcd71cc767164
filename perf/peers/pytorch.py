"""The work of `pann bench` in PyTorch on the CPU, tuned as a fair opponent, and both sides in one table.

Usage: python3 perf/peers/pytorch.py [--threads 2]     (from the repository's root, after dotnet build -c Release)
"""
import argparse, json, os, subprocess, sys, tempfile, time

TUNED = {"OPENBLAS_CORETYPE": "SkylakeX", "ATEN_CPU_CAPABILITY": "avx512", "MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "8000000000"}
SPEC, DEGREES, RANGE = "composite:7,7,27", (7, 7, 27), 50.0
WARMUP, RUNS = 5, 15


def measure(threads):
    """One process: every layout, medians in seconds."""
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
        chunk = 1 << 20  # elements at a time, so that all passes but the first stay in the cache; set to the fastest below

        def forward(self, x):
            memory = x.permute(0, 2, 3, 1) if x.dim() == 4 and not x.is_contiguous() else x
            y = torch.empty_like(memory)
            source, target = memory.reshape(-1), y.view(-1)
            for i in range(0, source.numel(), self.chunk):
                t = source[i:i + self.chunk] / RANGE
                p = t
                for inverse, c in STAGES:
                    s = p * inverse
                    square = s * s
                    q = torch.full_like(s, c[-1])
                    for coefficient in reversed(c[:-1]):
                        q.mul_(square).add_(coefficient)
                    p = q.mul_(s)
                torch.mul(p.add_(1), t.mul_(RANGE / 2), out=target[i:i + self.chunk])
            return y.permute(0, 3, 1, 2) if memory is not x else y

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
            return self.act2(y + x)

    def resnet20(act):
        layers, inputs = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), act()], 16
        for stage in range(3):
            for block in range(3):
                layers.append(Block(inputs, 16 << stage, 2 if stage and not block else 1, act))
                inputs = 16 << stage
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))

    def median(work):
        for _ in range(WARMUP):
            work()
        times = []
        for _ in range(RUNS):
            start = time.perf_counter()
            work()
            times.append(time.perf_counter() - start)
        return sorted(times)[RUNS // 2]

    # Correctness before time: the polynomial stands for ReLU.
    x = torch.linspace(-RANGE, RANGE, 20001)
    error = (PolynomialRelu()(x) - x.clamp(min=0)).abs().max().item()
    assert error < 0.02 * RANGE, f"polynomial ReLU is off by {error}"

    result = {"torch": torch.__version__}
    for layout in (torch.contiguous_format, torch.channels_last):
        relu, pann = resnet20(nn.ReLU).to(memory_format=layout), resnet20(PolynomialRelu).to(memory_format=layout)
        optimiser = torch.optim.SGD(relu.parameters(), lr=1e-3, momentum=0.9, weight_decay=5e-4)
        images, labels = torch.randn(128, 3, 32, 32).to(memory_format=layout), torch.randint(0, 10, (128,))
        many = torch.randn(256, 3, 32, 32).to(memory_format=layout)

        def step():
            optimiser.zero_grad(set_to_none=False)
            F.cross_entropy(relu(images), labels).backward()
            optimiser.step()

        relu.train()
        seconds = {"training step": 128 / median(step)}
        relu.eval(), pann.eval()
        with torch.no_grad():
            seconds["evaluation"] = 256 / median(lambda: relu(many))
            rates = []
            for PolynomialRelu.chunk in (1 << 16, 1 << 18, 1 << 20, 1 << 30):
                rates.append(256 / median(lambda: pann(many)))
            seconds[f"PANN {SPEC}"] = max(rates)
        result[str(layout).split(".")[-1]] = seconds
    print(json.dumps(result))


def run(threads, environment):
    out = subprocess.run([sys.executable, __file__, "--threads", str(threads), "--measure"], env={**os.environ, **environment}, check=True, capture_output=True, text=True)
    return json.loads(out.stdout)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        return measure(arguments.threads)

    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "bench.json")
        subprocess.run(["dotnet", "src/PannCore.Cli/bin/Release/net10.0/pann.dll", "bench", "--threads", str(arguments.threads), "--json", file], check=True, stdout=subprocess.DEVNULL)
        ours = json.load(open(file))
    plain, tuned = run(arguments.threads, {}), run(arguments.threads, TUNED)
    rows = {
        "training step": ours["trainImagesPerSecond"],
        "evaluation": ours["evalImagesPerSecond"],
        f"PANN {SPEC}": ours["pannEvalImagesPerSecond"][SPEC],
    }
    print(f"images/s, {arguments.threads} threads, float32; PyTorch {tuned['torch']}, the better of contiguous and channels_last")
    print(f"{'work':<24}{'PannCore':>10}{'PyTorch tuned':>16}{'ratio':>8}{'untuned':>10}")
    for work, rate in rows.items():
        best, untuned = (max(side[layout][work] for layout in ("contiguous_format", "channels_last")) for side in (tuned, plain))
        print(f"{work:<24}{rate:>10.0f}{best:>16.0f}{rate / best:>8.2f}{untuned:>10.0f}")


if __name__ == "__main__":
    main()
