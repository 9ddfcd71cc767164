using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using PannCore.Approximation;
using PannCore.Checkpoints;
using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Experiments;
using PannCore.Nn;
using PannCore.Ops;
using PannCore.Reports;
using PannCore.Training;
using static System.FormattableString;

namespace PannCore.Cli;

/// <summary>The verb <c>pann reproduce perturbation</c>: on which side of a ReLU's input a perturbation of its output hurts, for constants, noise and polynomials' own errors.</summary>
internal static class ReproducePerturbation
{
    /// <summary>Training images, the first ones, on which layers are measured where sizes are energies.</summary>
    private const int MeasuredImages = 1000;

    private const long NoiseSeed = 1;

    private static readonly PerturbationForm[] Simple = [PerturbationForm.Plus, PerturbationForm.Minus, PerturbationForm.Uniform], Own = [PerturbationForm.Own, PerturbationForm.OwnReversed, PerturbationForm.OwnRandomSign];

    /// <summary>What is put in, and in what its size is measured. Of polynomials those of the least precision that most networks survive, with ranges <c>global</c> and <c>layer</c>.</summary>
    private static readonly Kind[] Kinds =
    [
        new(PerturbationUnit.Absolute, Simple, [0.025, 0.05, 0.1, 0.2]),
        new(PerturbationUnit.Energy, Simple, [0.05, 0.1, 0.2, 0.4]),
        new(PerturbationUnit.Absolute, Own, [1], Alpha: 8, "global"),
        new(PerturbationUnit.Absolute, Own, [1], Alpha: 6, "layer"),
        new(PerturbationUnit.Energy, Own, [0.1], Alpha: 8, "global"),
    ];

