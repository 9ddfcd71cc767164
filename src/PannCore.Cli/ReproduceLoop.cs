using System.CommandLine;
using PannCore.Checkpoints;
using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Experiments;
using PannCore.Nn;
using PannCore.Reports;
using PannCore.Training;
using static System.FormattableString;

namespace PannCore.Cli;

/// <summary>The verb <c>pann reproduce loop</c>: polynomials in the training loop, each beside the same backbone trained on with ReLU.</summary>
internal static class ReproduceLoop
{
    public static Command Create()
    {
        var common = new Experiment.Options("loop.json", tunes: true);
        Option<string[]> tunings = new("--tune") { HelpName = "NAME", Description = "A named way to go on training (pann train --list); relu is the control of the others, relu-last of last stages, relu-distilled and relu-contrast, with -last, of those with a teacher or stretched contrast. May be given more than once.", Arity = ArgumentArity.OneOrMore, DefaultValueFactory = _ => ["relu", "direct-4", "direct-2"] };
        Option<string> backbone = new("--backbone") { HelpName = "NAME", Description = "The recipe of the networks that training goes on from.", DefaultValueFactory = _ => "baseline" };
        Option<double?> margin = new("--margin") { HelpName = "M", Description = "For choices: factor on the ranges, instead of the named way's." };
        Option<double?> penalty = new("--penalty") { HelpName = "P", Description = "For choices: weight of the penalty." };
        Option<double?> penaltyFrom = new("--penalty-from") { HelpName = "T", Description = "For choices: where it begins, in units of the range." };
        Option<double?> contrast = new("--contrast") { HelpName = "C", Description = "For choices: how far the contrast of training images is stretched." };
        var command = new Command("loop", "Train networks on with polynomials in the place of their ReLUs, and with ReLU under the same schedule (those from scratch: as many passes in all, at the backbone's rate); measure accuracy, price, and inputs outside the ranges.\n\n"
            + "Example: pann reproduce loop --tune relu --tune direct-4 --seeds 1..3")
        {
            tunings, backbone, margin, penalty, penaltyFrom, contrast,
        };
        common.AddTo(command);
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            NamedTuning[] ways = [.. parsed.GetValue(tunings)!.Select(name => Variant(NamedTuning.Of(name), parsed.GetValue(margin), parsed.GetValue(penalty), parsed.GetValue(penaltyFrom), parsed.GetValue(contrast)))];
            if (ways.FirstOrDefault(way => way.Share == PolynomialShare.Random || way.StatisticsOnly) is { } other) throw new BadInputException($"--tune {other.Name}: expected a way with polynomials or its control, found one that leaves a network with ReLUs; see pann reproduce precision");
            Option[] given = [.. ((Option[])[margin, penalty, penaltyFrom, contrast]).Where(option => CommonOptions.IsGiven(parsed, option))];
            var recipe = NamedRecipe.Of(parsed.GetValue(backbone)!);
            if (ways.Any(way => way.Activation is not null)) Experiment.RequirePlain(recipe);
            return Experiment.Run(common, parsed, experiment =>
            {
                if (given.FirstOrDefault(option => option != contrast) is { } idle && ways.All(way => way.Activation is null)) throw new BadInputException($"{idle.Name}: expected --tune with a way with a polynomial, found none; without one this option does nothing");
                if (given.Length > 0 && experiment.OnTest) throw new BadInputException($"{given[0].Name}: expected --on held-out, because choices must not see the test images; found --on test");
                Read(experiment);
                try
                {
                    foreach (long seed in experiment.Seeds)
                    {
                        foreach (NamedTuning way in ways) Measure(experiment, recipe, way, seed);
                    }
                }
                finally
                {
                    Terminal.Write(Table(Read(experiment)));
                }
            }, cancellation);
        }, cancellation));
        return command;
    }

    /// <summary>A named way with other settings, which its name then says; ReLU has none but contrast.</summary>
    private static NamedTuning Variant(NamedTuning way, double? margin, double? penalty, double? penaltyFrom, double? contrast)
    {
        string settings = "";
        if (way.Activation is not null && (margin ?? penalty ?? penaltyFrom ?? contrast) is not null)
        {
            if (margin is not null && way.Ranges == PannModel.StoredRanges) throw new BadInputException($"--margin: expected a way whose ranges are not those of the way before it, found --tune {way.Name}");
            if (margin < NamedTuning.LeastMargin) throw new BadInputException(Invariant($"--margin: expected at least {NamedTuning.LeastMargin}, found {margin}"));
            way = way with { Margin = margin ?? way.Margin, Penalty = penalty ?? way.Penalty, PenaltyFrom = penaltyFrom ?? way.PenaltyFrom };
            new Recipe { Architecture = "", Epochs = 1, Polynomial = new(way.Activation, new Dictionary<string, double>(), way.Penalty, way.PenaltyFrom) }.Check();
            settings = Invariant($"{(way.Ranges == PannModel.StoredRanges ? "" : Invariant($",margin={way.Margin}"))},penalty={way.Penalty},from={way.PenaltyFrom}");
        }
        if (contrast is not null)
        {
            new Recipe { Architecture = "", Epochs = 1, Contrast = contrast }.Check();
            settings += Invariant($",contrast={contrast}");
        }
        return way with { Name = way.Name + settings, Contrast = contrast ?? way.Contrast };
    }

    private static void Measure(Experiment experiment, NamedRecipe recipe, NamedTuning way, long seed)
    {
        string name = experiment.Name(recipe, seed, way), backboneName = experiment.Name(recipe, seed);
        var model = PannModel.Load(experiment.Network(recipe, seed, way));
        string weights = ModelFile.WeightHash(model.Backbone);
        Cifar10 judging = experiment.Images(seed).Judging;
        if (Read(experiment).Any(row => row.Name == name && row.Weights == weights && row.Images == judging.Count)) return;

        Console.WriteLine($"{name}: measuring");
        int[] all = [.. Enumerable.Range(0, judging.Count)];
        Normalization normalization = model.Description.Normalization;
        using Workspace workspace = experiment.Workspace();
        Evaluation backbone = Evaluation.Of(PannModel.Load(experiment.Network(recipe, seed)).Backbone, judging, all, normalization, workspace, cancellation: experiment.Stop);
        ResNet network = model.Backbone;
        LoopPrice? price = null;
        LoopRanges? ranges = null;
        if (model.Description.Pann is { } pann)
        {
            network = model.Convert(pann.Activation.ToString(), PannModel.StoredRanges);
            price = LoopPrice.Of(network, workspace);
            RangeRecord study = RangeStudy.Of(network, judging, all, normalization, workspace, cancellation: experiment.Stop, scale: false)!;
            ranges = new(study.Layers.Sum(layer => layer.OutOfRange), study.Layers.Sum(layer => layer.RootImages), study);
        }
        Evaluation answers = Evaluation.Of(network, judging, all, normalization, workspace, cancellation: experiment.Stop);
        bool[] right = [.. answers.Predictions.Select((prediction, i) => prediction == judging.Labels[i])];
        var row = new LoopRow(
            name, way.Name, way.Activation, seed, model.Description.Notes.GetValueOrDefault("command", "unknown"), backboneName, weights, judging.Count, backbone.Correct, answers.Correct, BinomialInterval.Of(answers.Correct, judging.Count), RightAnswers.Write(right), ReproducePrecision.SampleCorrect(experiment, judging, right), price, ranges);
        experiment.Write(row);
    }

    private static IReadOnlyList<LoopRow> Read(Experiment experiment) => experiment.Rows<LoopRow>();

    private static ReportTable Table(IReadOnlyList<LoopRow> rows) => new(
        "Trained on with polynomials, and with ReLU (control) under the same schedule, with the same teacher and images, from scratch for as many passes in all; difference: points above the control, with its 95 % interval over images; p: McNemar's test; plain: points above the same way without teacher and stretched contrast",
        ["network", "accuracy", "control", "difference", "p", "plain", "p (plain)", "levels", "products", "inputs outside", "in images", "largest |x|/B", "stress", "search"],
        [.. rows.Select(row => Cells(row, Beside(rows, row, Control(row)), Beside(rows, row, Plain(row))))]);

    /// <summary>The control, with the same contrast where the name says one; null for a way that is no more.</summary>
    private static string? Control(LoopRow row)
    {
        int contrast = row.Tuning.IndexOf(",contrast=", StringComparison.Ordinal);
        return Way(row) is { } way ? way.Control + (contrast < 0 ? "" : row.Tuning[contrast..]) : null;
    }

    /// <summary>The same way without teacher and stretched contrast, and otherwise with the same settings; null where there is none, and for another contrast than the named way's.</summary>
    private static string? Plain(LoopRow row)
        => Way(row)?.Plain is { } plain && !row.Tuning.Contains(",contrast=", StringComparison.Ordinal) ? plain + row.Tuning[row.Tuning.Split(',')[0].Length..] : null;

    /// <summary>The way; a way with other settings than the named one's has a name that begins with that. Null for a way that is no more.</summary>
    private static NamedTuning? Way(LoopRow row) => NamedTuning.All.FirstOrDefault(way => way.Name == row.Tuning.Split(',')[0]);

    /// <summary>The row of another way from the same backbone, under the same schedule; null where there is none.</summary>
    private static LoopRow? Beside(IReadOnlyList<LoopRow> rows, LoopRow row, string? way)
        => rows.FirstOrDefault(r => r != row && r.Tuning == way && r.Backbone == row.Backbone && r.Images == row.Images && Schedule(r) == Schedule(row));

    /// <summary>The name's end, after backbone and tuning.</summary>
    private static string Schedule(LoopRow row) => row.Name[$"{row.Backbone}.{row.Tuning}".Length..];

    private static IReadOnlyList<string> Cells(LoopRow row, LoopRow? control, LoopRow? plain)
    {
        return
        [
            row.Name,
            Invariant($"{row.Accuracy:F2} %"),
            control is null ? "-" : Invariant($"{control.Accuracy:F2} %"),
            .. Compared(row, control),
            .. Compared(row, plain),
            row.Price is null ? "-" : Invariant($"{row.Price.Levels}"),
            row.Price is null ? "-" : Invariant($"{row.Price.Multiplications:N0}"),
            row.Ranges is null ? "-" : Invariant($"{row.Ranges.OutOfRange:N0}"),
            row.Ranges is null ? "-" : Invariant($"{row.Ranges.OutOfRangeImages:N0}"),
            row.Ranges is null ? "-" : Invariant($"{row.Ranges.Largest:F3}"),
            row.Ranges is null ? "-" : Invariant($"{row.Ranges.Study.Stress.Max(image => image.Share):F2}"),
            row.Ranges?.Study.Search is { } search ? Invariant($"{search.Share:F2}") : "-",
        ];
    }

    /// <summary>Points above another row with their interval, and McNemar's p.</summary>
    private static string[] Compared(LoopRow row, LoopRow? other)
    {
        if (other is null) return ["-", "-"];
        var test = McNemar.Of(RightAnswers.Read(row.Right, row.Images), RightAnswers.Read(other.Right, other.Images));
        (double points, double half) = test.Difference(row.Images);
        double p = test.Probability;
        return [Invariant($"{points:F2} +- {half:F2}"), p < 1e-99 ? "< 1e-99" : p < 0.001 ? Invariant($"{p:0e-0}") : Invariant($"{p:F3}")];
    }
}
