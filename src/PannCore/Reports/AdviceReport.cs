using PannCore.Diagnostics;

namespace PannCore.Reports;

/// <summary>An <see cref="AdviceRecord"/> as lines and tables of plain text.</summary>
public static class AdviceReport
{
    /// <summary>What was chosen, what it saves, and whether it holds on images kept apart.</summary>
    public static IReadOnlyList<string> Summary(AdviceRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        (AdviceTrial uniform, AdviceTrial advised) = (record.Uniform, record.Advised);
        bool levels = record.Goal == AdviceGoal.Levels;
        long before = levels ? uniform.ActivationLevels : uniform.Multiplications, after = levels ? advised.ActivationLevels : advised.Multiplications;
        string unit = levels ? "CKKS levels in the activations" : "products of ciphertexts";
        return
        [
            PlainText.OneLine($"Chosen by {record.ChosenOn}, judged by {record.JudgedOn}; expected to lose at most {Figures.Number(record.Loss)} points against the network with its ideal activations."),
            $"{Figures.Count(after)} {unit}, against {Figures.Count(before)} with {PlainText.OneLine(uniform.Name)} at every activation: {Figures.Ratio(1 - ((double)after / before))} less.",
            $"On the images kept apart it loses {Figures.Number(advised.Judged.Loss)} points ({Figures.Count(advised.Judged.Lost)} answers lost, {Figures.Count(advised.Judged.Gained)} gained): "
                + (record.Kept ? "within what is allowed." : "MORE than is allowed; choose by more images (--images), or allow less."),
        ];
    }

    /// <summary>The ideal network, the uniform choice and the advice, on both sets of images.</summary>
    public static ReportTable Trials(AdviceRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        return new(
            "Accuracy with its 95 % interval (binomial, Wilson), and answers lost and gained against the ideal network on the same images;\n"
            + "levels: of the activations, and with the linear maps between them; products: of ciphertexts;\n"
            + "expected, what the choice goes by: points lost if each answer's margin changed as those of about its size do, and nothing were gained",
            ["network", "levels", "in all", "products", "chosen by", "expected", "judged by", "exploded"],
            [.. new[] { record.Ideal, record.Uniform, record.Advised }.Select(trial => (IReadOnlyList<string>)
                [PlainText.OneLine(trial.Name), Cost(trial.ActivationLevels), Cost(trial.NetworkLevels), Cost(trial.Multiplications), Accuracy(trial.Chosen), ReferenceEquals(trial, record.Ideal) ? "–" : FormattableString.Invariant($"{trial.Chosen.ExpectedLoss:F2}"), Accuracy(trial.Judged), Figures.Count(trial.ExplodedImages)])]);

        static string Cost(long cost) => cost == 0 ? "–" : Figures.Count(cost);
        static string Accuracy(AdviceScore score)
            => FormattableString.Invariant($"{Figures.Accuracy(Math.Round(score.Accuracy, 2))} ({score.Interval.Low:F1}..{score.Interval.High:F1}), -{score.Lost} +{score.Gained}");
    }

    /// <summary>The polynomial of each activation.</summary>
    public static ReportTable Layers(AdviceRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        return new(
            "The advice (margin: RMS change of the winner's lead by this polynomial alone, in logit units)",
            ["activation", "polynomial", "largest error", "levels", "products", "RMS margin change"],
            [.. record.Layers.Select(layer => (IReadOnlyList<string>)
                [Figures.Name(PlainText.OneLine(layer.Path)), PlainText.OneLine(layer.Activation), Figures.Bound(layer.Log2MaxError), Figures.Count(layer.Levels), Figures.Count(layer.Multiplications), Figures.Number(layer.MarginRms)])]);
    }
}
