using System.CommandLine;
using PannCore.Approximation;
using PannCore.Checkpoints;
using PannCore.Data;
using PannCore.Engine;
using PannCore.Nn;

namespace PannCore.Cli;

/// <summary>What <c>pann repair</c> and <c>pann refit</c> have in common: a PANN is made from a model, mended on some training images, judged by others, and saved as a model. The test file is never opened.</summary>
internal sealed class Mending
{
    private readonly string _verb;
    private readonly Option<string?> _model = CommonOptions.Model(), _architecture = CommonOptions.Architecture(), _normalize = CommonOptions.Normalize(), _data = CommonOptions.Data(), _json = CommonOptions.Json();
    private readonly Option<string> _activation, _ranges = CommonOptions.Ranges("global"), _convolution = CommonOptions.Convolution(), _output = CommonOptions.ModelOutput();
    private readonly Option<int> _calibrate = CommonOptions.Calibrate(), _threads = CommonOptions.Threads(), _images, _heldOut;
    private readonly Option<double> _margin = CommonOptions.Margin();
    private readonly Option<long> _seed = new("--seed") { HelpName = "S", Description = "Seed of the choice of images.", DefaultValueFactory = _ => 0 };

    /// <summary>The options of one verb.</summary>
    /// <param name="verb">The verb.</param>
    /// <param name="activation">The polynomial by default.</param>
    /// <param name="images">What images are for.</param>
    /// <param name="mostImages">How many there may be: they are kept in memory while a part of the network runs.</param>
    /// <param name="heldOut">What the images held out are for.</param>
    public Mending(string verb, string activation, string images, int mostImages, string heldOut)
    {
        _verb = verb;
        _activation = CommonOptions.Activation(activation);
        _images = CommonOptions.AtLeast(new Option<int>("--images") { HelpName = "N", Description = images, DefaultValueFactory = _ => 500 }, 1, mostImages);
        _heldOut = CommonOptions.AtLeast(new Option<int>("--held-out") { HelpName = "N", Description = heldOut, DefaultValueFactory = _ => 2000 }, 1);
    }

    /// <summary>The verb's command with these options; more can be added.</summary>
    public Command Command(string description, Func<ParseResult, CancellationToken, int> action)
    {
        var command = new Command(_verb, description) { _model, _architecture, _normalize, _activation, _ranges, _calibrate, _margin, _images, _heldOut, _seed, _output, _data, _threads, _convolution, _json };
        command.SetAction((parsed, cancellation) => Task.Run(() => action(parsed, cancellation), cancellation));
        return command;
    }

    /// <summary>Reads everything that is needed, and checks that what will be written can be.</summary>
    public Job Open(ParseResult parsed, CancellationToken cancellation)
    {
        string file = parsed.GetValue(_output)!, ranges = parsed.GetValue(_ranges)!;
        CommonOptions.CheckWritable(parsed, file, parsed.GetValue(_json));
        LoadedModel loaded = LoadedModel.Open(parsed.GetValue(_model), parsed.GetValue(_architecture), parsed.GetValue(_normalize));
        loaded.RequireBackbone();
        ActivationSpec spec = loaded.Asked(parsed, _activation);
        if (!StoredPann.CanHold(spec)) throw new BadInputException($"{_verb}: expected a polynomial that is generated from its text alone, because the model file holds only that; found {spec}");
        // Mended towards another function than the network was trained with, it would be another network.
        if (spec.Leak != loaded.Description.Activation.Leak)
            throw new BadInputException($"--activation: expected a polynomial for {loaded.Description.Activation}, which {loaded.File} was trained with, found {spec}");
        LoadedModel.RefuseIdle(parsed, ranges, _ranges, _calibrate, _margin);
        DataFolder folder = DataCommand.Find(parsed.GetValue(_data));
        Workspace workspace = CommonOptions.Workspace(parsed, _threads, _convolution);
        try
        {
            ActivationRanges used = loaded.Ranges(spec, ranges, parsed.GetValue(_calibrate), parsed.GetValue(_margin), folder, workspace, cancellation);
            Cifar10 training = Cifar10.ReadTrain(folder.Location);
            (int count, int judges, long seed) = (parsed.GetValue(_images), parsed.GetValue(_heldOut), parsed.GetValue(_seed));
            if ((long)count + judges > training.Count) throw new BadInputException($"{_verb}: expected at most {training.Count} training images in --images and --held-out together, found {(long)count + judges}");
            int[] order = new CounterRandom(seed, RandomStream.Split, 1).Permutation(training.Count);
            int measured = parsed.GetValue(_calibrate) is > 0 and int given ? given : loaded.Description.CalibrationImages;
            return new(
                file, parsed.GetValue(_json), CommonOptions.CommandLine(parsed), loaded, spec, used, loaded.Provenance(training, used, parsed.GetValue(_calibrate), parsed.GetValue(_margin), workspace), measured, parsed.GetValue(_margin),
                training, order[..count], order[count..(count + judges)], seed, workspace);
        }
        catch
        {
            workspace.Dispose();
            throw;
        }
    }

    /// <summary>One such run.</summary>
    /// <param name="File">Where the model goes.</param>
    /// <param name="Json">Where the record goes, if anywhere.</param>
    /// <param name="Command">The command line.</param>
    /// <param name="Model">The model before.</param>
    /// <param name="Spec">The polynomial.</param>
    /// <param name="Ranges">Its ranges.</param>
    /// <param name="Provenance">Where the ranges are from.</param>
    /// <param name="Measured">Training images that ranges are measured on.</param>
    /// <param name="Margin">Their factor.</param>
    /// <param name="Training">All training images.</param>
    /// <param name="Images">Those that it is mended on.</param>
    /// <param name="HeldOut">Those that judge.</param>
    /// <param name="Seed">Seed of that choice.</param>
    /// <param name="Workspace">Threads and memory; released with this.</param>
    public sealed record Job(
        string File, string? Json, string Command, LoadedModel Model, ActivationSpec Spec, ActivationRanges Ranges, IReadOnlyDictionary<string, string> Provenance, int Measured, double Margin,
        Cifar10 Training, int[] Images, int[] HeldOut, long Seed, Workspace Workspace) : IDisposable
    {
        /// <summary>The model's file name.</summary>
        public string Name => Path.GetFileName(Model.File);

        /// <summary>Saves the mended PANN; <paramref name="record"/> says in its metadata, under <paramref name="note"/>, what was done.</summary>
        public void Save(ResNet pann, string note, string record, StoredPann stored) => ModelFile.Save(File, pann, Model.Description with
        {
            LargestInputs = null,
            CalibrationImages = 0,
            Notes = new Dictionary<string, string>(Model.Description.Notes.Select(known => KeyValuePair.Create($"backbone.{known.Key}", known.Value))) { [note] = record },
            Pann = stored,
        });

        /// <summary>Says how long it took, where the model is, and what to do with it.</summary>
        public void SayWhere(double seconds)
        {
            Console.WriteLine(FormattableString.Invariant($"{seconds:F1} s"));
            Console.WriteLine($"Model: {Path.GetFullPath(File)}");
            Console.WriteLine($"Try next: dotnet run -c Release --project src/PannCore.Cli -- eval --model {CommonOptions.Quoted(File)}");
        }

        public void Dispose() => Workspace.Dispose();
    }
}
