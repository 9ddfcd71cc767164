using System.CommandLine;
using System.Diagnostics;
using System.Text.RegularExpressions;
using PannCore.Approximation;
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

/// <summary>The verb <c>pann reproduce precision</c>: how much precision networks of different training need.</summary>
internal static partial class ReproducePrecision
{
    /// <summary>Networks beside each other in the table of crest factors.</summary>
    private const int NetworksAcross = 4;

    public static Command Create()
    {
        var common = new Experiment.Options("precision.json", tunes: true);
        Option<string[]> recipes = new("--recipe") { HelpName = "NAME", Description = "A named recipe (pann train --list). May be given more than once.", Arity = ArgumentArity.OneOrMore, DefaultValueFactory = _ => ["baseline"] };
        Option<string[]> tunings = new("--tune") { HelpName = "NAME", Description = "Go on training each network in a named way (pann train --list) that leaves it a network with ReLUs. May be given more than once.", Arity = ArgumentArity.OneOrMore, DefaultValueFactory = _ => [] };
        Option<string[]> controls = new Option<string[]>("--control") { Description = "What is done without training. May be given more than once; by default all.", Arity = ArgumentArity.OneOrMore, DefaultValueFactory = _ => [.. PrecisionStudy.Controls] }.AcceptOnlyFromAmong([.. PrecisionStudy.Controls]);
        Option<string[]> ranges = new Option<string[]>("--ranges") { Description = "Ranges of the polynomials. May be given more than once; by default all.", Arity = ArgumentArity.OneOrMore, DefaultValueFactory = _ => [.. PrecisionStudy.RangeTexts] }.AcceptOnlyFromAmong([.. PrecisionStudy.RangeTexts]);
        Option<int> least = CommonOptions.AtLeast(new Option<int>("--from") { HelpName = "A", Description = "The least precision 2^-A.", DefaultValueFactory = _ => ActivationSpec.SmallestAlpha }, ActivationSpec.SmallestAlpha, ActivationSpec.LargestAlpha);
        Option<int> most = CommonOptions.AtLeast(new Option<int>("--to") { HelpName = "A", Description = "The greatest precision 2^-A.", DefaultValueFactory = _ => ActivationSpec.LargestAlpha }, ActivationSpec.SmallestAlpha, ActivationSpec.LargestAlpha);
        Option<string?> plot = new("--plot") { HelpName = "FILE", Description = "Also draw accuracy against precision, for the recipes asked for and all seeds in the table (SVG)." };
        var command = new Command("precision", "Train each recipe with each seed, then measure its PANNs: accuracy at composite:alpha=4 to 14, three kinds of ranges, plain and with the controls that need no training; and the precision needed.\n\n"
            + "Example: pann reproduce precision --recipe baseline --recipe minimal-mixup --seeds 1..3")
        {
            recipes, tunings, controls, ranges, least, most, plot,
        };
        common.AddTo(command);
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            NamedRecipe[] named = [.. parsed.GetValue(recipes)!.Select(NamedRecipe.Of)];
            NamedTuning?[] ways = parsed.GetValue(tunings) is { Length: > 0 } given ? [.. given.Select(NamedTuning.Of)] : [null];
            Experiment.RequireReluLeft(ways, named);
            if (ways.All(way => way is null or { StatisticsOnly: true })) CommonOptions.RefuseIdle(parsed, "--tune with a way that trains", common.TuningEpochs!);
            if (parsed.GetValue(least) > parsed.GetValue(most)) throw new BadInputException($"--from and --to: expected a range of precisions, found {parsed.GetValue(least)} to {parsed.GetValue(most)}");
            PrecisionNeed[] cells = [.. from control in parsed.GetValue(controls)! from range in parsed.GetValue(ranges)! from alpha in Enumerable.Range(0, ActivationSpec.LargestAlpha + 1) where alpha >= parsed.GetValue(least) && alpha <= parsed.GetValue(most) && PrecisionStudy.Applies(control, range) select new PrecisionNeed(range, control, alpha)];
            if (cells.Length == 0) throw new BadInputException("--ranges and --control: expected a control that applies to the ranges, found none; the scale of an equalised network is arbitrary, so a fixed B says nothing of it");
            return Experiment.Run(common, parsed, experiment =>
            {
                CommonOptions.CheckWritable(parsed, experiment.Json, parsed.GetValue(plot));
                experiment.Rows<PrecisionRow>();
                try
                {
                    foreach (NamedRecipe recipe in named)
                    {
                        foreach (NamedTuning? tuning in ways)
                        {
                            foreach (long seed in experiment.Seeds) Measure(experiment, recipe, tuning, seed, cells, experiment.Json);
                        }
                    }
                }
                finally
                {
                    PrecisionRow[] asked = Asked(experiment);
                    Terminal.Write(Table(asked));
                    Terminal.Write(Seeds(asked));
                    foreach (PrecisionRow[] some in asked.Chunk(NetworksAcross)) Terminal.Write(CrestFactors(some));
                    foreach (ReportTable table in OverSeeds(asked)) Terminal.Write(table);
                }
                CommonOptions.WriteText(parsed.GetValue(plot), writer => Draw(writer, Asked(experiment), parsed.GetValue(controls)!, cells));
            }, cancellation);

            // Of the recipes and ways asked for, all seeds in the table.
            PrecisionRow[] Asked(Experiment experiment) => [.. experiment.Rows<PrecisionRow>().Where(row => named.Any(recipe => ways.Any(tuning => row.Name == experiment.Name(recipe, row.Seed, tuning))))];
        }, cancellation));
        return command;
    }

    /// <summary>Fills the cells of one row that are missing, or that belong to something else than is asked for.</summary>
    public static PrecisionRow Measure(Experiment experiment, NamedRecipe recipe, NamedTuning? tuning, long seed, IReadOnlyList<PrecisionNeed> cells, string json)
    {
        string name = experiment.Name(recipe, seed, tuning);
        var model = PannModel.Load(experiment.Network(recipe, seed, tuning));
        (Cifar10 training, Cifar10 judging) = experiment.Images(seed);
        using Workspace workspace = experiment.Workspace();
        var study = new PrecisionStudy(model, training, Experiment.RepairImages, judging, workspace, experiment.Sample(judging));
        string weights = ModelFile.WeightHash(model.Backbone);
        PrecisionRow? row = experiment.Rows<PrecisionRow>(json).FirstOrDefault(r => r.Name == name);
        if (row?.Weights != weights || row.Images != judging.Count)
        {
            bool[] right = study.Backbone(experiment.Stop);
            row = new(
                name, tuning is null ? recipe.Name : $"{recipe.Name}.{tuning.Name}", seed, model.Description.Notes.GetValueOrDefault("command", "unknown"), weights, judging.Count, right.Count(answer => answer), RightAnswers.Write(right), SampleCorrect(experiment, judging, right),
                CrestFactors(model, training, workspace, experiment.Stop), []);
        }
        foreach ((string ranges, string control, int alpha) in cells)
        {
            experiment.Stop.ThrowIfCancellationRequested();
            string key = study.Key(ranges, control, alpha);
            if (row.Cells.Any(cell => (cell.Ranges, cell.Control, cell.Alpha, cell.Key) == (ranges, control, alpha, key) && row.IsComplete(cell))) continue;
            long start = Stopwatch.GetTimestamp();
            PrecisionCell measured = study.Measure(ranges, control, alpha, RightAnswers.Read(row.BackboneRight, row.Images), experiment.Stop);
            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            PrecisionRow mine = row;
            row = ResultFile<PrecisionRow>.Change(json, experiment.Data, name, now => (now?.Weights == weights && now.Images == judging.Count ? now : mine).With(measured with { Seconds = Math.Round(seconds, 1) }));
            Console.WriteLine(Invariant($"{name}  {ranges}  {control}  alpha {alpha}: {row.Percent(measured.Correct):F2} %  {seconds:F1} s"));
        }
        return row;
    }

    /// <summary>Right answers among the bundled images; null where others judge.</summary>
    public static int? SampleCorrect(Experiment experiment, Cifar10 judging, bool[] right) => experiment.Sample(judging) is { Length: > 0 } sample ? sample.Count(image => right[image]) : null;

    private static IReadOnlyList<CrestFactor> CrestFactors(PannModel model, Cifar10 training, Workspace workspace, CancellationToken cancellation)
    {
        IReadOnlyDictionary<string, double> largest = model.Description.LargestInputs ?? throw BadInputException.At(model.File, "metadata largestInputs", "the largest input of each activation", "none");
        var statistics = new ReluStatistics((float)model.Description.Activation.Leak);
        Evaluation.Of(
            model.Backbone.With(model.Description.Activation, ranges: null), training, [.. Enumerable.Range(0, Experiment.RepairImages)], model.Description.Normalization, workspace, observers: [statistics], cancellation: cancellation);
        return [.. statistics.ByPath.Select(layer => new CrestFactor(layer.Key, largest[layer.Key], layer.Value.InputRms))];
    }

    /// <summary>By activation: how far the range reaches beyond the usual input.</summary>
    private static ReportTable CrestFactors(PrecisionRow[] rows) => new(
        Invariant($"Crest factor log2(B / RMS) of each activation's inputs, with one range (with its own), B = {PannModel.DefaultMargin} times the largest; the largest error B 2^-alpha is 2^(crest factor - alpha) of the RMS"),
        ["activation", .. rows.Select(row => row.Name)],
        [
            ["B, one range", .. rows.Select(row => Invariant($"{row.Range:F2}"))],
            .. rows[0].CrestFactors.Select(layer => (IReadOnlyList<string>)[layer.Path, .. rows.Select(row => row.CrestFactors.FirstOrDefault(l => l.Path == layer.Path) is { } found ? Invariant($"{found.Of(row.Range):F2} ({found.Of(found.Range):F2})") : "-")]),
        ]);

    private static ReportTable Table(IReadOnlyList<PrecisionRow> rows) => new(
        "Precision needed: alpha within 0.5 points of the network's own backbone, with its 95 % interval over images, and within 5 points",
        ["network", "ReLU", "ranges", "done without training", "0.5 points", "5 points"],
        [.. from row in rows from need in row.Needed select (IReadOnlyList<string>)
            [need == row.Needed[0] ? row.Name : "", need == row.Needed[0] ? Invariant($"{row.Backbone:F2} % ({Interval(row.BackboneCorrect, row.Images)})") : "", need.Ranges, need.Control, need.HalfText, need.FiveText]]);

    /// <summary>All seeds of a recipe, with one range: precision needed, and accuracy at alpha 9 against the network's own backbone, image by image.</summary>
    private static ReportTable Seeds(IReadOnlyList<PrecisionRow> rows) => new(
        "With one range, over the seeds of a recipe: mean (least to greatest); p: of alpha 9, plain, against ReLU (McNemar), seed by seed",
        ["networks", "seeds", "ReLU", "alpha*, plain", "alpha*, equalised and refitted", "alpha 9, plain", "p"],
        [.. BySeed(rows).Select(seeds => (IReadOnlyList<string>)
        [
            seeds.Key, $"{seeds.Count()}", Spread(seeds.Select(row => (double?)row.Backbone)), Spread(seeds.Select(row => Half(row, PrecisionStudy.Plain))), Spread(seeds.Select(row => Half(row, PrecisionStudy.EqualisedRefitted))),
            Spread(seeds.Select(row => Nine(row) is { } cell ? row.Percent(cell.Correct) : (double?)null)),
            string.Join(", ", seeds.Select(row => Nine(row)?.Right is string right ? Invariant($"{McNemar.Of(RightAnswers.Read(row.BackboneRight, row.Images), RightAnswers.Read(right, row.Images)).Probability:G2}") : "-")),
        ])]);

    /// <summary>Of networks with several seeds, for each kind of ranges: accuracy at each precision, and the precision needed.</summary>
    private static IEnumerable<ReportTable> OverSeeds(IReadOnlyList<PrecisionRow> rows) =>
        from seeds in BySeed(rows)
        where seeds.Count() > 1
        from ranges in PrecisionStudy.RangeTexts
        let controls = PrecisionStudy.Controls.Where(control => seeds.All(row => row.Cells.Any(cell => (cell.Ranges, cell.Control) == (ranges, control)))).ToArray()
        where controls.Length > 0
        select new ReportTable(
            $"{seeds.Key}, {seeds.Count()} seeds, {Words(ranges)}: accuracy, mean (least to greatest)",
            ["alpha", .. controls],
            [
                .. from alpha in Enumerable.Range(ActivationSpec.SmallestAlpha, ActivationSpec.LargestAlpha - ActivationSpec.SmallestAlpha + 1)
                   select (IReadOnlyList<string>)[$"{alpha}", .. controls.Select(control => Spread(seeds.Select(row => row.Cells.FirstOrDefault(cell => (cell.Ranges, cell.Control, cell.Alpha) == (ranges, control, alpha)) is { } cell ? row.Percent(cell.Correct) : (double?)null)))],
                ["alpha*", .. controls.Select(control => Spread(seeds.Select(row => Half(row, control, ranges))))],
            ]);

    private static IEnumerable<IGrouping<string, PrecisionRow>> BySeed(IReadOnlyList<PrecisionRow> rows) => rows.GroupBy(row => SeedOfName().Replace(row.Name, "$1-*", count: 1));

    /// <summary>Architecture, epochs and seed of a network's name.</summary>
    [GeneratedRegex(@"(-resnet\d+-\d+)-\d+", RegexOptions.CultureInvariant)]
    private static partial Regex SeedOfName();

    private static PrecisionCell? Nine(PrecisionRow row) => row.Cells.FirstOrDefault(cell => (cell.Ranges, cell.Control, cell.Alpha) == ("global", PrecisionStudy.Plain, 9));

    private static double? Half(PrecisionRow row, string control, string ranges = "global") => row.Needed.FirstOrDefault(n => (n.Ranges, n.Control) == (ranges, control))?.Half;

    private static string Interval(int correct, int images)
    {
        var interval = BinomialInterval.Of(correct, images);
        return Invariant($"{interval.Low:F2} to {interval.High:F2}");
    }

    /// <summary>Nothing where a seed lacks the figure: a mean over the others would look like one of all.</summary>
    private static string Spread(IEnumerable<double?> values)
    {
        double?[] all = [.. values];
        double[] known = [.. all.OfType<double>()];
        return known.Length == 0 || known.Length < all.Length ? "-" : known.Length == 1 ? Invariant($"{known[0]:F2}") : Invariant($"{known.Average():F2} ({known.Min():F2} to {known.Max():F2})");
    }

    private static string Words(string ranges) => ranges switch { "global" => "One range for all activations", "layer" => "A range for each activation", _ => $"B = {ranges["global:".Length..]}" };

    /// <summary>
    /// Accuracy against alpha: mean over seeds, bars from the least to the greatest. Of one recipe, what needs no training, or, if one such thing is asked for, the ranges beside each other;
    /// of several, the recipes beside each other, as converted and with all of that.
    /// </summary>
    private static void Draw(TextWriter writer, IReadOnlyList<PrecisionRow> rows, string[] controls, PrecisionNeed[] cells)
    {
        PlotSeries Series(string name, IEnumerable<PrecisionRow> seeds, string ranges, string control) => new(
            name,
            [.. from row in seeds from cell in row.Cells where (cell.Ranges, cell.Control) == (ranges, control) && cells.Contains(new(cell.Ranges, cell.Control, cell.Alpha)) group row.Percent(cell.Correct) by cell.Alpha into percents
                orderby percents.Key select PlotPoint.Mean(percents.Key, [.. percents])],
            Joined: true);
        PlotPanel Panel(string title, IEnumerable<PlotSeries> series) => new(title, "alpha: precision 2^-alpha", "accuracy, %", [.. series.Where(one => one.Points.Count > 0)]);
        string Name(IGrouping<string, PrecisionRow> seeds) => seeds.Count() == 1 ? seeds.Key : $"{seeds.Key}, {seeds.Count()} seeds";
        string[] drawn = controls.Length == PrecisionStudy.Controls.Count ? [.. controls.Except(["shift", "statistics"])] : controls; // Of all, those two would hide the rest.
        string[] kinds = ["global", "layer"];
        IGrouping<string, PrecisionRow>[] recipes = [.. rows.GroupBy(row => row.Recipe)];
        IEnumerable<PlotPanel> panels = recipes.Length == 1 && controls is [string only]
            ? [Panel(only == PrecisionStudy.Plain ? "As converted" : only, from ranges in PrecisionStudy.RangeTexts select Series(Words(ranges), rows, ranges, only))]
            : recipes.Length == 1
            ? kinds.Select(kind => Panel(Words(kind), drawn.Select(control => Series(control, rows, kind, control))))
            : [.. kinds.Select(kind => Panel($"{Words(kind)}, converted", recipes.Select(seeds => Series(Name(seeds), seeds, kind, PrecisionStudy.Plain)))),
                Panel($"{Words("global")}, shift and statistics", recipes.Select(seeds => Series(Name(seeds), seeds, "global", "shift, statistics"))),
                Panel($"{Words("global")}, equalised and refitted", recipes.Select(seeds => Series(Name(seeds), seeds, "global", PrecisionStudy.EqualisedRefitted)))];
        SeriesPlot.Write(
            writer, "Accuracy against precision" + (recipes.Length > 1 ? "" : controls.Length == 1 ? $": {recipes[0].Key}" : $": {recipes[0].Key}, and what needs no training"), Invariant($"{rows.Max(row => row.Images):N0} images; {Experiment.SeedsInWords(rows.Select(row => row.Seed))}."), [.. panels.Where(panel => panel.Series.Count > 0)]);
    }
}

/// <summary>A figure that is wanted: see <see cref="PrecisionCell"/>.</summary>
internal readonly record struct PrecisionNeed(string Ranges, string Control, int Alpha);
