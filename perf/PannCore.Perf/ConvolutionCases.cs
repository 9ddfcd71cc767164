using PannCore.Engine;
using PannCore.Ops;

namespace PannCore.Perf;

/// <summary>The convolutions of ResNet-20 (and a 1 x 1 one) at batch 128, each pass, by each algorithm that applies. Operations are those of direct sums, whatever the algorithm.</summary>
internal static class ConvolutionCases
{
    private static readonly Layer[] Layers =
    [
        new("stem 3-16", 32, 3, 16, 3, 1),
        new("stage1 16-16", 32, 16, 16, 3, 1),
        new("stage2 32-32", 16, 32, 32, 3, 1),
        new("stage3 64-64", 8, 64, 64, 3, 1),
        new("down 16-32", 32, 16, 32, 3, 2),
        new("down 32-64", 16, 32, 64, 3, 2),
        new("1x1 16-32", 32, 16, 32, 1, 2),
    ];

    public static IEnumerable<Case> All =>
        from layer in Layers
        from pass in (Pass[])[Pass.Forward, Pass.DataGradient, Pass.WeightGradient]
        from algorithm in layer.Algorithms
        select layer.Case(pass, algorithm);

    private sealed record Layer(string Name, int Side, int Inputs, int Channels, int Kernel, int Stride)
    {
        /// <summary>Where only direct sums apply, the others are the same code.</summary>
        public ConvAlgorithm[] Algorithms => Kernel == 3 && Stride == 1 && Inputs % 16 == 0 ? Enum.GetValues<ConvAlgorithm>() : [ConvAlgorithm.Direct];

        public Case Case(Pass pass, ConvAlgorithm algorithm)
        {
            string name = $"{Name}, {pass switch { Pass.Forward => "forward", Pass.DataGradient => "data gradient", _ => "weight gradient" }}, {algorithm}";
            return new(name, CostOf(pass), () =>
            {
                var weight = new Parameter("weight", new(Channels, Inputs, Kernel, Kernel));
                var random = new CounterRandom(2, RandomStream.Weights, 0);
                weight.Update(values =>
                {
                    for (int i = 0; i < values.Length; i++) values[i] = (float)((2 * random.Uniform(i)) - 1);
                });
                return new Operation(name, pass, images => [new(images, Side, Side, Inputs)], x => x[0].Conv2d(weight, Stride, Kernel / 2)) { Convolution = algorithm }.Prepare();
            });
        }

        /// <summary>Bytes: forward x, w and y; data gradient dy, w and dx; weight gradient x, dy and dw. Of x only the pixels that a kernel smaller than the stride sees.</summary>
        private Cost CostOf(Pass pass)
        {
            double pixels = (double)Operation.Images * (Side / Stride) * (Side / Stride), weights = Kernel * Kernel * Inputs * Channels;
            double seen = (Kernel < Stride ? pixels : (double)Operation.Images * Side * Side) * Inputs, whole = (double)Operation.Images * Side * Side * Inputs;
            return new(2 * pixels * weights, sizeof(float) * ((pixels * Channels) + weights + (pass == Pass.DataGradient ? whole : seen)));
        }
    }
}