    public static Command Create()
    {
        var common = new Experiment.Options("perturbation.json", tunes: false);
        Option<string[]> recipes = new("--recipe") { HelpName = "NAME", Description = "A named recipe (pann train --list). May be given more than once.", Arity = ArgumentArity.OneOrMore, DefaultValueFactory = _ => ["baseline"] };
        Option<int> images = CommonOptions.AtLeast(new Option<int>("--images") { HelpName = "N", Description = "The first N of the images that judge. Default: all." }, 1);
        Option<string?> plot = new("--plot") { HelpName = "FILE", Description = "Also draw accuracy against size by side, for the networks asked for (SVG)." };
        var command = new Command("perturbation", "Perturb the output of every ReLU on one side of its input, by constants, noise and polynomials' own errors, of the same size and of the same energy: which side costs more.\n\n"
            + "Example: pann reproduce perturbation --epochs 100 --seeds 11..11 --plot perturbation.svg")
        {
            recipes, images, plot,
        };
        common.AddTo(command);
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            NamedRecipe[] named = [.. parsed.GetValue(recipes)!.Select(NamedRecipe.Of)];
            return Experiment.Run(common, parsed, experiment =>
            {
                CommonOptions.CheckWritable(parsed, experiment.Json, parsed.GetValue(plot));
                string[] asked = [.. from recipe in named from seed in experiment.Seeds from kind in Kinds select kind.Row(experiment.Name(recipe, seed), parsed.GetValue(images))];
                PerturbationRow[] rows = Rows();
                try
                {
                    foreach (NamedRecipe recipe in named)
                    {
                        foreach (long seed in experiment.Seeds) Measure(experiment, recipe, seed, parsed.GetValue(images));
                    }
                }
                finally
                {
                    Terminal.Write(Table(rows = Rows()));
                }
                PerturbationRow[] Rows() => [.. Read(experiment).Where(row => asked.Contains(row.Name))];
                CommonOptions.WriteText(parsed.GetValue(plot), writer => Draw(writer, rows));
            }, cancellation);
        }, cancellation));
        return command;
    }

    /// <summary>Fills the rows of one network that are missing, or that belong to something else than is asked for; 0 images are all.</summary>
    private static void Measure(Experiment experiment, NamedRecipe recipe, long seed, int images)
    {
        string network = experiment.Name(recipe, seed);
        var model = PannModel.Load(experiment.Network(recipe, seed));
        string weights = ModelFile.WeightHash(model.Backbone);
        (Cifar10 training, Cifar10 judging) = experiment.Images(seed);
        int[] indices = [.. Enumerable.Range(0, images > 0 ? Math.Min(images, judging.Count) : judging.Count)];
        using Workspace workspace = experiment.Workspace();
        ResNet backbone = model.Backbone.With(model.Description.Activation, ranges: null);
        foreach (Kind kind in Kinds)
        {
            experiment.Stop.ThrowIfCancellationRequested();
            ActivationSpec? spec = kind.Alpha is int alpha ? PrecisionSweep.Alphas(alpha, alpha, model.Description.Activation.Leak).Single() : null;
            string name = kind.Row(network, images);
            PerturbationTrial[] trials = [.. from form in kind.Forms from size in kind.Sizes from side in Enum.GetValues<PerturbedSide>() select new PerturbationTrial(side, form, size)];
            if (Read(experiment).Any(row => row.Name == name && row.Weights == weights && row.Images == indices.Length && row.Asked.SequenceEqual(trials))) continue;

            Console.WriteLine($"{name}: measuring");
            ActivationRanges? ranges = spec is null ? null : model.Ranges(spec, kind.Ranges!);
            ReluPolynomial? polynomial = spec?.Build();
            ReluStatistics? statistics = kind.Unit == PerturbationUnit.Absolute ? null
                : ReluStatistics.Measure(backbone, training, [.. Enumerable.Range(0, MeasuredImages)], model.Description.Normalization, workspace, polynomial, ranges, cancellation: experiment.Stop);
            PerturbationResult result = new Perturbation(backbone, kind.Unit, NoiseSeed, statistics: statistics, polynomial: polynomial, ranges: ranges).Run(
                trials, judging, indices, model.Description.Normalization, workspace, cancellation: experiment.Stop);
            SidesCell[] cells =
                [.. from sides in result.Comparisons
                    let both = result.Outcomes.First(outcome => outcome.Trial == sides.Negative.Trial with { Side = PerturbedSide.Both })
                    select new SidesCell(sides.Negative.Trial.Form, sides.Negative.Trial.Size, sides.Negative.Correct, sides.Positive.Correct, both.Correct, sides.RightWithNegativeOnly, sides.RightWithPositiveOnly, sides.Worse)];
            experiment.Write(
                new PerturbationRow(name, network, recipe.Name, seed, model.Description.Notes.GetValueOrDefault("command", "unknown"), weights, indices.Length, result.Baseline.Correct, kind.Unit, spec?.ToString(), kind.Ranges, cells));
        }
    }

    private static IReadOnlyList<PerturbationRow> Read(Experiment experiment) => experiment.Rows<PerturbationRow>();

    private static ReportTable Table(IReadOnlyList<PerturbationRow> rows) => new(
        "Accuracy in percent with the outputs of all ReLUs perturbed on one side of their inputs; p: McNemar's test of the two sides",
        ["network", "unit", "form", "of", "size", "negative", "positive", "both", "costs more", "p"],
        [.. from row in rows
            from cell in row.Cells
            select (IReadOnlyList<string>)
            [
                row.Network, PerturbationReport.Name(row.Unit), PerturbationReport.Name(cell.Form), row.Activation is null ? "" : $"{row.Activation}, {row.Ranges}", Invariant($"{cell.Size}"),
                Invariant($"{row.Percent(cell.Negative):F2}"), Invariant($"{row.Percent(cell.Positive):F2}"), Invariant($"{row.Percent(cell.Both):F2}"),
                cell.CostsMore is { } side ? PerturbationReport.Name(side) : "not clear", Invariant($"{new McNemar(cell.RightWithNegativeOnly, cell.RightWithPositiveOnly).Probability:G2}"),
            ]]);

    /// <summary>Accuracy against the size of constants and noise, a line a form and side; a panel a recipe and unit, mean over seeds.</summary>
    private static void Draw(TextWriter writer, IReadOnlyList<PerturbationRow> rows)
    {
        static string Form(PerturbationForm form) => form switch { PerturbationForm.Plus => "+c", PerturbationForm.Minus => "-c", _ => "noise" };
        PlotSeries Series(IReadOnlyList<PerturbationRow> seeds, PerturbationForm form, PerturbedSide side) => new(
            $"{Form(form)} on {PerturbationReport.Name(side)} inputs",
            [
                PlotPoint.Mean(0, [.. seeds.Select(row => row.Percent(row.BackboneCorrect))]),
                .. from row in seeds from cell in row.Cells where cell.Form == form group row.Percent(side == PerturbedSide.Negative ? cell.Negative : cell.Positive) by cell.Size into percents
                   orderby percents.Key select PlotPoint.Mean(percents.Key, [.. percents]),
            ],
            Joined: true);
        PlotPanel[] panels =
            [.. from recipe in rows.Where(row => row.Activation is null).GroupBy(row => row.Recipe)
                from unit in (PerturbationUnit[])[PerturbationUnit.Absolute, PerturbationUnit.Energy]
                let seeds = recipe.Where(row => row.Unit == unit).ToArray()
                where seeds.Length > 0
                select new PlotPanel(
                    $"{recipe.Key}: {(unit == PerturbationUnit.Absolute ? "the same c" : "the same energy")} on either side", unit == PerturbationUnit.Absolute ? "c; noise is uniform in [-c, c)" : "RMS of the perturbation over that of the ReLU's output", "accuracy, %",
                    [.. from form in Simple from side in (PerturbedSide[])[PerturbedSide.Negative, PerturbedSide.Positive] select Series(seeds, form, side)])];
        SeriesPlot.Write(writer, "Which perturbations of a ReLU's output hurt", Invariant($"In all ReLUs at once, on one side of the input; {rows.Max(row => row.Images):N0} images; {Experiment.SeedsInWords(rows.Select(row => row.Seed))}."), panels);
    }

    private sealed record Kind(PerturbationUnit Unit, PerturbationForm[] Forms, double[] Sizes, int? Alpha = null, string? Ranges = null)
    {
        public string Name => $"{PerturbationReport.Name(Unit)} {(Alpha is null ? "constants and noise" : $"alpha={Alpha} {Ranges}")}";

        /// <summary>The row's name; where not all images judge, their number is part of it.</summary>
        public string Row(string network, int images) => Invariant($"{network} {Name}{(images > 0 ? $", {images} images" : "")}");
    }
}

