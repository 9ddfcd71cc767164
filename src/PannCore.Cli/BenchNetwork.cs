using System.Diagnostics;
using PannCore.Approximation;
using PannCore.Data;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Ops;
using PannCore.Training;

namespace PannCore.Cli;

/// <summary>A network on random pixels: the work that is timed. How long it takes depends on no value of a weight or a pixel.</summary>
internal sealed class BenchNetwork
{
    private const double Range = 50;

    /// <summary>The polynomials that are timed.</summary>
    public static readonly (string Spec, PolynomialArithmetic Arithmetic)[] Panns =
    [
        ("direct:4", PolynomialArithmetic.Float32), ("composite:alpha=8", PolynomialArithmetic.Float32), ("composite:7,7,27", PolynomialArithmetic.Float32),
        ("composite:alpha=12", PolynomialArithmetic.Float32), ("composite:7,7,27", PolynomialArithmetic.Float64),
    ];

    private readonly Cifar10 _data;
    private readonly BatchLoader _loader;
    private readonly Sgd _sgd;
    private readonly int[] _indices;

    public BenchNetwork(int depth, int images)
    {
        var pixels = new byte[images * Cifar10.ImageBytes];
        var random = new CounterRandom(1, RandomStream.Weights, 0);
        for (int i = 0; i < pixels.Length; i++) pixels[i] = (byte)random.Below(i, 256);
        _indices = [.. Enumerable.Range(0, images)];
        _data = new(pixels, [.. _indices.Select(i => (byte)(i % 10))], "random pixels");
        _loader = new(_data, Normalization.Cifar10);
        Model = new(depth);
        Model.Initialise(1);
        _sgd = new(Model.Parameters.All, 0.9, 5e-4);
        using var workspace = new Workspace(1);
        var flops = new ConvolutionFlops();
        using var run = new Run(workspace, observers: [flops]);
        Model.Call(Images(run, 1));
        ForwardFlops = flops.Count;
        SettleStatistics(workspace);
    }

    public ResNet Model { get; }

    /// <summary>Operations of all convolutions for one image, forward, by direct sums; a multiply-add counts as two. A training step does three times as many, but for the gradient of the pixels.</summary>
    public long ForwardFlops { get; }

    /// <summary>The network with the polynomial of a specification in each activation's place; the same weights.</summary>
    public ResNet Pann(string spec, PolynomialArithmetic arithmetic)
    {
        ReluPolynomial polynomial = ActivationSpec.Parse(spec).Build();
        return Model.With(_ => new ActivationFunction.Polynomial(polynomial, Range, arithmetic));
    }

    /// <summary>The first images as network input.</summary>
    public Tensor Images(Run run, int batch, Augmentation? augmentation = null) => _loader.Load(run, _indices.AsMemory(0, batch), augmentation);

    public byte[] Labels(int batch) => _loader.Labels(_indices.AsSpan(0, batch));

    /// <summary>One training step; the seconds of it in which images were augmented and normalised.</summary>
    public double Step(Workspace workspace, int batch)
    {
        using var run = new Run(workspace, Statistics.Training, tape: true);
        long start = Stopwatch.GetTimestamp();
        Tensor images = Images(run, batch, new Augmentation(1, 0));
        double loading = Stopwatch.GetElapsedTime(start).TotalSeconds;
        _sgd.Step(run.Backward(Model.Call(images).SoftmaxCrossEntropy(Labels(batch))), 1e-3);
        return loading;
    }

    /// <summary>What a step with Mixup does before its network: images, and targets.</summary>
    public void LoadMixed(Workspace workspace, int batch)
    {
        using var run = new Run(workspace);
        Mixture mixture = Mixup.Of(1, _indices.AsSpan(0, batch), 1, 0);
        _loader.Load(run, _indices.AsMemory(0, batch), new Augmentation(1, 0), mixture);
        Mixup.Targets(Labels(batch), _loader.Labels(mixture.Partners.Span), mixture.Weight, 10);
    }

    /// <summary>The first images through a network, this one or a PANN of it, as <see cref="Evaluation.Of"/> takes them where nobody observes.</summary>
    public void Evaluate(ResNet network, Workspace workspace, int images) => Evaluation.Of(network, _data, _indices[..images], Normalization.Cifar10, workspace);

    /// <summary>Running statistics near those of the images: with none, values double from block to block, leave the polynomials' range and explode.</summary>
    private void SettleStatistics(Workspace workspace)
    {
        const int batch = 16, passes = 30;
        for (int i = 0; i < passes; i++)
        {
            using var run = new Run(workspace, Statistics.Training);
            Model.Call(Images(run, batch));
        }
    }

    private sealed class ConvolutionFlops : IRunObserver
    {
        public long Count { get; private set; }

        public void Forward(Op op, string path, IReadOnlyList<Tensor> inputs, Tensor output)
        {
            if (op.Name == "conv2d") Count += 2L * output.Shape.Length * (op.Parameters[0].Shape.Length / op.Parameters[0].Shape[0]);
        }
    }
}
