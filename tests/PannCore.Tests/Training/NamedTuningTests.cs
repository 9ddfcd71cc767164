using PannCore.Training;
using Xunit;

namespace PannCore.Tests.Training;

public sealed class NamedTuningTests
{
    public static TheoryData<string> Names => [.. NamedTuning.All.Select(way => way.Name)];

    /// <summary>The way that a row is compared with: ReLU, in as many stages, with the same teacher and contrast or none.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void Every_way_has_a_control(string name)
    {
        NamedTuning way = NamedTuning.Of(name), control = NamedTuning.Of(way.Control);
        Assert.Null(control.Activation);
        Assert.Equal((way.Distilled, way.Contrast, way.After is null), (control.Distilled, control.Contrast, control.After is null));
        Assert.Equal(control.Name, control.Control);
        if (way.After is { } before) Assert.Equal((way.Distilled, NamedTuning.Of(before).Control), (NamedTuning.Of(before).Distilled, control.After));
    }

    /// <summary>A teacher, or stretched contrast, is all that such a way has beside its plain one.</summary>
    [Fact]
    public void A_way_with_a_teacher_or_contrast_is_another_way_and_that()
    {
        NamedTuning[] ways = [.. NamedTuning.All.Where(way => way.Plain is not null)];
        Assert.Equal((6, 4), (ways.Count(way => way is { Distilled: true, Contrast: null }), ways.Count(way => way is { Distilled: false, Contrast: 2 })));
        Assert.Equal(10, ways.Length);
        foreach (NamedTuning way in ways)
        {
            NamedTuning plain = NamedTuning.Of(way.Plain!);
            Assert.Equal(plain, way with { Name = plain.Name, Purpose = plain.Purpose, After = plain.After, Plain = null, Distilled = false, Contrast = null });
            Assert.Equal(plain.After, way.After is { } before ? NamedTuning.Of(before).Plain ?? before : null); // Contrast in the last stage alone.
        }
    }

    /// <summary>A way's contrast is the recipe's if it has none of its own; statistics are those of images as they are.</summary>
    [Fact]
    public void A_recipe_is_prepared_for_a_way()
    {
        Recipe plain = new() { Architecture = "resnet20", Epochs = 1 }, busy = plain with { Contrast = 3, Mixup = 1, Noise = new(0.1), Crest = new(1, 4), Leak = 0.1, DropLeak = true };
        Assert.Equal(busy, NamedTuning.Of("direct-2").Prepare(busy));
        Assert.Equal(plain with { Contrast = 2 }, NamedTuning.Of("direct-2-contrast").Prepare(plain));
        Assert.Equal(busy with { Contrast = 2 }, NamedTuning.Of("relu-contrast").Prepare(busy));
        Assert.Equal(plain, NamedTuning.Of("batch-norm").Prepare(busy));
    }

    [Fact]
    public void Names_are_different() => Assert.Equal(NamedTuning.All.Count, NamedTuning.All.Select(way => way.Name).Distinct().Count());
}