/// <summary>Perturbations of one kind of one network.</summary>
/// <param name="Name">Network and kind.</param>
/// <param name="Network">The network's name.</param>
/// <param name="Recipe">How it was trained.</param>
/// <param name="Seed">Its seed.</param>
/// <param name="Command">The command that trains it.</param>
/// <param name="Weights">SHA-256 of its weights.</param>
/// <param name="Images">Images that judge.</param>
/// <param name="BackboneCorrect">Right answers without a perturbation.</param>
/// <param name="Unit">What sizes are measured in.</param>
/// <param name="Activation">The polynomial whose own error is put in; null for constants and noise.</param>
/// <param name="Ranges">Its ranges.</param>
/// <param name="Cells">By form and size.</param>
internal sealed record PerturbationRow(
    string Name, string Network, string Recipe, long Seed, string Command, string Weights, int Images, int BackboneCorrect,
    [property: JsonConverter(typeof(SpelledAsTyped<PerturbationUnit>))] PerturbationUnit Unit, string? Activation, string? Ranges, IReadOnlyList<SidesCell> Cells) : IResultRow
{
    string? IResultRow.Fault => (Cells.Any(cell => cell is null) ? "a cell, found none" : null)
        ?? IResultRow.CountFault(Images, [BackboneCorrect, .. Cells.SelectMany(cell => (int[])[cell.Negative, cell.Positive, cell.Both])]);

    /// <summary>What was tried, in order.</summary>
    [JsonIgnore]
    public IEnumerable<PerturbationTrial> Asked => from cell in Cells from side in Enum.GetValues<PerturbedSide>() select new PerturbationTrial(side, cell.Form, cell.Size);

    /// <summary>Of the row's images.</summary>
    public double Percent(int correct) => 100.0 * correct / Images;
}

/// <summary>The same perturbation on either side.</summary>
/// <param name="Form">What is added.</param>
/// <param name="Size">How much.</param>
/// <param name="Negative">Right answers with it on negative inputs.</param>
/// <param name="Positive">On positive ones.</param>
/// <param name="Both">On all.</param>
/// <param name="RightWithNegativeOnly">Images right with it on negative inputs and wrong with it on positive ones.</param>
/// <param name="RightWithPositiveOnly">The reverse.</param>
/// <param name="CostsMore">The side that costs more, by two standard errors of paired counts; null where that is not clear.</param>
internal sealed record SidesCell(
    [property: JsonConverter(typeof(SpelledAsTyped<PerturbationForm>))] PerturbationForm Form, double Size, int Negative, int Positive, int Both, int RightWithNegativeOnly, int RightWithPositiveOnly,
    [property: JsonConverter(typeof(SpelledAsTyped<PerturbedSide>))] PerturbedSide? CostsMore);

/// <summary>Choices as on the command line: <c>own-random-sign</c>.</summary>
internal sealed class SpelledAsTyped<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.KebabCaseLower) where T : struct, Enum;
