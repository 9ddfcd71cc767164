using PannCore.Engine;
using PannCore.Tests.Support;
using Xunit;

namespace PannCore.Tests.Ops;

/// <summary>Every row of <see cref="OpTable"/>: kernels against naive float64 loops, gradients against central differences of those loops.</summary>
public sealed class OpTests
{
    private const double UnitRoundoff = 1.0 / (1 << 24);

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
        List<double[]> differences = Differences(row, magnitudes: false);
        List<double[]> magnitudes = row.Multilinear ? Differences(row, magnitudes: true) : differences;
        Assert.Equal(differences.Count, gradients.Count);
        for (int g = 0; g < gradients.Count; g++)
        {
            double largest = magnitudes[g].Max(Math.Abs);
            for (int i = 0; i < gradients[g].Length; i++)
            {
                // Rounding as in the forward pass; 1e-8 of the largest for the differences themselves (step 1e-4, third derivatives of order 1).
                double bound = row.Polynomial is null
                    ? (row.Terms * UnitRoundoff * (row.Multilinear ? magnitudes[g][i] : largest)) + (1e-8 * largest)
                    : PolynomialGradientBound(row, i);
                Assert.True(Math.Abs(gradients[g][i] - differences[g][i]) <= bound, $"gradient {g}, element {i}: {gradients[g][i]} for {differences[g][i]}, bound {bound}");
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

    /// <summary>
    /// Rounding of the kernel; of the difference quotient: of the two values, and of the sum of up to 210 elements of magnitude below 1 each that hold the
    /// difference; and h^2 / 6 times the third derivative, at most 1e5 by Bernstein's inequality for degree 64, |t| at most 1/2 and B = 2.
    /// </summary>
    private static double PolynomialGradientBound(OpRow row, int element)
    {
        double x = Inputs(row, magnitudes: false)[0].Values[element], unit = Math.ScaleB(1, -53);
        double kernel = row.Polynomial!.Bound(x, UnitRoundoff).Derivative.Error, derivative = Math.Abs(row.Polynomial.Bound(x, UnitRoundoff).Derivative.Value);
        double quotient = (row.Polynomial.Bound(x, unit).Value.Error + (210 * 210 * unit)) / row.Step;
        return kernel + (UnitRoundoff * derivative) + quotient + (row.Step * row.Step / 6 * 1e5);
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

    private static List<double[]> Differences(OpRow row, bool magnitudes)
    {
        DoubleTensor[] inputs = Inputs(row, magnitudes), parameters = ParameterValues(row, magnitudes);
        int outputs = Reference(row, inputs, parameters).Values.Length;
        double[] seed = [.. OpTable.Values(outputs, 50).Select(v => (double)(magnitudes ? Math.Abs(v) : v))];
        var all = inputs.Concat(parameters.Take(parameters.Length - row.Frozen)).ToList();
        double step = row.Step;
        var result = new List<double[]>();
        foreach (DoubleTensor argument in all)
        {
            double[] gradient = new double[argument.Values.Length];
            for (int i = 0; i < gradient.Length; i++)
            {
                double original = argument.Values[i];
                argument.Values[i] = original + step;
                double up = Dot(seed, Reference(row, inputs, parameters).Values);
                argument.Values[i] = original - step;
                double down = Dot(seed, Reference(row, inputs, parameters).Values);
                argument.Values[i] = original;
                gradient[i] = (up - down) / (2 * step);
            }
            result.Add(gradient);
        }
        return result;
    }

    private static double Dot(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum();
}
