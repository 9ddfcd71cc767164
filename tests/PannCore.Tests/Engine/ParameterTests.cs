using PannCore.Engine;
using Xunit;

namespace PannCore.Tests.Engine;

/// <summary>Forms derived from a parameter's values.</summary>
public sealed class ParameterTests
{
    [Fact]
    public void AFormIsMadeOnceForEachVersionAndKey()
    {
        var parameter = new Parameter("w", new(2));
        var made = new List<string>();
        float[] Form(int key) => parameter.Packed<int, float[]>(key, (key, values, old) =>
        {
            made.Add($"{key}:{old?[0]}");
            return [.. values.Select(value => key * value)];
        });
        parameter.Set([3, 4]);
        Assert.Equal([6, 8], Form(2));
        Assert.Same(Form(2), Form(2));
        Assert.Equal([15, 20], Form(5));
        parameter.Update(values => values[0] = 1);
        Assert.Equal([2, 8], Form(2));
        parameter.Overwrite()[0] = 10;
        Assert.Equal([20, 8], Form(2));
        Assert.Equal([50, 20], Form(5));
        Assert.Equal(["2:", "5:", "2:6", "2:2", "5:15"], made);
    }

    [Fact]
    public void AskingForAKnownFormAllocatesNothing()
    {
        var parameter = new Parameter("w", new(1));
        float Form(int key) => parameter.Packed<(int, bool), float[]>((key, true), static (_, values, _) => [values[0]])[0];
        long Ask()
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 100; i++) Assert.True(Form(1) + Form(2) == 0);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
        Ask(); // Makes the forms and compiles what is called.
        Assert.Equal(0, Ask());
    }
}
