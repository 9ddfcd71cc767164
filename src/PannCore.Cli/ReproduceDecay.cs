using System.CommandLine;
using PannCore.Approximation;
using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Experiments;
using PannCore.Reports;
using PannCore.Training;
using static System.FormattableString;

namespace PannCore.Cli;

/// <summary>The verb <c>pann reproduce decay</c>: what weight decay does to the precision a network needs, and by which way.</summary>
internal static class ReproduceDecay
{
    private const int LossImages = 2000;
    private const string Activation = "composite:alpha=6", Ranges = "layer";

    private static readonly string[] UsualRecipes = ["baseline", "decay-5e-3", "decay-1e-4", "decay-1e-5", "decay-0", "decay-conv", "decay-others"];

    public static Command Create()
    {
        var common = new Experiment.Options("decay.json", tunes: false);
        Option<string[]> recipes = new("--recipe") { HelpName = "NAME", Description = "A named recipe (pann train --list). May be given more than once; by default those of weight decay.", Arity = ArgumentArity.OneOrMore, DefaultValueFactory = _ => UsualRecipes };
        Option<string?> plot = new("--plot") { HelpName = "FILE", Description = "Also draw precision needed against crest factor, and growth of the loss against its first two orders, for the recipes asked for and all seeds in the table (SVG)." };
        var command = new Command("decay", "Train networks with different weight decay; for each, the precision needed, the crest factor of its activations, and its sturdiness: how its loss grows under errors of a tenth of the signal, "
            + "against the first two orders of its Taylor series.\n\nExample: pann reproduce decay --recipe baseline --recipe decay-1e-5")
        {
            recipes, plot,
        };
        common.AddTo(command);
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            NamedRecipe[] named = [.. parsed.GetValue(recipes)!.Select(NamedRecipe.Of)];
            PrecisionNeed[] kinds = [.. from ranges in (string[])["global", "layer"] from alpha in Enumerable.Range(ActivationSpec.SmallestAlpha, ActivationSpec.LargestAlpha - ActivationSpec.SmallestAlpha + 1) select new PrecisionNeed(ranges, PrecisionStudy.Plain, alpha)];
            Experiment.RequireRelu(named);
            return Experiment.Run(common, parsed, experiment =>
            {
                CommonOptions.CheckWritable(parsed, experiment.Json, experiment.Beside("precision.json"), parsed.GetValue(plot));
                Read(experiment);
                try
                {
                    foreach (NamedRecipe recipe in named)
                    {
                        foreach (long seed in experiment.Seeds) Measure(experiment, recipe, seed, ReproducePrecision.Measure(experiment, recipe, tuning: null, seed, kinds, experiment.Beside("precision.json")));
                    }
                }
                finally
                {
                    Terminal.Write(Table(Read(experiment)));
                }
                CommonOptions.WriteText(parsed.GetValue(plot), writer => Draw(writer, [.. Read(experiment).Where(row => named.Any(recipe => row.Name == experiment.Name(recipe, row.Seed)))]));
            }, cancellation);
        }, cancellation));
        return command;
    }

    private static void Measure(Experiment experiment, NamedRecipe recipe, long seed, PrecisionRow precision)
    {
        DecayRow? old = Read(experiment).FirstOrDefault(row => row.Name == precision.Name && row.Weights == precision.Weights && row.Images == precision.Images);
        double? Needed(string ranges) => precision.Needed.First(n => (n.Ranges, n.Control) == (ranges, PrecisionStudy.Plain)).Half;
        double largest = precision.Range;
        double globalCrest = precision.CrestFactors.Average(layer => layer.Of(largest)), layerCrest = precision.CrestFactors.Average(layer => layer.Of(layer.Range));
        double scale = Math.Exp(precision.CrestFactors.Average(layer => Math.Log(layer.Rms)));
        if (old is not null)
        {
            experiment.Write(old with { Global = new(Needed("global"), globalCrest), Layer = new(Needed("layer"), layerCrest), Scale = scale, Range = largest });
            return;
        }
        var model = PannModel.Load(experiment.Network(recipe, seed));
        (Cifar10 training, Cifar10 judging) = experiment.Images(seed);
        var spec = ActivationSpec.Parse(Activation);
        using Workspace workspace = experiment.Workspace();
        var study = new SturdinessStudy(
            model.Backbone, spec.Build(), model.Ranges(spec, Ranges), training.Select([.. Enumerable.Range(0, Experiment.RepairImages)]), judging, [.. Enumerable.Range(0, LossImages)], model.Description.Normalization, workspace, experiment.Stop);
        string?[] layers = [null, .. model.Backbone.Activations.Select(activation => activation.Path)];
        Sturdiness[] found = [.. layers.Select(layer => study.Of(layer, experiment.Stop))];
        experiment.Write(
            new DecayRow(precision.Name, recipe.Name, seed, precision.Command, precision.Weights, precision.Images, precision.Backbone, largest, scale, new(Needed("global"), globalCrest), new(Needed("layer"), layerCrest), study.Loss, found[0], found[1..]));
    }

    private static IReadOnlyList<DecayRow> Read(Experiment experiment) => experiment.Rows<DecayRow>();

    private static ReportTable Table(IReadOnlyList<DecayRow> rows) => new(
        "Weight decay: precision needed (alpha*, 0.5 points), mean crest factor log2(B/RMS) of the activations, their difference; loss and its growth under errors of a tenth of the signal in all activations, with first and second order",
        ["network", "backbone", "B", "RMS", "alpha*, global", "crest", "difference", "alpha*, layer", "crest", "difference", "loss", "growth", "1st order", "1st + 2nd", "sum of layers"],
        [.. rows.Select(row => (IReadOnlyList<string>)
        [
            row.Name, Invariant($"{row.Backbone:F2} %"), Invariant($"{row.Range:F2}"), Invariant($"{row.Scale:F3}"),
            Text(row.Global.Alpha), Text(row.Global.Crest), Text(row.Global.Difference), Text(row.Layer.Alpha), Text(row.Layer.Crest), Text(row.Layer.Difference),
            Invariant($"{row.Loss:F3}"), Invariant($"{row.All.Growth:F3}"), Invariant($"{row.All.FirstOrder:F3}"), Invariant($"{row.All.Predicted:F3}"), Invariant($"{row.Layers.Sum(layer => layer.Growth):F3}"),
        ])]);

    /// <summary>Precision needed against crest factor, by kind of ranges: on a line of slope 1 it is the range alone that decay acts through. And growth of the loss: measured, and by its first two orders.</summary>
    private static void Draw(TextWriter writer, IReadOnlyList<DecayRow> rows)
    {
        PlotSeries Points(string name, Func<DecayRow, (double X, double? Y)> place)
            => new(name, [.. from row in rows let at = place(row) where at.Y is not null select new PlotPoint(at.X, at.Y!.Value, row.Recipe)], Joined: false);
        int missing = rows.Sum(row => (row.Global.Alpha is null ? 1 : 0) + (row.Layer.Alpha is null ? 1 : 0));
        SeriesPlot.Write(
            writer, "What weight decay does to a network that is to be converted", Invariant($"Each point is a network{(missing == 0 ? "" : Invariant($"; {missing} figures beyond the greatest precision measured are left out"))}. Errors of a tenth of the signal: {Activation}, ranges {Ranges}, scaled; {LossImages:N0} images."),
            [
                new("Precision needed, as converted", "mean crest factor log2(B / RMS)", "alpha*, 0.5 points", [Points("one range for all", row => (row.Global.Crest, row.Global.Alpha)), Points("a range for each activation", row => (row.Layer.Crest, row.Layer.Alpha))]),
                new("Growth of the loss under errors of a tenth of the signal", "first and second order", "measured", [Points("in all activations", row => (row.All.Predicted, row.All.Growth)), Points("in one activation at a time, sum", row => (row.Layers.Sum(layer => layer.Predicted), row.Layers.Sum(layer => layer.Growth)))]),
            ]);
    }

    private static string Text(double? value) => value is double known ? Invariant($"{known:F2}") : "more";
}

