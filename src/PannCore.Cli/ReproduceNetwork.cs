using System.CommandLine;
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

/// <summary>The verb <c>pann reproduce network</c>: accuracy against the price of an encrypted evaluation, for one backbone's PANNs: converted, repaired, refitted, equalised and refitted, trained with their polynomials.</summary>
internal static class ReproduceNetwork
{
    private const string Ranges = "layer", Converted = "converted", Repaired = "repaired", Refitted = "refitted", EqualisedRefitted = "equalised and refitted", InTheLoop = "in the loop", Others = "published by others", Relu = "ReLU";

    private static readonly string[] UsualActivations = ["direct:2", "direct:4", "direct:8", "direct:14", "direct:16", "direct:30", "direct:62", "composite:5", "composite:3,7", "composite:7,7", "composite:alpha=9", "composite:alpha=12"];

    /// <summary>Published accuracies of ResNet-20 on CIFAR-10 with polynomials, and the polynomials by which they are priced here. AutoFHE and LowMemoryFHE are left out: their polynomials are of several kinds.</summary>
    private static readonly (string Name, string Activation, double Accuracy)[] Published = [("MPCNN", "composite:alpha=13", 92.59), ("AESPA", "direct:2", 91.92)];

    public static Command Create()
    {
        var common = new Experiment.Options("network.json", tunes: true);
        Option<string> backbone = new("--backbone") { HelpName = "NAME", Description = "The recipe of the networks.", DefaultValueFactory = _ => "baseline" };
        Option<string?> tuning = new("--tune") { HelpName = "NAME", Description = "Instead of the networks as they are, those trained on in a named way (pann train --list) that leaves ReLUs." };
        Option<string[]> activations = new("--activation") { HelpName = "SPEC", Description = "A polynomial. May be given more than once; by default twelve, of one level to thirteen.", Arity = ArgumentArity.OneOrMore, DefaultValueFactory = _ => UsualActivations };
        Option<string?> plot = new("--plot") { HelpName = "FILE", Description = "Also draw accuracy against levels and against multiplications (SVG)." };
        var command = new Command("network", "Accuracy against CKKS levels and multiplications: one backbone converted, repaired, refitted, equalised and refitted, and trained on with its polynomials (the rows of pann reproduce loop that there are).\n\nExample: pann reproduce network --plot network.svg")
        {
            backbone, tuning, activations, plot,
        };
        common.AddTo(command);
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            var recipe = NamedRecipe.Of(parsed.GetValue(backbone)!);
            Experiment.RequireRelu(recipe);
            ActivationSpec[] specs = [.. parsed.GetValue(activations)!.Select(ActivationSpec.Parse)];
            // Rows are known by the text: what a file holds may change.
            if (specs.FirstOrDefault(spec => !StoredPann.CanHold(spec) || spec.Leak != 0) is { } other) throw new BadInputException($"--activation: expected a polynomial that stands for ReLU and is generated from its text alone, found {other}");
            NamedTuning? way = parsed.GetValue(tuning) is string named ? NamedTuning.Of(named) : null;
            Experiment.RequireReluLeft([way], recipe);
            if (way is null or { StatisticsOnly: true }) CommonOptions.RefuseIdle(parsed, "--tune with a way that trains", common.TuningEpochs!);
            return Experiment.Run(common, parsed, experiment =>
            {
                CommonOptions.CheckWritable(parsed, experiment.Json, experiment.Beside("loop.json"), parsed.GetValue(plot));
                Read(experiment);
                string[] asked = [.. experiment.Seeds.Select(seed => experiment.Name(recipe, seed, way))];
                NetworkRow[] Rows() => [.. Read(experiment).Where(row => asked.Contains(row.Backbone))];
                try
                {
                    foreach (long seed in experiment.Seeds) Measure(experiment, recipe, way, seed, specs);
                }
                finally
                {
                    Terminal.Write(Table(Rows()));
                }
                CommonOptions.WriteText(parsed.GetValue(plot), writer => Draw(writer, Rows()));
            }, cancellation);
        }, cancellation));
        return command;
    }

    private static void Measure(Experiment experiment, NamedRecipe recipe, NamedTuning? way, long seed, IReadOnlyList<ActivationSpec> specs)
    {
        string name = experiment.Name(recipe, seed, way);
        var model = PannModel.Load(experiment.Network(recipe, seed, way));
        string weights = ModelFile.WeightHash(model.Backbone), command = model.Description.Notes.GetValueOrDefault("command", "unknown");
        (Cifar10 training, Cifar10 judging) = experiment.Images(seed);
        int[] all = [.. Enumerable.Range(0, judging.Count)], repair = [.. Enumerable.Range(0, Experiment.RepairImages)];
        Normalization normalization = model.Description.Normalization;
        using Workspace workspace = experiment.Workspace();

        void Add(string activation, string kind, Func<ResNet> network)
        {
            experiment.Stop.ThrowIfCancellationRequested();
            string row = $"{name} {kind} {activation}";
            int fit = kind is Refitted or EqualisedRefitted ? Refit.Version : 0;
            if (Read(experiment).Any(r => r.Name == row && r.Weights == weights && r.Images == judging.Count && r.Fit == fit)) return;
            Evaluation answers = Evaluation.Of(network(), judging, all, normalization, workspace, cancellation: experiment.Stop);
            experiment.Write(new NetworkRow(row, name, seed, command, weights, kind, activation, judging.Count, answers.Correct, BinomialInterval.Of(answers.Correct, judging.Count), Price(activation, model.Backbone.Depth, workspace)) { Fit = fit });
            Console.WriteLine(Invariant($"{row}: {answers.Accuracy:F2} %"));
        }

        var equalised = new Lazy<(ResNet Network, ActivationRanges Ranges)>(() =>
        {
            (ResNet network, IReadOnlyDictionary<string, double> largest) = Equalisation.Of(
                model.Backbone, Equalisation.Measure(model.Backbone, training, [.. Enumerable.Range(0, training.Count)], normalization, workspace, cancellation: experiment.Stop));
            return (network, ActivationRanges.Parse("global", [.. largest.Keys], largest, PrecisionStudy.EqualisedMargin));
        });
        ResNet OrAsItIs(Func<ResNet> repaired, ResNet converted)
        {
            try
            {
                return repaired();
            }
            catch (ExplodedException)
            {
                return converted; // There is nothing to measure a repair on.
            }
        }

        Add("relu", Relu, () => model.Backbone);
        foreach (ActivationSpec spec in specs)
        {
            string activation = spec.ToString();
            ActivationRanges ranges = model.Ranges(spec, Ranges);
            Add(activation, Converted, () => model.Backbone.With(spec, ranges));
            Add(activation, Repaired, () => OrAsItIs(
                () => Repair.InOneWay(model.Backbone, spec, ranges, RepairShift.Injected, batchNorm: true, training, repair, normalization, workspace, cancellation: experiment.Stop).Pann, model.Backbone.With(spec, ranges)));
            Add(activation, Refitted, () => OrAsItIs(
                () => Refit.Of(model.Backbone, spec, ranges, training, repair, normalization, workspace, cancellation: experiment.Stop).Pann, model.Backbone.With(spec, ranges)));
            Add(activation, EqualisedRefitted, () => OrAsItIs(
                () => Refit.Of(equalised.Value.Network, spec, equalised.Value.Ranges, training, repair, normalization, workspace, cancellation: experiment.Stop).Pann, equalised.Value.Network.With(spec, equalised.Value.Ranges)));
        }
        foreach (LoopRow row in experiment.Rows<LoopRow>(experiment.Beside("loop.json")).Where(row => row.Backbone == name && row.Price is not null))
        {
            experiment.Write(new NetworkRow($"{name} {InTheLoop} {row.Name[(name.Length + 1)..]}", name, row.Seed, row.Command, row.Weights, InTheLoop, row.Activation!, row.Images, row.Correct, row.Interval, row.Price));
        }
    }

    /// <summary>The price of a network with an activation, leading coefficients folded; null with ReLU.</summary>
    private static LoopPrice? Price(string activation, int depth, Workspace workspace)
    {
        var spec = ActivationSpec.Parse(activation);
        if (!spec.IsPolynomial) return null;
        ReluPolynomial polynomial = spec.Build();
        return LoopPrice.Of(new ResNet(depth).With(_ => new ActivationFunction.Polynomial(polynomial, 1)), workspace);
    }

    private static IReadOnlyList<NetworkRow> Read(Experiment experiment) => experiment.Rows<NetworkRow>();

    private static ReportTable Table(IReadOnlyList<NetworkRow> rows) => new(
        "Accuracy against the price of one image (leading coefficients folded); a range for each activation, equalised networks one for all",
        ["network", "activation", "how", "accuracy", "95 %", "levels", "depth", "products"],
        [.. rows.Select(row => (IReadOnlyList<string>)
        [
            row.Backbone, row.Activation, row.Kind, Invariant($"{row.Accuracy:F2} %"), Invariant($"{row.Interval.Low:F2} to {row.Interval.High:F2}"),
            row.Price is null ? "-" : Invariant($"{row.Price.Levels}"), row.Price is null ? "-" : Invariant($"{row.Price.Depth}"), row.Price is null ? "-" : Invariant($"{row.Price.Multiplications:N0}"),
        ])]);

    private static void Draw(TextWriter writer, IReadOnlyList<NetworkRow> rows)
    {
        using var workspace = new Workspace(1);
        // A polynomial's networks have one price and stand one above the other: only the best of them is labelled, and the best one in the loop.
        HashSet<string> labelled = [.. rows.GroupBy(row => (row.Activation, row.Kind == InTheLoop)).Select(networks => networks.MaxBy(row => row.Correct)!.Name)];
        PlotPanel Panel(string title, string across, Func<LoopPrice, double> price) => new(
            title, across, "accuracy, %",
            [
                .. from kind in (string[])[Converted, Repaired, Refitted, EqualisedRefitted, InTheLoop]
                   select new PlotSeries(kind, [.. from row in rows where row.Kind == kind && row.Price is not null select new PlotPoint(price(row.Price!), row.Accuracy, Label(row.Activation), row.Interval.Low, row.Interval.High, labelled.Contains(row.Name))], Joined: false),
                new(Others, [.. Published.Select(peer => new PlotPoint(price(Price(peer.Activation, 20, workspace)!), peer.Accuracy, peer.Name))], Joined: false),
            ],
            Lowest: 80);
        SeriesPlot.Write(
            writer, "What an encrypted network costs, and how often it is right", Invariant($"{rows.Max(row => row.Images):N0} images; bars: 95 % over images. Networks below 80 % lie on the lower edge. Other authors' networks have other backbones; their price is computed here, for ResNet-20, from their degrees."),
            [Panel("Accuracy against CKKS levels", "CKKS levels", price => price.Levels), Panel("Accuracy against multiplications", "millions of products of ciphertexts, in elements", price => price.Multiplications / 1e6)]);
    }

    /// <summary>The part of a specification that tells activations of a drawing apart.</summary>
    private static string Label(string activation) => activation.Replace("direct:", "degree ", StringComparison.Ordinal).Replace("composite:", "", StringComparison.Ordinal).Replace("alpha=", "alpha ", StringComparison.Ordinal);
}

