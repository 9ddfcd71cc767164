using PannCore.Engine;
using PannCore.Tests.Kernels;
using PannCore.Tests.Support;
using Xunit;

namespace PannCore.Tests.Ops;

/// <summary>Every row of <see cref="OpTable"/>: kernels against naive float64 loops, gradients against central differences of those loops.</summary>
public sealed class OpTests
{
    private const double UnitRoundoff = 1.0 / (1 << 24);

    private const double Unit = UnitRoundoff / (1 << 29);

    /// <summary>How far the differences may be off, as a share of the largest gradient.</summary>
    private const double Blur = 1e-5;

    public static TheoryData<string, string> Cases
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (OpRow row in OpTable.Rows) data.Add(OpTable.Name(row), row.Case);
            return data;
        }
    }

    /// <summary>Rows that evaluate: a float64 pass through a whole network never trains.</summary>
    public static TheoryData<string, string> EvaluatingCases
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (OpRow row in OpTable.Rows.Where(row => row.Statistics == Statistics.Evaluation)) data.Add(OpTable.Name(row), row.Case);
            return data;
        }
    }

    [Fact]
    public void EveryOperationHasARow()
    {
        var covered = OpTable.Rows.Select(row => OpTable.Application(row, 1).GetType()).ToHashSet();
        var missing = typeof(Op).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(Op)) && !type.IsAbstract && !covered.Contains(type));
        Assert.Empty(missing);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void ForwardAgreesWithReference(string operation, string name)
    {
        OpRow row = OpTable.Find(operation, name);
        (float[] y, _) = Evaluate(row, threads: 1);
        double[] reference = ReferenceOutput(row, magnitudes: false).Values;
        double[] bound = Bounds(row, reference, UnitRoundoff);
        for (int i = 0; i < y.Length; i++)
            Assert.True(Math.Abs(y[i] - reference[i]) <= bound[i], $"element {i}: {y[i]} for {reference[i]}, bound {bound[i]}");
        WidthAgreement.Check(y, reference, OpTable.Name(row));
    }

    [Theory]
    [MemberData(nameof(EvaluatingCases))]
    public void ExactAgreesWithReference(string operation, string name)
    {
        OpRow row = OpTable.Find(operation, name);
        using var workspace = new Workspace(2);
        Op op = OpTable.Application(row, 1);
        DoubleTensor[] inputs = Inputs(row, magnitudes: false);
        var y = new DoubleTensor(op.OutputShape([.. inputs.Select(x => x.Shape)]));
        op.Exact(workspace, inputs, y);
        // Both are rounded: twice the bound of one.
        double[] reference = ReferenceOutput(row, magnitudes: false).Values, bound = Bounds(row, reference, Math.ScaleB(1, -52));
        for (int i = 0; i < reference.Length; i++)
            Assert.True(Math.Abs(y.Values[i] - reference[i]) <= bound[i], $"element {i}: {y.Values[i]} for {reference[i]}, bound {bound[i]}");
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void BackwardAgreesWithCentralDifferencesOfReference(string operation, string name)
    {
        OpRow row = OpTable.Find(operation, name);
        (_, List<float[]> gradients) = Evaluate(row, threads: 1);
        List<Difference[]> differences = Differences(row, magnitudes: false);
        List<Difference[]> magnitudes = row.Multilinear ? Differences(row, magnitudes: true) : differences;
        Assert.Equal(differences.Count, gradients.Count);
        for (int g = 0; g < gradients.Count; g++)
        {
            double largest = differences[g].Max(difference => Math.Abs(difference.Value));
            for (int i = 0; i < gradients[g].Length; i++)
            {
                (double difference, double error) = differences[g][i];
                // Rounding as in the forward pass.
                double rounding = row.Polynomial is not null ? PolynomialRounding(row, i) : row.Terms * UnitRoundoff * (row.Multilinear ? magnitudes[g][i].Value : largest);
                Assert.True(Math.Abs(gradients[g][i] - difference) <= rounding + error, $"gradient {g}, element {i}: {gradients[g][i]} for {difference}, bound {rounding} + {error}");
                Assert.True(error <= Blur * largest || largest == 0, $"gradient {g}, element {i}: differences that may be off by {error} say little of gradients up to {largest}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void ThreadsDoNotChangeABit(string operation, string name)
    {
        OpRow row = OpTable.Find(operation, name);
        (float[] y1, List<float[]> g1) = Evaluate(row, threads: 1);
        (float[] y3, List<float[]> g3) = Evaluate(row, threads: 3);
        Assert.Equal(y1, y3);
        Assert.Equal(g1, g3);
    }

    private static (float[] Output, List<float[]> Gradients) Evaluate(OpRow row, int threads)
    {
        // The bounds of the table are those of direct sums; Winograd's algorithm has tests and bounds of its own.
        using var workspace = new Workspace(threads, ConvAlgorithm.Direct, fillWithNaN: true);
        using var run = new Run(workspace, row.Statistics, tape: true);
        Parameter[] parameters = OpTable.MakeParameters(row, 1);
        Op op = row.Make(parameters);

        // Inputs that come from an operation with a trainable parameter get gradients.
        var sources = new Source[row.Inputs.Length];
        var inputs = new Tensor[row.Inputs.Length];
        for (int i = 0; i < inputs.Length; i++)
        {
            sources[i] = new Source(OpTable.Values(row.Inputs[i].Length, i + 1), row.Inputs[i]);
            inputs[i] = sources[i].In(run);
        }
        Tensor output = op.Apply(inputs);
        float[] values = output.Values.ToArray();
        Gradients gradients = run.Backward(output, OpTable.Values(output.Shape.Length, 50));
        List<float[]> result = [.. sources.Select(source => gradients[source.Parameters[0]].ToArray())];
        foreach (Parameter parameter in parameters.Where(p => p.Trainable)) result.Add(gradients[parameter].ToArray());
        return (values, result);
    }

    private static double[] Bounds(OpRow row, double[] reference, double unitRoundoff)
    {
        if (row.Polynomial is not null) return [.. Inputs(row, magnitudes: false)[0].Values.Select(x => row.Polynomial.Bound(x, unitRoundoff).Value.Error)];
        if (row.Multilinear) return [.. ReferenceOutput(row, magnitudes: true).Values.Select(magnitude => row.Terms * unitRoundoff * magnitude)];
        return [.. Enumerable.Repeat(row.Terms * unitRoundoff * reference.Max(Math.Abs), reference.Length)];
    }

    private static double PolynomialRounding(OpRow row, int element)
    {
        Bounded derivative = row.Polynomial!.Bound(Inputs(row, magnitudes: false)[0].Values[element], UnitRoundoff).Derivative;
        return derivative.Error + (UnitRoundoff * Math.Abs(derivative.Value));
    }

    private static DoubleTensor[] Inputs(OpRow row, bool magnitudes)
        => [.. row.Inputs.Select((shape, i) => DoubleTensor.From(shape, OpTable.Values(shape.Length, i + 1).Select(v => magnitudes ? Math.Abs(v) : v).ToArray()))];

    private static DoubleTensor[] ParameterValues(OpRow row, bool magnitudes)
        => [.. OpTable.MakeParameters(row, 1).Select(p => DoubleTensor.From(p.Shape, p.Values.ToArray().Select(v => magnitudes ? Math.Abs(v) : v).ToArray()))];

    private static DoubleTensor ReferenceOutput(OpRow row, bool magnitudes)
        => Reference(row, Inputs(row, magnitudes), ParameterValues(row, magnitudes));

    private static DoubleTensor Reference(OpRow row, DoubleTensor[] inputs, DoubleTensor[] parameters)
    {
        Op op = OpTable.Application(row, 1);
        var y = new DoubleTensor(op.OutputShape([.. inputs.Select(x => x.Shape)]));
        op.Reference(inputs, parameters, y);
        return y;
    }

    /// <summary>
    /// Central differences: exact where the operation is linear. Elsewhere those of two steps, D(h) and D(2h): their errors are c h^2 + d h^4 and 4 c h^2 + 16 d h^4, so that D(h) + (D(h) - D(2h)) / 3 (Richardson) errs by -4 d h^4,
    /// and the correction itself, -c h^2 - 5 d h^4, is larger. Each value may be rounded by as much as its elements, and by the sum over them.
    /// </summary>
    private static List<Difference[]> Differences(OpRow row, bool magnitudes)
    {
        DoubleTensor[] inputs = Inputs(row, magnitudes), parameters = ParameterValues(row, magnitudes);
        double[] y = Reference(row, inputs, parameters).Values, bounds = Bounds(row, y, Unit);
        double[] seed = [.. OpTable.Values(y.Length, 50).Select(v => (double)(magnitudes ? Math.Abs(v) : v))];
        double rounding = Enumerable.Range(0, y.Length).Sum(i => Math.Abs(seed[i]) * (bounds[i] + ((y.Length + 1) * Unit * Math.Abs(y[i]))));
        var result = new List<Difference[]>();
        foreach (DoubleTensor argument in inputs.Concat(parameters.Take(parameters.Length - row.Frozen)))
        {
            var gradient = new Difference[argument.Values.Length];
            for (int i = 0; i < gradient.Length; i++)
            {
                double near = Quotient(argument.Values, i, row.Step), correction = row.Multilinear ? 0 : (near - Quotient(argument.Values, i, 2 * row.Step)) / 3;
                // Of the two values of D(h) and the two of D(2h): (4/3 + 1/6) / h, and a little more for values that grow within the step.
                gradient[i] = new(near + correction, Math.Abs(correction) + (2 * rounding / row.Step));
            }
            result.Add(gradient);
        }
        return result;

        double Quotient(double[] argument, int i, double step)
        {
            double original = argument[i], up = original + step, down = original - step;
            argument[i] = up;
            double above = Dot(seed, Reference(row, inputs, parameters).Values);
            argument[i] = down;
            double below = Dot(seed, Reference(row, inputs, parameters).Values);
            argument[i] = original;
            return (above - below) / (up - down);
        }
    }

    private static double Dot(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum();

    /// <summary>A derivative, and how far it may be off.</summary>
    private readonly record struct Difference(double Value, double Error);
}
