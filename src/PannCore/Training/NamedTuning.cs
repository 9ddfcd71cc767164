namespace PannCore.Training;

/// <summary>A way to go on training a network, with polynomials or, as their control, with the activations it has: all under one schedule, last stages under another, and one way without any.</summary>
/// <param name="Name">What it is asked for by.</param>
/// <param name="Purpose">Why it is there, in a line.</param>
/// <param name="Activation">The polynomial's specification; null for none.</param>
/// <param name="Ranges">Text of its ranges, which are those of the network that training begins from.</param>
/// <param name="Share">How much of the polynomial.</param>
/// <param name="Margin">Factor on ranges that were measured, not on those that a network was trained over (<c>stored</c>); below 1 where the inputs are to be drawn into narrower ones.</param>
/// <param name="Penalty">Weight of the penalty on inputs near the end of a range.</param>
/// <param name="PenaltyFrom">Where it begins, in units of the range.</param>
/// <param name="PenaltyRises">Whether its weight rises from 0 over all steps.</param>
/// <param name="FromScratch">Whether weights are drawn anew and only the ranges are those of a trained network; trained for the passes of both, at the rate of the first.</param>
/// <param name="LearnRanges">Whether the ranges are learnt, beginning from those.</param>
/// <param name="StatisticsOnly">Whether all weights stay as they are, and batch-norm's running statistics alone follow one pass over the training images, augmented but without stretched contrast, Mixup and noise, by the activations that the network is used with (as in all training they are a mean in which the last 22 batches weigh 0.9).</param>
/// <param name="After">The way that this one goes on from, as a last stage; null for the backbone.</param>
/// <param name="Plain">The same way without teacher and stretched contrast; null for a way that has neither.</param>
/// <param name="Distilled">Whether it has a teacher, which is the backbone with its ReLUs: <see cref="Distillation"/>.</param>
/// <param name="Contrast">How far the contrast of training images is stretched: <see cref="Recipe.Contrast"/>; null for not at all.</param>
public sealed record NamedTuning(
    string Name, string Purpose, string? Activation, string Ranges = "layer", PolynomialShare Share = PolynomialShare.Full, double Margin = 1.5, double Penalty = 3, double PenaltyFrom = 0.6, bool PenaltyRises = false, bool FromScratch = false, bool LearnRanges = false, bool StatisticsOnly = false, string? After = null, string? Plain = null, bool Distilled = false, double? Contrast = null)
{
    /// <summary>Passes over the training images.</summary>
    public const int Epochs = 40;

    /// <summary>Largest learning rate.</summary>
    public const double LearningRate = 0.05;

    /// <summary>Passes of a last stage.</summary>
    public const int LastEpochs = 10;

    /// <summary>Its largest learning rate.</summary>
    public const double LastLearningRate = 0.01;

    /// <summary>Gradients of a larger norm are scaled down to it.</summary>
    public const double MaxGradientNorm = 2;

    /// <summary>How far contrast is stretched: of 1.5, 2 and 4 the least with which checkerboards and noise stay inside after 3 epochs of degree 2 (<c>data/results/choices-loop.json</c>; after 40 not all do).</summary>
    public const double StretchedContrast = 2;

    /// <summary>Factors on the ranges below this, a hundredth of the largest inputs, are taken for a slip: nearly all inputs would be clamped.</summary>
    public const double LeastMargin = 0.01;

    /// <summary>Passes of its own: those asked for, <see cref="LastEpochs"/> for a last stage, one for statistics, and those of the backbone as well where it is from scratch.</summary>
    /// <param name="backbone">Passes of the backbone.</param>
    /// <param name="tuning">Passes asked for.</param>
    public int PassesOf(int backbone, int tuning) => StatisticsOnly ? 1 : After is not null ? LastEpochs : FromScratch ? backbone + tuning : tuning;

    /// <summary>Its largest learning rate; a way from scratch has the backbone's instead.</summary>
    public double Rate => StatisticsOnly ? 0 : After is null ? LearningRate : LastLearningRate;

    /// <summary>A recipe for it: with its contrast, if it has one, and for statistics without what acts in training only.</summary>
    public Recipe Prepare(Recipe recipe) => StatisticsOnly ? recipe with { Leak = recipe.DropLeak ? 0 : recipe.Leak, DropLeak = false, Mixup = 0, Noise = new(0), Crest = null, Contrast = null } : recipe with { Contrast = Contrast ?? recipe.Contrast };

    /// <summary>The way with ReLU under the same schedule, with the same teacher and images.</summary>
    public string Control => $"relu{(Distilled ? "-distilled" : "")}{(Contrast is null ? "" : "-contrast")}{(After is null ? "" : "-last")}";

    private static readonly NamedTuning[] PlainWays =
    [
        new("relu", "the control: the same network under the same schedule, with ReLU", null),
        new("direct-4", "degree 4: two levels", "direct:4"),
        new("direct-2", "degree 2: one level", "direct:2"),
        .. new[] { 4, 2 }.Select(degree => new NamedTuning(
            $"direct-{degree}-narrow", $"degree {degree} over ranges of a third, which inputs fill; the penalty rises and draws them in", $"direct:{degree}", Margin: 0.35, Penalty: 5, PenaltyFrom: 0.7, PenaltyRises: true)),
        new("direct-2-firm", "degree 2 over the same narrow ranges, with twice the penalty, to leave fewer inputs outside", "direct:2", Margin: 0.35, Penalty: 10, PenaltyFrom: 0.7, PenaltyRises: true),
        .. new[] { (2, "direct-2-firm"), (4, "direct-4-narrow") }.Select(way => new NamedTuning(
            $"direct-{way.Item1}-inward", $"{way.Item2}, and a last stage whose penalty begins farther inside, so that inputs keep headroom", $"direct:{way.Item1}", "stored", Penalty: 10, PenaltyFrom: 0.6, After: way.Item2)),
        new("direct-2-inward-40", "direct-2-inward with four times the penalty: the fallback, when no penalty kept images held out within 0.95 B", "direct:2", "stored", Penalty: 40, PenaltyFrom: 0.6, After: "direct-2-firm"),
        new("relu-last", "the control of a last stage: relu, and the same passes again", null, After: "relu"),
        new("batch-norm", "batch-norm's statistics taken anew, by the activations that the network is used with; weights as they are, one pass", null, StatisticsOnly: true),
        new("direct-8", "degree 8: three levels", "direct:8"),
        new("composite-5", "the cheapest composite", "composite:5"),
        new("composite-3-7", "composite of degrees 3 and 7", "composite:3,7"),
        new("composite-7-7", "composite of degrees 7 and 7", "composite:7,7"),
        new("direct-4-rising", "progressive: the share of the polynomial rises from none to all", "direct:4", Share: PolynomialShare.Rising),
        .. new[] { 2, 4 }.Select(degree => new NamedTuning($"direct-{degree}-scratch", $"degree {degree}, weights drawn anew: as many passes as the backbone and its tuning together", $"direct:{degree}", FromScratch: true)),
        .. new[] { 5, 6, 7 }.Select(alpha => new NamedTuning(
            $"met-{alpha}", $"a network with ReLUs that met random shares of the error of precision 2^-{alpha} over one range", $"composite:alpha={alpha}", "global", PolynomialShare.Random, Margin: 1.05, Penalty: 0)),
    ];

    /// <summary>All, in the order of the tables.</summary>
    public static IReadOnlyList<NamedTuning> All { get; } =
    [
        .. PlainWays,
        WithTeacher("relu-distilled", "relu"),
        WithTeacher("relu-distilled-last", "relu-last", "relu-distilled"),
        WithTeacher("direct-4-distilled", "direct-4-narrow"),
        WithTeacher("direct-4-distilled-inward", "direct-4-inward", "direct-4-distilled"),
        WithTeacher("direct-2-distilled", "direct-2-firm"),
        WithTeacher("direct-2-distilled-inward", "direct-2-inward-40", "direct-2-distilled"),
        WithContrast("relu-contrast", "relu"),
        WithContrast("direct-2-contrast", "direct-2-firm"),
        WithContrast("relu-contrast-last", "relu-last"),
        WithContrast("direct-2-inward-contrast", "direct-2-inward"),
    ];

    private static NamedTuning WithTeacher(string name, string way, string? after = null)
        => PlainWays.Single(plain => plain.Name == way) with { Name = name, Purpose = $"{way}, with the backbone as its teacher", After = after, Plain = way, Distilled = true };

    private static NamedTuning WithContrast(string name, string way)
        => PlainWays.Single(plain => plain.Name == way) with { Name = name, Purpose = $"{way}, with images of up to {StretchedContrast} times the contrast, whose inputs are larger than those of photographs", Plain = way, Contrast = StretchedContrast };

    /// <summary>The tuning of a name.</summary>
    /// <exception cref="BadInputException">There is none.</exception>
    public static NamedTuning Of(string name) => All.FirstOrDefault(tuning => tuning.Name == name)
        ?? throw new BadInputException($"tuning '{name}': unknown; pann train --list shows all {All.Count}");
}