/// <summary>One network of the frontier.</summary>
/// <param name="Name">Backbone, kind and activation.</param>
/// <param name="Backbone">The backbone's name.</param>
/// <param name="Seed">The seed of the network that was converted, or trained.</param>
/// <param name="Command">The command that trains it.</param>
/// <param name="Weights">SHA-256 of the weights that were converted, or trained.</param>
/// <param name="Kind">converted, repaired, refitted, equalised and refitted, in the loop, or ReLU.</param>
/// <param name="Activation">The polynomial.</param>
/// <param name="Images">Images that judge.</param>
/// <param name="Correct">Right answers.</param>
/// <param name="Interval">95 % interval of the accuracy, over images.</param>
/// <param name="Price">Price of an image; null with ReLU.</param>
internal sealed record NetworkRow(string Name, string Backbone, long Seed, string Command, string Weights, string Kind, string Activation, int Images, int Correct, BinomialInterval Interval, LoopPrice? Price) : IResultRow
{
    /// <summary>Percent right.</summary>
    public double Accuracy => 100.0 * Correct / Images;

    /// <summary><see cref="Refit.Version"/> of refitted networks; 0 of others.</summary>
    public int Fit { get; init; }

    string? IResultRow.Fault => IResultRow.CountFault(Images, Correct);
}
