using System.Globalization;
using PannCore.Ops;

namespace PannCore.Training;

/// <summary>A way to train that the experiments compare, as settings that differ from the baseline: SGD with decay 5e-4 on all parameters, nothing else.</summary>
/// <param name="Name">What it is asked for by.</param>
/// <param name="Purpose">Why it is there, in a line.</param>
/// <param name="Apply">Puts its settings into a recipe and leaves the others.</param>
public sealed record NamedRecipe(string Name, string Purpose, Func<Recipe, Recipe> Apply)
{
    private static readonly double[] Strengths = [0.01, 0.05, 0.1, 0.2];

    /// <summary>Weight of the penalty on crest factors, unless another is given: the one that images held out chose.</summary>
    public const double CrestWeight = 0.001;

    /// <summary>All, in the order of the tables.</summary>
    public static IReadOnlyList<NamedRecipe> All { get; } =
    [
        new("baseline", "weight decay 5e-4 on all parameters", r => r with { WeightDecay = 5e-4 }),
        .. new[] { 5e-3, 1e-4, 1e-5, 0 }.Select(decay => new NamedRecipe($"decay-{Text(decay)}", $"weight decay {Text(decay)}: finding 2, what weight regularisation does", r => r with { WeightDecay = decay })),
        new("decay-conv", "weight decay 5e-4 on convolutions only, whose scale batch-norm takes out", r => r with { DecayOn = DecayScope.Convolutions }),
        new("decay-others", "weight decay 5e-4 on batch-norm and linear only", r => r with { DecayOn = DecayScope.Others }),
        new("mixup-0.2", "Mixup of strength 0.2", r => r with { Mixup = 0.2 }),
        new("mixup-1", "Mixup of strength 1", r => r with { Mixup = 1 }),
        new("minimal-mixup", "weight decay 1e-5 and Mixup 1: minimal weight regularisation together with Mixup", r => r with { WeightDecay = 1e-5, Mixup = 1 }),
        .. Strengths.Select(a => new NamedRecipe($"leak-{Text(a)}", $"negative-input leakage, reading (a): slope {Text(a)} in training and in conversion", r => r with { Leak = a })),
        .. Strengths.Select(a => new NamedRecipe($"leak-dropped-{Text(a)}", $"reading (b): slope {Text(a)} in training, plain ReLU in conversion", r => r with { Leak = a, DropLeak = true })),
        .. Strengths.Select(a => new NamedRecipe($"noise-{Text(a)}", $"reading (c): noise in [-{Text(a)}, {Text(a)}) on negative inputs, in training only", r => r with { Noise = new(a) })),
        .. Strengths.Select(a => new NamedRecipe($"noise-rms-{Text(a)}", $"reading (c), {Text(a)} of the layer's RMS", r => r with { Noise = new(a, Unit: NoiseUnit.Rms) })),
        new("noise-positive-0.1", "control: the same noise on positive inputs", r => r with { Noise = new(0.1, PerturbedSide.Positive) }),
        new("noise-positive-0.2", "control: on positive inputs, stronger", r => r with { Noise = new(0.2, PerturbedSide.Positive) }),
        new("noise-both-0.1", "control: on all inputs", r => r with { Noise = new(0.1, PerturbedSide.Both) }),
        new("noise-both-0.2", "control: on all inputs, stronger", r => r with { Noise = new(0.2, PerturbedSide.Both) }),
        .. new[] { 0.001, 0.01 }.Select(p => new NamedRecipe($"crest-4-{Plain(p)}", $"smaller crest factors: penalty {Plain(p)} on inputs of more than 4 times their channel's RMS", r => r with { Crest = new(p, 4) })),
        new("noise-0.2-crest-4-0.001", "two remedies together: noise in [-0.2, 0.2) on negative inputs, penalty 0.001 on inputs of more than 4 times their channel's RMS", r => r with { Noise = new(0.2), Crest = new(0.001, 4) }),
        new("leak-0.1-minimal-mixup", "the pair, reading (a): slope 0.1 with weight decay 1e-5 and Mixup 1", r => r with { Leak = 0.1, WeightDecay = 1e-5, Mixup = 1 }),
        new("noise-0.1-minimal-mixup", "the pair, reading (c): noise 0.1 on negative inputs with weight decay 1e-5 and Mixup 1", r => r with { Noise = new(0.1), WeightDecay = 1e-5, Mixup = 1 }),
        .. new[] { 0.2, 0.5 }.Select(a => new NamedRecipe($"noise-{Text(a)}-decay-conv", $"two remedies together: noise in [-{Text(a)}, {Text(a)}) on negative inputs, weight decay 5e-4 on convolutions only", r => r with { Noise = new(a), DecayOn = DecayScope.Convolutions })),
        .. new[] { 0.1, 0.2 }.Select(a => new NamedRecipe($"noise-positive-{Text(a)}-decay-conv", $"two remedies together: noise in [-{Text(a)}, {Text(a)}) on positive inputs, weight decay 5e-4 on convolutions only", r => r with { Noise = new(a, PerturbedSide.Positive), DecayOn = DecayScope.Convolutions })),
        new("noise-0.2-decay-1e-4-mixup-0.2", "a milder pair: noise 0.2 on negative inputs, weight decay 1e-4, Mixup 0.2", r => r with { Noise = new(0.2), WeightDecay = 1e-4, Mixup = 0.2 }),
    ];

    /// <summary>The recipe of a name.</summary>
    /// <exception cref="BadInputException">There is none.</exception>
    public static NamedRecipe Of(string name) => All.FirstOrDefault(recipe => recipe.Name == name)
        ?? throw new BadInputException($"recipe '{name}': unknown; pann train --list shows all {All.Count}");

    private static string Plain(double value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Text(double value) => value is > 0 and < 0.01
        ? value.ToString("0.####E-0", CultureInfo.InvariantCulture).Replace('E', 'e')
        : value.ToString(CultureInfo.InvariantCulture);
}
