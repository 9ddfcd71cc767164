using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using PannCore.Approximation;
using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Ops;
using PannCore.Reports;

namespace PannCore.Cli;

/// <summary>The verb <c>pann perturb</c>: which perturbations of a ReLU's output hurt a network.</summary>
internal static class PerturbCommand
{
    private const double UsualSize = 0.05, UsualEnergy = 0.1, UsualFactor = 1;

    public static Command Create()
    {
        Option<string?> model = CommonOptions.Model(), architecture = CommonOptions.Architecture(), normalize = CommonOptions.Normalize(), data = CommonOptions.Data(), json = CommonOptions.Json();
        Option<string> activation = CommonOptions.Activation("composite:alpha=8"), ranges = CommonOptions.Ranges("global"), convolution = CommonOptions.Convolution();
        Option<int> calibrate = CommonOptions.Calibrate(), threads = CommonOptions.Threads();
        Option<double> margin = CommonOptions.Margin();
        Option<string> sides = List<PerturbedSide>("--side", "Sides of the ReLU's input: negative, positive, both.", "SIDE,...", "negative,positive,both");
        Option<string> forms = List<PerturbationForm>(
            "--form", "plus, minus (a constant c), uniform (noise in [-c, c)), own (c times the error of --activation), own-reversed, own-random-sign.", "FORM,...", "own,own-reversed,own-random-sign");
        Option<string?> sizes = new("--size")
        {
            HelpName = "S,...",
            Description = FormattableString.Invariant($"Sizes in --unit. Default: {UsualFactor} for own errors, {UsualSize} else; {UsualEnergy} with --unit energy."),
        };
        Check(sizes, Positive, "a positive number");
        Option<string> unit = new("--unit")
        {
            HelpName = "UNIT",
            Description = "absolute; rms: c is the size times the RMS of the layer's ReLU output; energy: c makes the RMS of the perturbation, over all elements of the layer, the size times that RMS. Own errors are multiplied by the size, but for energy.",
            DefaultValueFactory = _ => PerturbationReport.Name(PerturbationUnit.Absolute),
        };
        CheckChoice<PerturbationUnit>(unit, severalAllowed: false);
        Option<string?> layers = new("--layers") { HelpName = "PATH,...", Description = "Activations to perturb, for instance layer1.0.relu1,layer3.2.relu2. Default: all." };
        Option<int> measure = CommonOptions.AtLeast(new Option<int>("--measure") { HelpName = "N", Description = "Training images on which the layers' RMS is measured.", DefaultValueFactory = _ => 1000 }, 1, Cifar10.BatchRecords);
        Option<int> images = CommonOptions.AtLeast(new Option<int>("--images") { HelpName = "N", Description = "The first N images of the data set. Default: all." }, 1);
        Option<int> batch = CommonOptions.Batch("8 a thread, and at least 32");
        Option<long> seed = new("--seed") { HelpName = "N", Description = "Seed of noise and signs.", DefaultValueFactory = _ => 1 };
        var command = new Command("perturb", "Which perturbations of a ReLU's output hurt a network: accuracy by side of the input, form and size.\n\n"
            + "Example: pann perturb --form plus,uniform --size 0.05,0.2 --side negative,positive\n"
            + "Example: pann perturb --activation composite:alpha=8 --ranges global --form own,own-reversed,own-random-sign --unit energy --size 0.05,0.1,0.2")
        {
            model, architecture, normalize, sides, forms, sizes, unit, layers, activation, ranges, calibrate, margin, measure, images, batch, seed, data, threads, convolution, json,
        };
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            CommonOptions.CheckWritable(parsed, parsed.GetValue(json));
            PerturbationForm[] chosen = Values(parsed.GetValue(forms), Choice<PerturbationForm>);
            PerturbationUnit measured = Choice<PerturbationUnit>(parsed.GetValue(unit)!)!.Value;
            LoadedModel loaded = LoadedModel.Open(parsed.GetValue(model), parsed.GetValue(architecture), parsed.GetValue(normalize));
            loaded.RequireBackbone(", and what is perturbed here are ReLUs");
            LoadedModel.RefuseIdle(parsed, chosen.Any(ReluPerturbation.IsOwn) ? parsed.GetValue(ranges) : null, ranges, calibrate, margin);
            if (!chosen.Any(ReluPerturbation.IsOwn)) CommonOptions.RefuseIdle(parsed, "--form own, own-reversed or own-random-sign, whose polynomial it is, found none of them", activation);
            if (measured == PerturbationUnit.Absolute) CommonOptions.RefuseIdle(parsed, "--unit rms or energy, which layers are measured for, found absolute", measure);
            if (!chosen.Any(form => form is PerturbationForm.Uniform or PerturbationForm.OwnRandomSign)) CommonOptions.RefuseIdle(parsed, "--form uniform or own-random-sign, which draw random numbers, found neither", seed);
            ResNet backbone = loaded.Backbone.With(_ => new ActivationFunction.Relu((float)loaded.Description.Activation.Leak));
            DataFolder folder = DataCommand.Find(parsed.GetValue(data));
            using Workspace workspace = CommonOptions.Workspace(parsed, threads, convolution);

            ActivationSpec? spec = null;
            ActivationRanges? used = null;
            if (chosen.Any(ReluPerturbation.IsOwn))
            {
                spec = loaded.Asked(parsed, activation);
                if (!spec.IsPolynomial) throw new BadInputException($"--activation: a polynomial's own error needs a polynomial, found {spec}");
                used = loaded.Ranges(spec, parsed.GetValue(ranges)!, parsed.GetValue(calibrate), parsed.GetValue(margin), folder, workspace, cancellation);
            }
            ReluPolynomial? polynomial = spec?.Build();
            ReluStatistics? statistics = measured == PerturbationUnit.Absolute ? null
                : Measure(loaded, backbone, parsed.GetValue(measure), measured, folder, workspace, polynomial, used, cancellation);
            var experiment = new Perturbation(backbone, measured, parsed.GetValue(seed), parsed.GetValue(layers)?.Split(','), statistics, polynomial, used);
            PerturbationTrial[] trials =
                [.. (from form in chosen
                     from size in Sizes(Values(parsed.GetValue(sizes), Positive), form, measured)
                     from side in Values(parsed.GetValue(sides), Choice<PerturbedSide>)
                     select new PerturbationTrial(side, form, size)).Distinct()];

            Cifar10 set = DataCommand.ReadJudging(folder);
            int[] indices = [.. Enumerable.Range(0, parsed.GetValue(images) is int first and > 0 ? Math.Min(first, set.Count) : set.Count)];
            long start = Stopwatch.GetTimestamp();
            PerturbationResult result = ProgressBar.Run("classifying", (trials.Length + 1L) * indices.Length, progress => experiment.Run(
                trials, set, indices, loaded.Description.Normalization, workspace, CommonOptions.Batch(parsed, batch), progress, cancellation));
            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;

            string file = Path.GetFileName(loaded.File), what = spec is null ? "" : $", {spec}, ranges {used!.Spec}";
            Console.WriteLine($"{file}{what}, sizes {PerturbationReport.Name(measured)}, {(parsed.GetValue(layers) is null ? "all" : experiment.Layers.Count)} layers");
            foreach (string line in PerturbationReport.Summary(result)) Console.WriteLine(line);
            Terminal.Write(PerturbationReport.Accuracies(result));
            Console.WriteLine(FormattableString.Invariant($"{result.Outcomes.Count} perturbations of {indices.Length} images in {seconds:F1} s"));
            Dictionary<string, string> provenance = loaded.Provenance(set, used, parsed.GetValue(calibrate), parsed.GetValue(margin), workspace);
            provenance["sizes measured on"] = statistics is null ? "nothing" : $"{parsed.GetValue(measure)} training images";
            CommonOptions.WriteJson(parsed.GetValue(json), PerturbRecord.Of(file, provenance, spec, used, measured, parsed.GetValue(seed), experiment, statistics, result, seconds));
            return 0;
        }, cancellation));
        return command;
    }

    private static ReluStatistics Measure(
        LoadedModel loaded, ResNet backbone, int count, PerturbationUnit unit, DataFolder folder, Workspace workspace, ReluPolynomial? polynomial, ActivationRanges? ranges, CancellationToken cancellation)
    {
        if (!folder.IsOfficial)
            throw new BadInputException($"--unit {PerturbationReport.Name(unit)}: expected the official training files, found {folder.Location}; layers are never measured on test images; get the data with: pann data fetch");
        Cifar10 training = Cifar10.ReadBatch(folder.Location, 1);
        int[] indices = [.. Enumerable.Range(0, count)];
        return ProgressBar.Run("measuring layers", count, progress => ReluStatistics.Measure(backbone, training, indices, loaded.Description.Normalization, workspace, polynomial, ranges, progress, cancellation));
    }

    private static double[] Sizes(double[] given, PerturbationForm form, PerturbationUnit unit)
        => given.Length > 0 ? given : unit == PerturbationUnit.Energy ? [UsualEnergy] : ReluPerturbation.IsOwn(form) ? [UsualFactor] : [UsualSize];

    /// <summary>An option whose value is one or more of some choices, with commas.</summary>
    private static Option<string> List<T>(string name, string description, string help, string byDefault) where T : struct, Enum
    {
        Option<string> option = new(name) { HelpName = help, Description = description, DefaultValueFactory = _ => byDefault };
        CheckChoice<T>(option);
        return option;
    }

    private static void CheckChoice<T>(Option option, bool severalAllowed = true) where T : struct, Enum
        => Check(option, Choice<T>, $"one of {string.Join(", ", Enum.GetValues<T>().Select(PerturbationReport.Name))}", severalAllowed);

    /// <summary>Makes each part of a value that cannot be read wrong usage.</summary>
    private static void Check<T>(Option option, Func<string, T?> parse, string expected, bool severalAllowed = true) where T : struct => option.Validators.Add(result =>
    {
        foreach (string text in result.Tokens.SelectMany(token => severalAllowed ? token.Value.Split(',') : [token.Value]))
        {
            if (parse(text) is null) result.AddError($"{option.Name}: expected {expected}, found '{text}'");
        }
    });

    private static T[] Values<T>(string? list, Func<string, T?> parse) where T : struct => list is null ? [] : [.. list.Split(',').Select(parse).OfType<T>()];

    private static T? Choice<T>(string text) where T : struct, Enum
    {
        foreach (T value in Enum.GetValues<T>())
        {
            if (PerturbationReport.Name(value) == text) return value;
        }
        return null;
    }

    private static double? Positive(string text)
        => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && value > 0 && double.IsFinite(value) ? value : null;
}
