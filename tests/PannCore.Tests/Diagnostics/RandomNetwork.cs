using PannCore.Approximation;
using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Training;

namespace PannCore.Tests.Diagnostics;

/// <summary>
/// A ResNet-20 with random weights, batch-norm's scales and shifts and the last layer's bias included, its running statistics brought near those of real images by passes with training statistics:
/// signals of order 1 in every layer, as in a trained network.
/// </summary>
internal static class RandomNetwork
{
    private const int Passes = 12, ImagesAPass = 12;

    private static readonly Lazy<Cifar10> LazySample = new(() => Cifar10.ReadFile(FindSample()));
    private static readonly Lazy<ResNet> LazyBackbone = new(() => Make(1));
    private static readonly Lazy<Dictionary<string, double>> LazyLargest = new(() => Measure(Backbone));

    /// <summary>The bundled images.</summary>
    public static string SamplePath => FindSample();

    public static Cifar10 Sample => LazySample.Value;

    /// <summary>Shared by all tests, which must not change its weights.</summary>
    public static ResNet Backbone => LazyBackbone.Value;

    /// <summary>Largest |x| at the activations of <see cref="Backbone"/> over the first images of the sample.</summary>
    public static IReadOnlyDictionary<string, double> Largest => LazyLargest.Value;

    public static ResNet Make(long seed)
    {
        var model = new ResNet(20);
        model.Initialise(seed);
        // Training begins with scales of 1 and shifts of 0; with those, code that forgets one would be right.
        var random = new CounterRandom(seed, RandomStream.Weights, 1000);
        int drawn = 0;
        foreach (Parameter parameter in model.Parameters.All.Where(parameter => parameter is { Trainable: true, Shape.Rank: 1 }))
        {
            bool isScale = parameter.Name.EndsWith(".weight", StringComparison.Ordinal);
            parameter.Update(values =>
            {
                for (int i = 0; i < values.Length; i++)
                {
                    double u = random.Uniform(drawn++) - 0.5;
                    values[i] = (float)(isScale ? u + (u < 0 ? -0.5 : 0.5) : u);
                }
            });
        }
        var loader = new BatchLoader(Sample, Normalization.Cifar10);
        using var workspace = new Workspace(1);
        for (int pass = 0; pass < Passes; pass++)
        {
            using var run = new Run(workspace, Statistics.Training);
            model.Call(loader.Load(run, Enumerable.Range(pass * ImagesAPass, ImagesAPass).ToArray()));
        }
        // Random features differ little from image to image: only with the classes' mean logits taken off do images get different answers.
        int[] images = [.. Enumerable.Range(0, Passes * ImagesAPass)];
        float[] logits = Evaluation.Of(model, Sample, images, Normalization.Cifar10, workspace).Logits;
        float[] means = [.. Enumerable.Range(0, logits.Length / images.Length).Select(k => images.Average(n => logits[(n * logits.Length / images.Length) + k]))];
        model.Parameters.Find("linear.bias")!.Update(values =>
        {
            for (int k = 0; k < values.Length; k++) values[k] -= means[k];
        });
        return model;
    }

    /// <summary>The backbone with polynomials over these ranges, measured on the first images of the sample.</summary>
    public static ResNet Pann(string spec, string ranges = "layer", double margin = 1.05)
        => Backbone.With(ActivationSpec.Parse(spec), ActivationRanges.Parse(ranges, [.. Backbone.Activations.Select(a => a.Path)], Largest, margin));

    private static Dictionary<string, double> Measure(ResNet model)
    {
        using var workspace = new Workspace(1);
        return RangeProbe.Calibrate(model, Sample, [.. Enumerable.Range(0, 24)], Normalization.Cifar10, workspace);
    }

    private static string FindSample()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "PannCore.sln"))) folder = Path.GetDirectoryName(folder);
        return Path.Combine(folder ?? throw new InvalidOperationException("the tests run outside their repository"), "data", "cifar-10-sample.bin");
    }
}