/// <summary>A network and what decay did to it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Recipe">How it was trained.</param>
/// <param name="Seed">Its seed.</param>
/// <param name="Command">The command that trains it.</param>
/// <param name="Weights">SHA-256 of its weights.</param>
/// <param name="Images">Images that judge.</param>
/// <param name="Backbone">Percent right, with ReLU.</param>
/// <param name="Range">B of one range for all activations.</param>
/// <param name="Scale">Geometric mean over the activations of the RMS of their inputs.</param>
/// <param name="Global">With one range.</param>
/// <param name="Layer">With a range for each activation.</param>
/// <param name="Loss">Mean loss, with ReLU.</param>
/// <param name="All">Its growth with errors in all activations.</param>
/// <param name="Layers">With errors in one activation.</param>
internal sealed record DecayRow(
    string Name, string Recipe, long Seed, string Command, string Weights, int Images, double Backbone, double Range, double Scale, CrestAndNeed Global, CrestAndNeed Layer, double Loss, Sturdiness All, IReadOnlyList<Sturdiness> Layers) : IResultRow
{
    string? IResultRow.Fault => IResultRow.CountFault(Images) ?? (Layers.Any(layer => layer is null) ? "a layer, found none" : null);
}

/// <summary>Precision needed and what rare large inputs cost of it.</summary>
/// <param name="Alpha">alpha*; null if it is more than the largest measured.</param>
/// <param name="Crest">Mean over the activations of log2(B / RMS of the inputs).</param>
internal sealed record CrestAndNeed(double? Alpha, double Crest)
{
    /// <summary>Bits needed beyond the crest factor: what neither range nor scale explains.</summary>
    public double? Difference => Alpha - Crest;
}
