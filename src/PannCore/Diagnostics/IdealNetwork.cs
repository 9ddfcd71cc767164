using System.Numerics;
using PannCore.Approximation;
using PannCore.Data;
using PannCore.Engine;
using PannCore.Nn;
using Tensor = PannCore.Engine.Tensor;

namespace PannCore.Diagnostics;

/// <summary>
/// What a PANN is compared with, operation by operation: a function for each activation, or the operations of another network with the same modules.
/// Of a linear map, batch-norm with evaluation statistics, pooling and addition the ideal is the operation itself, unless it is another network's.
/// </summary>
public sealed class IdealNetwork
{
    private const string KnownForms = "relu, leaky:A with 0 <= A < 1, self, model:FILE";

    private readonly Func<ResNet, ResNet> _network;
    private readonly Func<Op, string, IdealOperation> _operations;

    private IdealNetwork(string text, Func<ResNet, ResNet> network, Func<Op, string, IdealOperation> operations)
        => (Text, _network, _operations) = (text, network, operations);

    /// <summary>Each operation is compared with the function it stands for, <see cref="Op.Ideal"/>; the text is <c>own</c>.</summary>
    public static IdealNetwork Own { get; } = new("own", pann => pann.Ideal(), (op, _) => IdealOperation.StandsFor(op));

    /// <summary>Every activation's own polynomial in exact arithmetic: approximation is then 0 by definition. For networks trained with their polynomials.</summary>
    public static IdealNetwork Self { get; } = new("self", pann => pann, (op, _) => IdealOperation.Exact(op, op));

    /// <summary>As <c>--ideal</c> takes it and the record repeats it; or <c>own</c>, which it does not take.</summary>
    public string Text { get; }

    /// <summary><see cref="Own"/> under the name of the function that all activations of a network stand for; <c>own</c> where they differ.</summary>
    public static IdealNetwork Of(ResNet pann)
    {
        ActivationFunction[] ideals = [.. pann.Activations.Select(activation => activation.Function.Ideal).Distinct()];
        return ideals is [ActivationFunction.Relu relu] ? new(TextOf(relu.Slope), Own._network, Own._operations) : Own;
    }

    /// <summary>ReLU (slope 0) or leaky ReLU at every activation.</summary>
    /// <param name="slope">At least 0, below 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">Another slope.</exception>
    public static IdealNetwork Relu(double slope = 0)
    {
        if (!ActivationSpec.IsSlope(slope)) throw new ArgumentOutOfRangeException(nameof(slope), slope, "ideal: the slope must be at least 0 and, in float32, below 1");
        return new(TextOf(slope), pann => pann.With(_ => new ActivationFunction.Relu((float)slope)), (op, _) => IdealOperation.Leaky(op, slope));
    }

    /// <summary>The operations of another network, as they are, in exact arithmetic: a difference of weights is then part of an operation's approximation.</summary>
    /// <param name="other">The network; its weights must not change while it is the ideal.</param>
    /// <param name="text">How the record names it, for instance <c>model:FILE</c>.</param>
    /// <exception cref="BadInputException">A weight of it is not finite.</exception>
    public static IdealNetwork Model(ResNet other, string text)
    {
        foreach (Parameter parameter in other.Parameters.All)
        {
            int at = Array.FindIndex(parameter.Values.ToArray(), value => !float.IsFinite(value));
            if (at >= 0) throw new BadInputException(FormattableString.Invariant($"ideal '{text}': {parameter.Name}: expected finite values, found {parameter.Values[at]} at {at}"));
        }
        var operations = new Lazy<Dictionary<string, Op>>(() => OperationsOf(other));
        return new(text, pann => SameModules(pann, other, text), (op, path) => IdealOperation.Exact(op,
            operations.Value.GetValueOrDefault(path) ?? throw new BadInputException($"ideal '{text}': has no operation {path}")));
    }

    /// <summary>Reads <c>relu</c>, <c>leaky:A</c>, <c>self</c> or <c>model:FILE</c>.</summary>
    /// <param name="text">The text.</param>
    /// <param name="load">Opens the network of a file.</param>
    /// <exception cref="BadInputException">The text is none of these; or what <paramref name="load"/> throws.</exception>
    public static IdealNetwork Parse(string text, Func<string, ResNet> load)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(load);
        if (text == "relu") return Relu();
        if (text == "self") return Self;
        if (SpecText.Suffix(text, "leaky:") is string number && SpecText.Real(number) is double slope && ActivationSpec.IsSlope(slope)) return Relu(slope);
        if (SpecText.Suffix(text, "model:") is { Length: > 0 } file) return Model(load(file), text);
        throw new BadInputException($"ideal '{text}': unknown; known: {KnownForms}");
    }

    /// <summary>The ideal as a network that can be run in float32.</summary>
    /// <param name="pann">The network that is compared with it.</param>
    /// <exception cref="BadInputException">Another network was chosen, and its modules differ.</exception>
    public ResNet Network(ResNet pann) => _network(pann);

    /// <summary>What an operation is compared with.</summary>
    internal IdealOperation Of(Op op, string path) => _operations(op, path);

    private static string TextOf<T>(T slope) where T : INumberBase<T> => T.IsZero(slope) ? "relu" : FormattableString.Invariant($"leaky:{slope}");

    private static ResNet SameModules(ResNet pann, ResNet other, string text)
    {
        string[] expected = [.. pann.Tree.Select(module => module.Path)], found = [.. other.Tree.Select(module => module.Path)];
        int first = 0;
        while (first < expected.Length && first < found.Length && expected[first] == found[first]) first++;
        if (first == expected.Length && first == found.Length) return other;
        static string At(string[] paths, int i) => i < paths.Length ? paths[i] : "the end";
        throw new BadInputException($"ideal '{text}': expected the modules of {pann.Name}, found those of {other.Name}: {At(found, first)} instead of {At(expected, first)}");
    }

    private static Dictionary<string, Op> OperationsOf(ResNet model)
    {
        var collector = new Collector();
        using var workspace = new Workspace(1);
        using var run = new Run(workspace, observers: [collector]);
        model.Call(run.Input(Cifar10.OneImage, new float[Cifar10.OneImage.Length]));
        return collector.Operations;
    }

    private sealed class Collector : IRunObserver
    {
        public Dictionary<string, Op> Operations { get; } = [];

        public void Forward(Op op, string path, IReadOnlyList<Tensor> inputs, Tensor output) => Operations.Add(path, op);
    }
}
