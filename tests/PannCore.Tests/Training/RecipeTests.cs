using PannCore.Training;
using Xunit;

namespace PannCore.Tests.Training;

public sealed class RecipeTests
{
    private static readonly Recipe Good = new() { Architecture = "resnet20", Epochs = 3 };

    public static TheoryData<string, Func<Recipe, Recipe>> Bad => new()
    {
        { "recipe: epochs: expected 1 to 10000, found 0", r => r with { Epochs = 0 } },
        { "recipe: batch: expected at least 2 images, found 1", r => r with { Batch = 1 } },
        { "recipe: learning rate: expected at least 0, found -0.5", r => r with { LearningRate = -0.5 } },
        { "recipe: learning rate: expected at least 0, found NaN", r => r with { LearningRate = double.NaN } },
        { "recipe: learning rate: expected at least 0, found Infinity", r => r with { LearningRate = double.PositiveInfinity } },
        { "recipe: warm-up: expected 0 to 3 epochs, found 3.5", r => r with { WarmupEpochs = 3.5 } },
        { "recipe: warm-up: expected 0 to 3 epochs, found -1", r => r with { WarmupEpochs = -1 } },
        { "recipe: warm-up: expected 0 to 3 epochs, found NaN", r => r with { WarmupEpochs = double.NaN } },
        { "recipe: momentum: expected at least 0 and below 1, found 1", r => r with { Momentum = 1 } },
        { "recipe: momentum: expected at least 0 and below 1, found -0.1", r => r with { Momentum = -0.1 } },
        { "recipe: weight decay: expected at least 0, found -0.001", r => r with { WeightDecay = -0.001 } },
        { "recipe: weight decay: expected at least 0, found Infinity", r => r with { WeightDecay = double.PositiveInfinity } },
        { "recipe: mixup: expected 0 to 1000000, found -1", r => r with { Mixup = -1 } },
        { "recipe: mixup: expected 0 to 1000000, found NaN", r => r with { Mixup = double.NaN } },
        { "recipe: mixup: expected 0 to 1000000, found 1000000.5", r => r with { Mixup = 1_000_000.5 } },
        { "recipe: mixup: expected 0 to 1000000, found 1E+250", r => r with { Mixup = 1e250 } },
        { "recipe: contrast: expected more than 1 and at most 100, found 1", r => r with { Contrast = 1 } },
        { "recipe: contrast: expected more than 1 and at most 100, found NaN", r => r with { Contrast = double.NaN } },
        { "recipe: leak: expected at least 0 and, in float32, below 1, found 1", r => r with { Leak = 1 } },
        { "recipe: leak: expected at least 0 and, in float32, below 1, found 0.99999999", r => r with { Leak = 0.99999999 } },
        { "recipe: leak: expected more than 0, because it is to be dropped, found 0", r => r with { DropLeak = true } },
        { "recipe: noise: expected at least 0, found NaN", r => r with { Noise = new(double.NaN) } },
        { "recipe: crest: expected more than 0, in units of a channel's RMS, found 0", r => r with { Crest = new(1, 0) } },
        { "recipe: crest: expected more than 0, in units of a channel's RMS, found Infinity", r => r with { Crest = new(1, double.PositiveInfinity) } },
        { "recipe: crest penalty: expected more than 0 and at most 1000000, found 0", r => r with { Crest = new(0, 4) } },
        { "recipe: crest penalty: expected more than 0 and at most 1000000, found NaN", r => r with { Crest = new(double.NaN, 4) } },
        { "recipe: polynomial: expected neither leak nor noise nor a penalty on crest factors beside it, found direct:4", r => r with { Crest = new(1, 4), Polynomial = new("direct:4", new Dictionary<string, double>()) } },
        { "recipe: learnt ranges: expected a share that is full or rising, because a network that stands for one with ReLUs keeps no ranges, found random", r => r with { Polynomial = new("direct:4", new Dictionary<string, double>(), Share: PolynomialShare.Random, LearnRanges: true) } },
        { "recipe: distillation weight: expected more than 0 and at most 1, found 0", r => r with { Distillation = new("", 0, 4) } },
        { "recipe: distillation weight: expected more than 0 and at most 1, found 1.5", r => r with { Distillation = new("", 1.5, 4) } },
        { "recipe: distillation weight: expected more than 0 and at most 1, found NaN", r => r with { Distillation = new("", double.NaN, 4) } },
        { "recipe: distillation temperature: expected 0.1 to 100, found 0", r => r with { Distillation = new("", 1, 0) } },
        { "recipe: distillation temperature: expected 0.1 to 100, found Infinity", r => r with { Distillation = new("", 1, double.PositiveInfinity) } },
        { "recipe: distillation: expected a learning rate above 0, because at 0 nothing is learnt from a teacher, found 0", r => r with { Distillation = new("", 1, 4), LearningRate = 0 } },
        { "recipe: validation: expected at least 0 images, found -10", r => r with { Validation = -10 } },
    };

    [Theory]
    [MemberData(nameof(Bad), DisableDiscoveryEnumeration = true)]
    public void A_setting_that_cannot_be_trained_with_is_named(string message, Func<Recipe, Recipe> change)
        => Assert.Equal(message, Assert.Throws<BadInputException>(() => change(Good).Check()).Message);

    [Fact]
    public void Every_named_recipe_can_be_trained_with_and_is_another_one()
    {
        Recipe[] all = [.. NamedRecipe.All.Select(named => named.Apply(Good))];
        Assert.All(all, recipe => recipe.Check());
        Assert.Equal(all.Length, all.Distinct().Count());
        Assert.Equal(all.Length, NamedRecipe.All.Select(named => named.Name).Distinct().Count());
        Assert.Equal(Good, NamedRecipe.Of("baseline").Apply(Good));
        Assert.Equal(Good with { WeightDecay = 1e-5, Mixup = 1, Leak = 0.1 }, NamedRecipe.Of("leak-0.1-minimal-mixup").Apply(Good));
        Assert.Equal(5e-3, NamedRecipe.Of("decay-5e-3").Apply(Good).WeightDecay);
        Assert.Equal(
            $"recipe 'decay': unknown; pann train --list shows all {all.Length}", Assert.Throws<BadInputException>(() => NamedRecipe.Of("decay")).Message);
    }

    [Fact]
    public void The_edges_are_allowed()
    {
        Good.Check();
        (Good with { Epochs = 1, WarmupEpochs = 1, Momentum = 0, WeightDecay = 0, Validation = 0, Batch = 2, Distillation = new("", 1, 0.1) }).Check();
    }
}
