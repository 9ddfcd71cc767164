using PannCore.Nn;
using Xunit;

namespace PannCore.Tests.Diagnostics;

/// <summary>PANNs over the random backbone whose activations are not all alike.</summary>
internal static class VariedNetworks
{
    public const string Plain = "composite:alpha=4", Leaky = "leaky", Patched = "patched", OneRelu = "one ReLU";

    /// <summary>The activation of <see cref="OneRelu"/> that is no polynomial.</summary>
    public const string ReluPath = "layer2.0.relu2";

    public static TheoryData<string> Names => new(Plain, Leaky, Patched, OneRelu);

    public static ResNet Make(string name)
    {
        ResNet four = RandomNetwork.Pann(Plain), eight = RandomNetwork.Pann("direct:8");
        return name switch
        {
            Leaky => RandomNetwork.Pann("composite:alpha=4,leak=0.1"),
            Patched => four.With(path => (path.EndsWith("relu2", StringComparison.Ordinal) ? eight : four).FunctionAt(path)),
            OneRelu => four.With(path => path == ReluPath ? new ActivationFunction.Relu() : four.FunctionAt(path)),
            _ => four,
        };
    }

    public static ActivationFunction FunctionAt(this ResNet network, string path) => network.Activations.Single(activation => activation.Path == path).Function;

    /// <summary>The network with all its ranges multiplied.</summary>
    public static ResNet Scaled(this ResNet network, double factor)
        => network.With(path => network.FunctionAt(path) is ActivationFunction.Polynomial p ? p with { Range = factor * p.Range } : network.FunctionAt(path));
}
