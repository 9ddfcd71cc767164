using System.Globalization;
using PannCore.Engine;
using PannCore.Ops;

namespace PannCore.Nn;

/// <summary>
/// ResNet-20, 32, 44, 56 or 110 for CIFAR-10 (He et al. 2015, section 4.2): a 3x3 stem of 16 channels, three stages of (depth - 2) / 6 blocks
/// with 16, 32 and 64 channels, average pool, linear. Shortcuts have no parameters. Input [N,H,W,3], CIFAR-10: [N,32,32,3], output [N,10].
/// Parameter names are those of the usual PyTorch implementation.
/// </summary>
public sealed class ResNet : Module
{
    private static readonly int[] Depths = [20, 32, 44, 56, 110];
    private readonly Conv2d _conv1;
    private readonly BatchNorm2d _bn1;
    private readonly Activation _relu;
    private readonly List<BasicBlock> _blocks = [];
    private readonly Linear _linear;

    /// <summary>A network over new or shared parameters.</summary>
    /// <param name="depth">20, 32, 44, 56 or 110.</param>
    /// <param name="parameters">Its parameters; given those of another network of the same depth, it shares its weights.</param>
    /// <param name="activations">The function at each activation's path; ReLU everywhere by default.</param>
    /// <exception cref="ArgumentOutOfRangeException">Another depth.</exception>
    /// <exception cref="ShapeException">A parameter of a name that it needs has another shape.</exception>
    public ResNet(int depth, ParameterSet? parameters = null, Func<string, ActivationFunction>? activations = null) : base("")
    {
        if (!Depths.Contains(depth)) throw new ArgumentOutOfRangeException(nameof(depth), depth, $"resnet: the depth must be one of {string.Join(", ", Depths)}");
        Depth = depth;
        Parameters = parameters ?? new();
        activations ??= _ => new ActivationFunction.Relu();
        _conv1 = Part(new Conv2d("conv1", Parameters, 3, 16, 3, 1, 1));
        _bn1 = Part(new BatchNorm2d("bn1", Parameters, 16));
        _relu = Part(new Activation("relu", activations, 16));
        int inputs = 16;
        for (int stage = 1; stage <= 3; stage++)
        {
            int channels = 8 << stage;
            for (int block = 0; block < (depth - 2) / 6; block++)
            {
                int stride = stage > 1 && block == 0 ? 2 : 1;
                _blocks.Add(Part(new BasicBlock($"layer{stage}.{block}", Parameters, activations, inputs, channels, stride)));
                inputs = channels;
            }
        }
        _linear = Part(new Linear("linear", Parameters, 64, 10));
    }

    /// <summary>The names accepted by <see cref="ParseDepth"/>.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Depths.Select(d => "resnet" + d.ToString(CultureInfo.InvariantCulture))];

    /// <summary>Number of weighted layers.</summary>
    public int Depth { get; }

    /// <summary>For instance <c>resnet20</c>.</summary>
    public string Name => "resnet" + Depth.ToString(CultureInfo.InvariantCulture);

    /// <summary>Weights and running statistics.</summary>
    public ParameterSet Parameters { get; }

    /// <summary>The parts up to the pool, in order: each takes what the one before gives.</summary>
    public IReadOnlyList<Module> Trunk => [_conv1, _bn1, _relu, .. _blocks];

    /// <summary>The activations in the order in which an image meets them: 19 for ResNet-20.</summary>
    public IReadOnlyList<Activation> Activations => [.. Tree.OfType<Activation>()];

    /// <summary>The depth of an architecture's name.</summary>
    /// <exception cref="BadInputException">No such architecture.</exception>
    public static int ParseDepth(string name)
    {
        for (int i = 0; i < Depths.Length; i++)
        {
            if (Names[i] == name) return Depths[i];
        }
        throw new BadInputException($"architecture '{name}': unknown; known: {string.Join(", ", Names)}");
    }

    /// <summary>The same network, over the same parameters, with other activations.</summary>
    public ResNet With(Func<string, ActivationFunction> activations) => new(Depth, Parameters, activations);

    /// <summary>
    /// Sets initial values: weights normal with variance 2 / fan-in (He et al. 2015, "Delving deep into rectifiers"), linear bias 0,
    /// batch-norm scale 1, shift 0, running mean 0, running variance 1.
    /// </summary>
    public void Initialise(long seed)
    {
        for (int index = 0; index < Parameters.All.Count; index++)
        {
            Parameter parameter = Parameters.All[index];
            var random = new CounterRandom(seed, RandomStream.Weights, index);
            parameter.Update(values =>
            {
                if (parameter.Shape.Rank == 1)
                {
                    bool one = parameter.Name.EndsWith(".running_var", StringComparison.Ordinal)
                        || (parameter.Name.EndsWith(".weight", StringComparison.Ordinal) && parameter.Name.Contains("bn", StringComparison.Ordinal));
                    values.Fill(one ? 1 : 0);
                    return;
                }
                double deviation = Math.Sqrt(2.0 * parameter.Shape[0] / parameter.Shape.Length);
                for (int i = 0; i < values.Length; i++) values[i] = (float)(deviation * random.Normal(i));
            });
        }
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x)
    {
        if (x.Shape.Rank != 4 || x.Shape[3] != 3) throw new ShapeException($"{Name}: input {x.Shape} must be [N,H,W,3]");
        x = _relu.Call(_bn1.Call(_conv1.Call(x).LastUse()).LastUse());
        foreach (BasicBlock block in _blocks) x = block.Call(x);
        return _linear.Call(x.GlobalAveragePool());
    }
}
