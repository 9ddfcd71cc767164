using System.Text.Json.Serialization;
using PannCore.Approximation;
using PannCore.Engine;
using PannCore.Ops;

namespace PannCore.Training;

/// <summary>Everything that decides the result of a training run, given the data.</summary>
public sealed record Recipe
{
    /// <summary>The algorithm of convolutions where nothing is said.</summary>
    public const ConvAlgorithm DefaultConvolution = ConvAlgorithm.Winograd4;

    private const int MaxEpochs = 10_000;

    /// <summary>Mixup's weight then is 1/2 within 0.002; from 1e12 on the inverse of the beta distribution is not accurate.</summary>
    private const int MaxMixup = 1_000_000;

    /// <summary>Far beyond any use; the gradient then fits into float32 for every channel whose RMS is not tiny.</summary>
    private const int MaxCrest = 1_000_000;

    /// <summary>For instance <c>resnet20</c>.</summary>
    public required string Architecture { get; init; }

    /// <summary>Passes over the training images.</summary>
    public required int Epochs { get; init; }

    /// <summary>Images a step.</summary>
    public int Batch { get; init; } = 128;

    /// <summary>Largest learning rate of the cosine schedule. At 0 all weights stay as they are, and only batch-norm's running statistics move.</summary>
    public double LearningRate { get; init; } = 0.1;

    /// <summary>Epochs of linear warm-up.</summary>
    public double WarmupEpochs { get; init; } = 1;

    /// <summary>SGD's momentum.</summary>
    public double Momentum { get; init; } = 0.9;

    /// <summary>Weight decay.</summary>
    public double WeightDecay { get; init; } = 5e-4;

    /// <summary>The parameters that it acts on.</summary>
    public DecayScope DecayOn { get; init; }

    /// <summary>Strength a of Mixup; 0 mixes nothing.</summary>
    public double Mixup { get; init; }

    /// <summary>C: each training image's contrast is multiplied by C^u, u uniform in [0, 1); null leaves all as they are. See <see cref="Data.Augmentation"/>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Contrast { get; init; }

    /// <summary>Slope of the activations for negative inputs: negative-input leakage, in the reading that trains it.</summary>
    public double Leak { get; init; }

    /// <summary>Whether the model stands for a plain ReLU although it was trained with a leaky one.</summary>
    public bool DropLeak { get; init; }

    /// <summary>Noise on the activations: negative-input leakage in the reading that adds it, and its controls.</summary>
    public Noise Noise { get; init; } = new(0);

    /// <summary>A penalty on the inputs of the activations that stand out of their channel; null for none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public CrestPenalty? Crest { get; init; }

    /// <summary>Polynomials in the place of the activations; null trains with ReLU.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public PolynomialInTheLoop? Polynomial { get; init; }

    /// <summary>SHA-256 of the weights that training begins from; null for random ones.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? InitialWeights { get; init; }

    /// <summary>A teacher whose answers count beside the labels; null for none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Distillation? Distillation { get; init; }

    /// <summary>Gradients whose norm, over all parameters, is larger are scaled down to it; infinity leaves all as they are.</summary>
    public double MaxGradientNorm { get; init; } = double.PositiveInfinity;

    /// <summary>Training images held out, the same number of each class; 0 trains on all.</summary>
    public int Validation { get; init; } = 5000;

    /// <summary>Seed of everything random: weights, split, order, augmentation, contrast, Mixup, noise and random shares.</summary>
    public long Seed { get; init; }

    /// <summary>
    /// How convolutions are computed: another algorithm rounds otherwise, so training takes another course. By default the fastest: networks trained with
    /// it are as good as those trained with direct sums (measured over three seeds, see perf/README.md).
    /// </summary>
    public ConvAlgorithm Convolution { get; init; } = DefaultConvolution;

    /// <summary>Name of the pixel normalisation.</summary>
    public string Normalize { get; init; } = "cifar10";

    /// <summary>Refuses settings that cannot be trained with.</summary>
    /// <exception cref="BadInputException">Names the setting, what was expected and what was found.</exception>
    public void Check()
    {
        Require(Epochs is >= 1 and <= MaxEpochs, "epochs", $"1 to {MaxEpochs}", Epochs);
        Require(Batch >= 2, "batch", "at least 2 images", Batch);
        Require(LearningRate >= 0 && double.IsFinite(LearningRate), "learning rate", "at least 0", LearningRate);
        Require(WarmupEpochs >= 0 && WarmupEpochs <= Epochs, "warm-up", $"0 to {Epochs} epochs", WarmupEpochs);
        Require(Momentum is >= 0 and < 1, "momentum", "at least 0 and below 1", Momentum);
        Require(WeightDecay >= 0 && double.IsFinite(WeightDecay), "weight decay", "at least 0", WeightDecay);
        Require(Mixup is >= 0 and <= MaxMixup, "mixup", $"0 to {MaxMixup}", Mixup);
        Require(Contrast is null or (> 1 and <= 100), "contrast", "more than 1 and at most 100", Contrast ?? 1);
        Require(ActivationSpec.IsSlope(Leak), "leak", "at least 0 and, in float32, below 1", Leak);
        Require(!DropLeak || Leak > 0, "leak", "more than 0, because it is to be dropped", Leak);
        Require(Noise.Size >= 0 && double.IsFinite(Noise.Size), "noise", "at least 0", Noise.Size);
        if (Crest is { } crest)
        {
            Require(crest.From > 0 && double.IsFinite(crest.From), "crest", "more than 0, in units of a channel's RMS", crest.From);
            Require(crest.Weight is > 0 and <= MaxCrest, "crest penalty", $"more than 0 and at most {MaxCrest}", crest.Weight);
        }
        Require(MaxGradientNorm > 0, "gradient norm", "a positive number", MaxGradientNorm);
        if (Polynomial is { } polynomial)
        {
            Require(polynomial.Penalty >= 0 && double.IsFinite(polynomial.Penalty), "penalty", "at least 0", polynomial.Penalty);
            Require(polynomial.PenaltyFrom is >= 0 and <= 1, "penalty from", "0 to 1, in units of the range", polynomial.PenaltyFrom);
            Require(!polynomial.LearnRanges || polynomial.StandsForItself, "learnt ranges", "a share that is full or rising, because a network that stands for one with ReLUs keeps no ranges", "random");
            Require(Leak == 0 && Noise.Size == 0 && Crest is null, "polynomial", "neither leak nor noise nor a penalty on crest factors beside it", polynomial.Activation);
        }
        if (Distillation is { } distillation)
        {
            Require(distillation.Weight is > 0 and <= 1, "distillation weight", "more than 0 and at most 1", distillation.Weight);
            Require(distillation.Temperature is >= 0.1 and <= 100, "distillation temperature", "0.1 to 100", distillation.Temperature);
            Require(LearningRate > 0, "distillation", "a learning rate above 0, because at 0 nothing is learnt from a teacher", LearningRate);
        }
        Require(Validation >= 0, "validation", "at least 0 images", Validation);
    }

    private static void Require(bool holds, string setting, string expected, object found)
    {
        if (!holds) throw new BadInputException(FormattableString.Invariant($"recipe: {setting}: expected {expected}, found {found}"));
    }
}
