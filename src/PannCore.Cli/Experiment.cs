using System.CommandLine;
using PannCore.Checkpoints;
using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Training;

namespace PannCore.Cli;

/// <summary>
/// What all verbs of <c>pann reproduce</c> have in common: networks that are trained if they are not there yet, the images that judge them, and a time after which to stop.
/// </summary>
internal sealed class Experiment : IDisposable
{
    /// <summary>Training images, the first ones, that whatever needs no training is measured on.</summary>
    public const int RepairImages = 500;

    private const int StepsBetweenStates = 100, HeldOut = 5000;
    private const double MaxMinutes = 10_000;
    private const int MostSeeds = 100;

    private readonly Options _options;
    private readonly ParseResult _parsed;
    private readonly Cifar10 _training;
    private readonly DataFolder _data;
    private readonly CancellationTokenSource _deadline, _stop;
    private readonly CancellationToken _user;
    private string? _digest, _images;

    private Experiment(Options options, ParseResult parsed, CancellationToken cancellation)
    {
        (_options, _parsed, _user) = (options, parsed, cancellation);
        _data = DataCommand.Find(parsed.GetValue(options.Data));
        if (_data.Kind == DataKind.RecordFile) throw new BadInputException($"reproduce: expected the official training and test files, found {_data.Location}; get the data with: pann data fetch");
        _training = Cifar10.ReadTrain(_data.Location);
        Folder = parsed.GetValue(options.Models) ?? (OnTest ? "data/models/precision" : "runs/choices");
        if (Folder.Length == 0) throw new BadInputException("--models: expected a folder, found nothing");
        Json = parsed.GetValue(options.Json) ?? Path.Combine("data/results", (OnTest ? "" : "choices-") + options.File);
        _deadline = new(TimeSpan.FromMinutes(parsed.GetValue(options.Minutes)));
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _deadline.Token);
    }

    /// <summary>Where networks are, or will be.</summary>
    public string Folder { get; }

    /// <summary>The table.</summary>
    public string Json { get; }

    /// <summary>Stops when the time is over, or when the user says so.</summary>
    public CancellationToken Stop => _stop.Token;

    /// <summary>Seeds asked for.</summary>
    public IEnumerable<long> Seeds
    {
        get
        {
            (long first, long last) = ParseSeeds(_parsed.GetValue(_options.Seeds)!)!.Value;
            return Enumerable.Range(0, (int)(last - first + 1)).Select(i => first + i);
        }
    }

    /// <summary>Whether the test images judge.</summary>
    public bool OnTest => _parsed.GetValue(_options.On) == "test";

    /// <summary>Which training images, computed once.</summary>
    private string Learnt => _digest ??= _training.Digest();

    private string Architecture => _parsed.GetValue(_options.Architecture)!;

    private int Epochs => _parsed.GetValue(_options.Epochs);

    /// <summary>Runs a verb's work; where the time is over before it is done, it says so, with exit code 1.</summary>
    public static int Run(Options options, ParseResult parsed, Action<Experiment> work, CancellationToken cancellation)
    {
        using var experiment = new Experiment(options, parsed, cancellation);
        Directory.CreateDirectory(experiment.Folder); // The table may be asked for in it.
        CommonOptions.CheckWritable(parsed, experiment.Json);
        try
        {
            work(experiment);
        }
        catch (OperationCanceledException) when (experiment._deadline.IsCancellationRequested && !experiment._user.IsCancellationRequested)
        {
            Console.WriteLine(FormattableString.Invariant($"{parsed.GetValue(options.Minutes)} minutes are over; the same command goes on from here"));
            return 1;
        }
        catch (OperationCanceledException)
        {
            Console.Error.WriteLine("stopped; the same command goes on from here");
            return 1;
        }
        return 0;
    }

    /// <summary>Refuses recipes whose networks do not stand for ones with ReLU, before anything is trained: the verb's polynomials do.</summary>
    /// <exception cref="BadInputException">One has a slope for negative inputs.</exception>
    public static void RequireRelu(params IReadOnlyList<NamedRecipe> recipes)
    {
        if (recipes.FirstOrDefault(recipe => recipe.Apply(new Recipe { Architecture = "", Epochs = 1 }) is { Leak: > 0, DropLeak: false }) is { } leaky)
            throw new BadInputException($"recipe {leaky.Name}: expected one whose networks have ReLUs, as these polynomials do, found a slope for negative inputs; see pann reproduce precision");
    }

    /// <summary>Refuses recipes beside which no polynomial is trained, before anything is.</summary>
    /// <exception cref="BadInputException">One has a leak, noise or a penalty on crest factors.</exception>
    public static void RequirePlain(params IReadOnlyList<NamedRecipe> recipes)
    {
        if (recipes.FirstOrDefault(recipe => recipe.Apply(new Recipe { Architecture = "", Epochs = 1 }) is { Leak: > 0 } or { Noise.Size: > 0 } or { Crest: not null }) is { } other)
            throw new BadInputException($"recipe {other.Name}: expected one without leak, noise and a penalty on crest factors, beside which no polynomial is trained");
    }

    /// <summary>Refuses ways to go on whose networks keep their polynomials, where those of ReLU networks are measured, and recipes beside which a way's polynomial is not trained.</summary>
    /// <exception cref="BadInputException">There is one.</exception>
    public static void RequireReluLeft(IReadOnlyList<NamedTuning?> ways, params IReadOnlyList<NamedRecipe> recipes)
    {
        if (ways.FirstOrDefault(way => way is { Activation: not null, Share: not PolynomialShare.Random }) is { } own)
            throw new BadInputException($"--tune {own.Name}: expected a way that leaves a network with ReLUs, found one whose networks are no approximation of any; see pann reproduce loop");
        if (ways.Any(way => way?.Activation is not null)) RequirePlain(recipes);
    }

    /// <summary>Another verb's table, in the same folder.</summary>
    public string Beside(string file) => Path.Combine(Path.GetDirectoryName(Json)!, (OnTest ? "" : "choices-") + file);

    /// <summary>What all rows of a table have in common: the training images and, where they judge, the test images, by <see cref="Cifar10.Digest"/>.</summary>
    public string Data => _images ??= $"training {Learnt}{(OnTest ? $", test {Cifar10.ReadTest(_data.Location).Digest()}" : "")}";

    /// <summary>The rows of the table, or of another verb's.</summary>
    /// <exception cref="BadInputException">It is no such table, or one of other images.</exception>
    public IReadOnlyList<TRow> Rows<TRow>(string? table = null) where TRow : IResultRow => ResultFile<TRow>.RowsOf(table ?? Json, Data);

    /// <summary>Writes a row into the table, in the place of the one of the same name or at the end.</summary>
    public void Write<TRow>(TRow row) where TRow : IResultRow => ResultFile<TRow>.Change(Json, Data, row.Name, _ => row);

    /// <summary>Threads and memory as asked for.</summary>
    public Workspace Workspace() => new(_parsed.GetValue(_options.Threads));

    /// <summary>The images to learn from, and those that judge: the test images; or, for choices, training images held out, a seed's own.</summary>
    public (Cifar10 Training, Cifar10 Judging) Images(long seed)
    {
        if (OnTest) return (_training, Cifar10.ReadTest(_data.Location));
        var split = Split.Balanced(_training, HeldOut, seed);
        return (_training.Select(split.Training), _training.Select(split.Validation));
    }

    /// <summary>What a picture says of its points, drawn from rows of these seeds.</summary>
    public static string SeedsInWords(IEnumerable<long> seeds) => seeds.Distinct().Count() == 1 ? "one seed" : "mean over seeds, bars from the least to the greatest";

    /// <summary>Those of the images that judge which are bundled; none for choices.</summary>
    public int[] Sample(Cifar10 judging) => OnTest ? judging.FirstOfEachClass(Cifar10.SamplePerClass) : [];

    /// <summary>The name of a network, which is also its file's.</summary>
    public string Name(NamedRecipe recipe, long seed, NamedTuning? tuning = null)
        => $"{recipe.Name}-{Architecture}-{Epochs}-{seed}{(tuning is null ? "" : $".{tuning.Name}{(tuning.StatisticsOnly ? "" : $"-{TuningEpochs}")}{(tuning.After is null ? "" : $"+{NamedTuning.LastEpochs}")}")}";

    /// <summary>The file of a network, trained if need be from what it begins with.</summary>
    /// <exception cref="OperationCanceledException">It was stopped; its state is on disk.</exception>
    public string Network(NamedRecipe recipe, long seed, NamedTuning? tuning = null)
    {
        string name = Name(recipe, seed, tuning), file = Path.Combine(Folder, name + ".safetensors");
        Recipe plan = recipe.Apply(new Recipe { Architecture = Architecture, Epochs = Epochs, Validation = OnTest ? 0 : HeldOut, Seed = seed });
        PannModel? begin = null;
        string? from = null;
        if (tuning is not null)
        {
            begin = PannModel.Load(from = Network(recipe, seed, tuning.After is { } first ? NamedTuning.Of(first) : null));
            plan = tuning.Prepare(plan) with { MaxGradientNorm = NamedTuning.MaxGradientNorm };
            plan = plan with { Epochs = tuning.PassesOf(Epochs, TuningEpochs) };
            if (!tuning.FromScratch) plan = plan with { LearningRate = tuning.Rate, InitialWeights = ModelFile.WeightHash(begin.Backbone) };
            plan = TrainCommand.InTheLoop(plan, tuning, begin);
        }
        string? teacherFile = tuning is { Distilled: true } ? Network(recipe, seed) : null;
        PannModel? teacher = null;
        if (teacherFile is not null) (plan, teacher) = TrainCommand.WithTeacher(plan, teacherFile);
        string command = TrainCommand.Command(plan, from, tuning, teacher: teacherFile);
        if (!File.Exists(file))
        {
            CommonOptions.CheckWritable(_parsed, file);
            using IDisposable held = TrainingRun.Hold(file);
            // Another run may have finished it just now.
            if (!File.Exists(file))
            {
                Console.WriteLine($"{name}: training");
                using Workspace workspace = Workspace();
                return TrainingRun.Run(plan, _training, workspace, file, File.Exists(file + ".state"), StepsBetweenStates, command, initial: tuning is { FromScratch: true } ? null : begin?.Backbone, teacher: teacher?.Backbone, Stop) is null
                    ? throw new OperationCanceledException(Stop)
                    : file;
            }
        }
        // A network of a name is not yet the network that is asked for: it may be of other settings, or have learnt from the images that are to judge it, or have begun from another one
        // than is there now (older files do not say).
        IReadOnlyDictionary<string, string> notes = PannModel.Load(file).Description.Notes;
        if (notes.TryGetValue("command", out string? trained) && trained != command) throw BadInputException.At(file, "metadata command", command, $"{trained}; delete or move the file, or name another folder by --models");
        if (notes.TryGetValue("data", out string? learnt) && learnt != Learnt) throw BadInputException.At(file, "metadata data", $"{Learnt}, the training images asked for", $"{learnt}; name another folder by --models");
        if (notes.TryGetValue("initialWeights", out string? initial) && initial != plan.InitialWeights) throw BadInputException.At(file, "metadata initialWeights", $"{plan.InitialWeights ?? "none"}, the weights of {from ?? "no file"}", initial);
        if (notes.GetValueOrDefault("teacherWeights") is var taught && taught != plan.Distillation?.Teacher) throw BadInputException.At(file, "metadata teacherWeights", $"{plan.Distillation?.Teacher ?? "none"}, the weights of {teacherFile ?? "no file"}", taught ?? "none");
        return file;
    }

    public void Dispose()
    {
        _stop.Dispose();
        _deadline.Dispose();
    }

    private int TuningEpochs => _options.TuningEpochs is { } option ? _parsed.GetValue(option) : NamedTuning.Epochs;

    private static (long First, long Last)? ParseSeeds(string text)
    {
        string[] ends = text.Split("..");
        return ends.Length == 2 && long.TryParse(ends[0], out long first) && long.TryParse(ends[1], out long last) && first >= 0 && last >= first && last - first < MostSeeds ? (first, last) : null;
    }

    /// <summary>The options of these verbs.</summary>
    /// <param name="file">Name of the table.</param>
    /// <param name="tunes">Whether it goes on training networks.</param>
    internal sealed class Options(string file, bool tunes)
    {
        public string File => file;

        public Option<string> Seeds { get; } = WithSeeds();

        public Option<string> Architecture { get; } = new("--arch") { HelpName = "NAME", Description = "resnet20, resnet32, ...", DefaultValueFactory = _ => "resnet20" };

        public Option<int> Epochs { get; } = CommonOptions.AtLeast(
            new Option<int>("--epochs") { HelpName = "N", Description = "Passes over the training images: one schedule for all rows of a table.", DefaultValueFactory = _ => 40 }, 1);

        public Option<int>? TuningEpochs { get; } = tunes
            ? CommonOptions.AtLeast(new Option<int>("--tuning-epochs") { HelpName = "N", Description = $"Further passes, for networks that go on from another; a last stage (pann train --list) has {NamedTuning.LastEpochs} more of its own.", DefaultValueFactory = _ => NamedTuning.Epochs }, 1)
            : null;

        public Option<string> On { get; } = new Option<string>("--on")
        {
            Description = "The images that judge: test (networks are trained on all 50,000 training images), or held-out (on 45,000 of them, and the others judge): for choices, which must not see the test images.",
            DefaultValueFactory = _ => "test",
        }.AcceptOnlyFromAmong("test", "held-out");

        public Option<string?> Models { get; } = new("--models") { HelpName = "FOLDER", Description = "Where networks are, or will be. Default: data/models/precision; runs/choices for choices." };

        public Option<string?> Json { get; } = new("--json") { HelpName = "FILE", Description = $"The table: read, and written after each figure. Default: data/results/{file}; choices-{file} for choices." };

        public Option<double> Minutes { get; } = CommonOptions.Where(
            new Option<double>("--minutes") { HelpName = "M", Description = "Stop after so many minutes, with exit code 1.", DefaultValueFactory = _ => 30 },
            minutes => minutes is > 0 and <= MaxMinutes, FormattableString.Invariant($"more than 0 and at most {MaxMinutes}"));

        public Option<string?> Data { get; } = CommonOptions.Data();

        public Option<int> Threads { get; } = CommonOptions.Threads();

        /// <summary>Adds them to a verb.</summary>
        public void AddTo(Command command)
        {
            foreach (Option? option in (Option?[])[Seeds, Architecture, Epochs, TuningEpochs, On, Models, Json, Minutes, Data, Threads])
            {
                if (option is not null) command.Add(option);
            }
        }

        private static Option<string> WithSeeds()
        {
            Option<string> seeds = new("--seeds") { HelpName = "A..B", Description = "Seeds of each network.", DefaultValueFactory = _ => "1..1" };
            seeds.Validators.Add(result =>
            {
                if (result.Tokens is [{ Value: string text }] && ParseSeeds(text) is null) result.AddError($"--seeds: expected A..B with 0 <= A <= B, at most {MostSeeds} of them, found '{text}'");
            });
            return seeds;
        }
    }
}
