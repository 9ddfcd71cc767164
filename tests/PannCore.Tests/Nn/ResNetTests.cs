using PannCore.Checkpoints;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Tests.Support;
using Xunit;

namespace PannCore.Tests.Nn;

public sealed class ResNetTests
{
    public static TheoryData<int> Depths => [20, 32, 44, 56, 110];

    [Theory]
    [InlineData(20, 269_722, 0.27)]
    [InlineData(32, 464_154, 0.46)]
    [InlineData(44, 658_586, 0.66)]
    [InlineData(56, 853_018, 0.85)]
    [InlineData(110, 1_727_962, 1.7)]
    public void ParametersAreThoseOfThePublishedTable(int depth, int expected, double millions)
    {
        // Weights of a 3x3 convolution: 9 in out; batch-norm: 2 a channel. He et al. 2015, table 6, gives the millions.
        int n = (depth - 2) / 6, count = (9 * 3 * 16) + (2 * 16) + (64 * 10) + 10;
        foreach ((int inputs, int channels) in new[] { (16, 16), (16, 32), (32, 64) })
            count += (9 * inputs * channels) + (((2 * n) - 1) * 9 * channels * channels) + (2 * n * 2 * channels);
        Assert.Equal(expected, count);
        Assert.Equal(millions, count / 1e6, tolerance: millions > 1 ? 0.05 : 0.005);

        var model = new ResNet(depth);
        Assert.Equal(count, model.Parameters.All.Where(p => p.Trainable).Sum(p => p.Shape.Length));
        Assert.Equal(depth - 1, model.Activations.Count);
        Assert.Equal(depth, model.Parameters.All.Count(p => p.Shape.Rank > 1)); // Weighted layers.
        Assert.Equal($"resnet{depth}", model.Name);
        Assert.Equal(depth, ResNet.ParseDepth(model.Name));
    }

    [Theory]
    [MemberData(nameof(Depths))]
    public void NamesAreUnique(int depth)
    {
        IReadOnlyList<Parameter> all = new ResNet(depth).Parameters.All;
        Assert.Equal(all.Count, all.Select(p => p.Name).Distinct().Count());
    }

    [NeedsOracleFact]
    public void NamesAndShapesAreThePublishedCheckpoints()
    {
        IReadOnlyDictionary<string, NamedArray> published = TorchCheckpoint.Read(External.PublishedCheckpoint);
        string[] names = [.. published.Keys.Where(name => !name.EndsWith("num_batches_tracked", StringComparison.Ordinal))];
        IReadOnlyList<Parameter> all = new ResNet(20).Parameters.All;
        Assert.Equal(names.Order(StringComparer.Ordinal), all.Select(p => p.Name).Order(StringComparer.Ordinal));
        Assert.All(all, p => Assert.Equal(published[p.Name].Shape, p.Shape.ToArray()));
    }

    [Fact]
    public void OtherDepthsAreRefused()
    {
        Assert.StartsWith(
            "resnet: the depth must be one of 20, 32, 44, 56, 110", Assert.Throws<ArgumentOutOfRangeException>(() => new ResNet(18)).Message, StringComparison.Ordinal);
        Assert.Equal(
            "architecture 'resnet18': unknown; known: resnet20, resnet32, resnet44, resnet56, resnet110",
            Assert.Throws<BadInputException>(() => ResNet.ParseDepth("resnet18")).Message);
    }

    [Theory]
    [InlineData(new[] { 2, 8, 8, 1 }, "resnet20: input [2,8,8,1] must be [N,H,W,3]")]
    [InlineData(new[] { 2, 192 }, "resnet20: input [2,192] must be [N,H,W,3]")]
    public void OtherInputsAreRefused(int[] sizes, string message)
    {
        using var workspace = new Workspace(1);
        using var run = new Run(workspace);
        var shape = new Shape(sizes);
        Tensor x = run.Input(shape, new float[shape.Length]);
        Assert.Equal(message, Assert.Throws<ShapeException>(() => new ResNet(20).Call(x)).Message);
    }

    [Fact]
    public void InitialValuesFollowFromTheSeed()
    {
        Assert.Equal(Initial(5), Initial(5));
        Assert.NotEqual(Initial(5), Initial(6));

        static float[] Initial(long seed) => [.. Initialised(20, seed).Parameters.All.SelectMany(p => p.Values.ToArray())];
    }

