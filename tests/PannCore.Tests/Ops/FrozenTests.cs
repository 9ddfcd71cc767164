using PannCore.Engine;
using Xunit;

namespace PannCore.Tests.Ops;

/// <summary>Gradients are computed only where somebody needs them; leaving one out changes no bit of the others.</summary>
public sealed class FrozenTests
{
    public static TheoryData<string, string> Cases
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (OpRow row in OpTable.Rows) data.Add(OpTable.Name(row), row.Case);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void FrozenParametersDoNotChangeTheGradientsOfInputs(string operation, string name)
    {
        OpRow row = OpTable.Find(operation, name);
        (List<float[]> all, _) = Backward(row, parameters: true, _ => true);
        (List<float[]> frozen, int gradients) = Backward(row, parameters: false, _ => true);
        Assert.Equal(all, frozen);
        Assert.Equal(0, gradients);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void ConstantInputsDoNotChangeTheOtherGradients(string operation, string name)
    {
        OpRow row = OpTable.Find(operation, name);
        (List<float[]> all, int gradients) = Backward(row, parameters: true, _ => true);
        for (int constant = 0; constant < row.Inputs.Length; constant++)
        {
            (List<float[]> rest, int found) = Backward(row, parameters: true, i => i != constant);
            Assert.Equal(all.Where((_, i) => i != constant), rest);
            Assert.Equal(gradients, found);
        }
    }

    /// <summary>The gradients of the inputs, and the number of parameters of the row that have one.</summary>
    private static (List<float[]> Inputs, int Parameters) Backward(OpRow row, bool parameters, Func<int, bool> variable)
    {
        Parameter[] made = [.. OpTable.MakeParameters(row, 1).Select(p =>
        {
            var copy = new Parameter(p.Name, p.Shape, p.Trainable && parameters);
            copy.Set(p.Values);
            return copy;
        })];
        using var workspace = new Workspace(1, fillWithNaN: true);
        using var run = new Run(workspace, row.Statistics, tape: true);
        Source[] sources = [.. row.Inputs.Select((shape, i) => new Source(OpTable.Values(shape.Length, i + 1), shape))];
        Tensor output = row.Make(made).Apply([.. sources.Select((source, i) => variable(i) ? source.In(run) : run.Input(row.Inputs[i], OpTable.Values(row.Inputs[i].Length, i + 1)))]);
        Gradients gradients = run.Backward(output, OpTable.Values(output.Shape.Length, 50));
        foreach (Parameter parameter in made.Where(gradients.Contains))
            Assert.DoesNotContain(float.NaN, gradients[parameter].ToArray());
        return ([.. sources.Where((_, i) => variable(i)).Select(source => gradients[source.Parameters[0]].ToArray())], made.Count(gradients.Contains));
    }
}
