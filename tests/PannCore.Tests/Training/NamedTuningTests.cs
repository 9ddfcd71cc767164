using PannCore.Training;
using Xunit;

namespace PannCore.Tests.Training;

public sealed class NamedTuningTests
{
    public static TheoryData<string> Names => [.. NamedTuning.All.Select(way => way.Name)];

    /// <summary>The way that a row is compared with: ReLU, in as many stages, with the same teacher or none.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void Every_way_has_a_control(string name)
    {
        NamedTuning way = NamedTuning.Of(name), control = NamedTuning.Of(way.Control);
        Assert.Null(control.Activation);
        Assert.Equal((way.Distilled, way.After is null), (control.Distilled, control.After is null));
        Assert.Equal(control.Name, control.Control);
        if (way.After is { } before) Assert.Equal((way.Distilled, NamedTuning.Of(before).Control), (NamedTuning.Of(before).Distilled, control.After));
    }

    /// <summary>A teacher is all that a distilled way has beside the other.</summary>
    [Fact]
    public void A_distilled_way_is_another_with_a_teacher()
    {
        NamedTuning[] distilled = [.. NamedTuning.All.Where(way => way.Distilled)];
        Assert.Equal(6, distilled.Length);
        foreach (NamedTuning way in distilled)
        {
            NamedTuning untaught = NamedTuning.Of(way.Untaught!);
            Assert.Equal(untaught, way with { Name = untaught.Name, Purpose = untaught.Purpose, After = untaught.After, Untaught = null });
            Assert.Equal(untaught.After, way.After is { } before ? NamedTuning.Of(before).Untaught : null);
        }
    }

    [Fact]
    public void Names_are_different() => Assert.Equal(NamedTuning.All.Count, NamedTuning.All.Select(way => way.Name).Distinct().Count());
}