    [Fact]
    public void InitialWeightsAreNormalWithVarianceTwoOverFanIn()
    {
        foreach (Parameter weight in Initialised(32, 3).Parameters.All.Where(p => p.Shape.Rank > 1))
        {
            int[] shape = weight.Shape.ToArray();
            double fanIn = shape[1..].Aggregate(1.0, (product, size) => product * size), n = weight.Shape.Length;
            double[] unit = [.. weight.Values.ToArray().Select(v => v / Math.Sqrt(2 / fanIn))];

            // The sample mean deviates by 1 / sqrt n, the sample variance by sqrt (2 / n); five of them over 32 layers.
            Assert.InRange(unit.Average(), -5 / Math.Sqrt(n), 5 / Math.Sqrt(n));
            Assert.InRange(unit.Average(v => v * v) - 1, -5 * Math.Sqrt(2 / n), 5 * Math.Sqrt(2 / n));
            Assert.InRange(unit.Max(Math.Abs), 2, 6);
        }
    }

    [Theory]
    [MemberData(nameof(Depths))]
    public void OtherInitialValuesAreConstant(int depth)
    {
        foreach (Parameter parameter in Initialised(depth, 3).Parameters.All.Where(p => p.Shape.Rank == 1))
        {
            // Written out: batch-norm's weight and running variance are 1, every bias and running mean 0.
            string last = parameter.Name.Split('.')[^1];
            float expected = last switch { "weight" or "running_var" => 1, "bias" or "running_mean" => 0, _ => throw new InvalidOperationException(last) };
            Assert.All(parameter.Values.ToArray(), value => Assert.Equal(expected, value));
        }
    }

    [Theory]
    [InlineData(20, 9, 7)]
    [InlineData(32, 8, 8)]
    public void LogitsAreThoseOfTheNaiveNetwork(int depth, int rows, int columns)
    {
        ResNet model = Initialised(depth, 4);
        var random = new CounterRandom(4, RandomStream.Split, 0);
        int at = 0;
        foreach (Parameter parameter in model.Parameters.All.Where(p => p.Shape.Rank == 1))
        {
            // Batch-norm and biases that do something: variances and scales in [1/2, 3/2), the others in [-1/2, 1/2).
            bool positive = parameter.Values[0] == 1;
            parameter.Update(values =>
            {
                for (int i = 0; i < values.Length; i++) values[i] = (float)random.Uniform(at++) + (positive ? 0.5f : -0.5f);
            });
        }
        double[,,] image = new double[rows, columns, 3];
        float[] pixels = new float[image.Length];
        for (int i = 0; i < pixels.Length; i++)
        {
            pixels[i] = (float)random.Normal(10_000 + i);
            image[i / 3 / columns, i / 3 % columns, i % 3] = pixels[i];
        }
        double[] expected = NaiveResNet.Logits(model, image);
        using var workspace = new Workspace(2, fillWithNaN: true);
        using var run = new Run(workspace);
        float[] found = model.Call(run.Input(new(1, rows, columns, 3), pixels)).Values.ToArray();
        Assert.Equal(10, found.Length);

        // Each of the layers errs by at most 577 roundings of its magnitudes, mostly by their root, 24: depth x 24 x 2^-24 of the largest value.
        double tolerance = depth * 24 * Math.ScaleB(1, -24) * expected.Max(Math.Abs);
        Assert.All(found.Zip(expected), pair => Assert.Equal(pair.Second, pair.First, tolerance));
    }

    [Fact]
    public void NetworksOverOneSetShareTheirWeights()
    {
        ResNet model = Initialised(20, 1);
        ResNet other = model.With(_ => new ActivationFunction.Relu(0.1f));
        Assert.Same(model.Parameters, other.Parameters);
        Assert.Equal(
            "parameter conv1.weight: has shape [16,3,3,3], the model asks for [16,4,3,3]",
            Assert.Throws<ShapeException>(() => model.Parameters.Get("conv1.weight", new(16, 4, 3, 3))).Message);
    }

    private static ResNet Initialised(int depth, long seed)
    {
        var model = new ResNet(depth);
        model.Initialise(seed);
        return model;
    }
}
