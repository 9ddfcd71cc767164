using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using PannCore.Approximation;
using PannCore.Checkpoints;
using PannCore.Data;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Ops;

namespace PannCore.Training;

/// <summary>One finished epoch.</summary>
/// <param name="Epoch">1, 2, ...</param>
/// <param name="TrainLoss">Mean loss over the epoch's images: the cross-entropy or, with a teacher, the loss of <see cref="Distillation"/>, which compares with no other; penalties, on inputs of polynomials or on crest factors, act on the gradient alone.</param>
/// <param name="TrainAccuracy">Percent right on the augmented training images, as they were met; of a mixed pair, the first counts.</param>
/// <param name="ValidationAccuracy">Percent right on the images held out; null if none are.</param>
public sealed record EpochResult(int Epoch, double TrainLoss, double TrainAccuracy, double? ValidationAccuracy);

/// <summary>How far an epoch is.</summary>
/// <param name="Epoch">1, 2, ...</param>
/// <param name="Images">Images of this epoch done.</param>
/// <param name="Total">Images of this epoch.</param>
/// <param name="Loss">Mean loss so far.</param>
public sealed record TrainingProgress(int Epoch, int Images, int Total, double Loss);

/// <summary>
/// Trains a network from a recipe. Its whole state (weights, velocities, running statistics, epoch, step) can be saved at any step and
/// resumed to the same bits: random numbers depend on where they are used, not on what was drawn before.
/// </summary>
public sealed class Trainer
{
    private const string HashField = "sha256";

    private readonly Cifar10 _data;
    private readonly Workspace _workspace;
    private readonly BatchLoader _loader;
    private readonly Normalization _normalization;
    private readonly Split _split;
    private readonly ReluPolynomial? _polynomial;
    private readonly ResNet _model;
    private readonly ResNet? _teacher;
    private readonly Dictionary<string, Parameter> _logarithms = [];
    private readonly Parameter[] _parameters;
    private readonly Sgd _sgd;
    private readonly Schedule _schedule;
    private readonly string _dataHash;
    private readonly List<EpochResult> _history = [];
    private int _epoch;
    private int _step;
    private double _lossSum;
    private int _correct;
    private bool _failed;

    /// <summary>A trainer at the start of its first epoch.</summary>
    /// <param name="recipe">What to do.</param>
    /// <param name="data">The training set.</param>
    /// <param name="workspace">Threads and memory. Convolutions are computed as the recipe says, in training and on the images held out.</param>
    /// <param name="initial">A network of the same architecture whose weights training begins from; null begins from random ones. The recipe names it by the hash of its weights.</param>
    /// <param name="teacher">The network whose answers count beside the labels, with ReLUs and of any depth; null for none. The recipe names it by the hash of its weights.</param>
    /// <exception cref="BadInputException">The recipe does not make sense for the data.</exception>
    /// <exception cref="ArgumentException">The initial weights, or the teacher's, are others than the recipe names, or the teacher has other activations than ReLUs.</exception>
    public Trainer(Recipe recipe, Cifar10 data, Workspace workspace, ResNet? initial = null, ResNet? teacher = null)
    {
        recipe.Check();
        Recipe = recipe;
        _data = data;
        _workspace = workspace;
        _normalization = Normalization.Parse(recipe.Normalize);
        _loader = new BatchLoader(data, _normalization);
        _split = Split.Balanced(data, recipe.Validation, recipe.Seed);
        if (_split.Training.Length < recipe.Batch)
            throw new BadInputException($"recipe: batch: expected at most the {_split.Training.Length} training images, found {recipe.Batch}");
        _polynomial = recipe.Polynomial is { } loop ? ActivationSpec.Parse(loop.Activation).Build() : null;
        if (_polynomial is { Leak: not 0 } && !recipe.Polynomial!.StandsForItself)
            throw new BadInputException($"recipe: polynomial: expected one without leak, because the network that is left has ReLUs, found {recipe.Polynomial.Activation}");
        int depth = ResNet.ParseDepth(recipe.Architecture);
        if (recipe.Polynomial is { } ranged) ActivationRanges.Of("recipe", [.. new ResNet(depth).Activations.Select(place => place.Path)], ranged.Ranges);
        _model = new ResNet(depth, activations: Activation);
        _model.Initialise(recipe.Seed);
        if (recipe.Polynomial is { LearnRanges: true })
        {
            foreach (Activation place in _model.Activations) _logarithms[place.Path] = new Parameter($"{place.Path}.logarithm", new Shape(1));
        }
        _parameters = [.. _model.Parameters.All, .. _logarithms.Values];
        if ((initial is null ? null : ModelFile.WeightHash(initial)) != recipe.InitialWeights)
            throw new ArgumentException("trainer: the network to begin from is not the one that the recipe names", nameof(initial));
        if ((teacher is null ? null : ModelFile.WeightHash(teacher)) != recipe.Distillation?.Teacher)
            throw new ArgumentException("trainer: the teacher is not the one that the recipe names", nameof(teacher));
        // The hash is that of the weights alone, and a teacher is asked for its answers.
        if (teacher?.Activations.FirstOrDefault(place => place.Function is not ActivationFunction.Relu { Slope: 0 }) is { } other)
            throw new ArgumentException($"trainer: expected a teacher with ReLUs, found another activation at {other.Path}", nameof(teacher));
        _teacher = teacher;
        if (initial is not null)
        {
            if (initial.Name != recipe.Architecture) throw new BadInputException($"recipe: expected initial weights of {recipe.Architecture}, found those of {initial.Name}");
            _model.Parameters.CopyFrom(initial.Parameters);
        }
        _sgd = new Sgd(_parameters, recipe.Momentum, recipe.WeightDecay, recipe.DecayOn, recipe.MaxGradientNorm);
        _schedule = new Schedule(recipe.LearningRate, (long)Math.Round(recipe.WarmupEpochs * StepsPerEpoch), (long)recipe.Epochs * StepsPerEpoch);
        _dataHash = data.Digest();
    }

    /// <summary>What is being done.</summary>
    public Recipe Recipe { get; }

    /// <summary>The network, with its present weights; of learnt ranges, those at the time of the call.</summary>
    public ResNet Model => _logarithms.Count == 0 ? _model : _model.With(Activation);

    /// <summary>B of each activation at present; null where there are no polynomials.</summary>
    public IReadOnlyDictionary<string, double>? Ranges => Recipe.Polynomial is null ? null : _model.Activations.ToDictionary(place => place.Path, place => RangeOf(place.Path));

    /// <summary>The epochs finished so far.</summary>
    public IReadOnlyList<EpochResult> History => _history;

    /// <summary>Whether all epochs are done.</summary>
    public bool Finished => _epoch >= Recipe.Epochs;

    /// <summary>Steps of an epoch; images that do not fill a batch wait for the next epoch's order.</summary>
    public int StepsPerEpoch => _split.Training.Length / Recipe.Batch;

    /// <summary>Trains to the end of the present epoch.</summary>
    /// <param name="progress">Told after every step.</param>
    /// <param name="afterStep">Called after every step with the number of steps since training began, for instance to save the state.</param>
    /// <param name="cancellation">Stops between steps; the state then is that after the last step.</param>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    /// <exception cref="TrainingDivergedException">The loss is no longer finite, or a learnt range is none.</exception>
    /// <exception cref="BadInputException">A teacher's answer is not finite.</exception>
    /// <exception cref="InvalidOperationException">All epochs are done, or a step failed half-way: only <see cref="Resume"/> helps then.</exception>
    public EpochResult RunEpoch(IProgress<TrainingProgress>? progress = null, Action<long>? afterStep = null, CancellationToken cancellation = default)
    {
        if (Finished) throw new InvalidOperationException($"trainer: all {Recipe.Epochs} epochs are done");
        RequireWhole();
        int[] order = new CounterRandom(Recipe.Seed, RandomStream.Order, _epoch).Permutation(_split.Training.Length);
        int[] images = [.. order.Select(i => _split.Training[i])];
        int total = StepsPerEpoch * Recipe.Batch;
        while (_step < StepsPerEpoch)
        {
            cancellation.ThrowIfCancellationRequested();
            _failed = true; // Until it is whole: a step that throws has moved statistics, perhaps weights, and counts as none.
            Step(images.AsMemory(_step * Recipe.Batch, Recipe.Batch));
            _failed = false;
            int done = _step * Recipe.Batch;
            progress?.Report(new(_epoch + 1, done, total, _lossSum / _step));
            afterStep?.Invoke(((long)_epoch * StepsPerEpoch) + _step);
        }
        double? validation = _split.Validation.Length == 0
            ? null
            : Evaluation.Of(Model, _data, _split.Validation, _normalization, _workspace, convolution: Recipe.Convolution, cancellation: cancellation).Accuracy;
        var result = new EpochResult(_epoch + 1, _lossSum / StepsPerEpoch, 100.0 * _correct / total, validation);
        _history.Add(result);
        _epoch++;
        (_step, _lossSum, _correct) = (0, 0, 0);
        return result;
    }

    /// <summary>Writes the whole state, atomically. A state that is not finite is not written: the file keeps the last good one.</summary>
    /// <exception cref="TrainingDivergedException">A weight or statistic is not finite.</exception>
    /// <exception cref="BadInputException">The file cannot be written.</exception>
    /// <exception cref="InvalidOperationException">A step failed half-way.</exception>
    public void SaveState(string path)
    {
        RequireWhole();
        foreach (Parameter parameter in _parameters)
        {
            foreach (float value in parameter.Values)
            {
                if (!float.IsFinite(value)) throw Diverged($"{parameter.Name} holds {value.ToString(CultureInfo.InvariantCulture)}");
            }
        }
        var arrays = new List<NamedArray>();
        foreach (Parameter parameter in _parameters)
        {
            arrays.Add(new NamedArray(parameter.Name, parameter.Shape.ToArray(), parameter.Values.ToArray()));
            if (parameter.Trainable) arrays.Add(new NamedArray(VelocityName(parameter), parameter.Shape.ToArray(), _sgd.Velocity(parameter).ToArray()));
        }
        var metadata = new Dictionary<string, string>
        {
            ["kind"] = "training state",
            ["recipe"] = JsonSerializer.Serialize(Recipe, TrainingJson.Options),
            ["history"] = JsonSerializer.Serialize(_history, TrainingJson.Options),
            ["data"] = _dataHash,
            ["epoch"] = _epoch.ToString(CultureInfo.InvariantCulture),
            ["step"] = _step.ToString(CultureInfo.InvariantCulture),
            ["lossSum"] = _lossSum.ToString("R", CultureInfo.InvariantCulture),
            ["correct"] = _correct.ToString(CultureInfo.InvariantCulture),
        };
        metadata[HashField] = StateHash(arrays, metadata);
        SafeTensors.Write(path, arrays, metadata);
    }

    /// <summary>Continues from a state written by <see cref="SaveState"/> for the same recipe and data.</summary>
    /// <exception cref="BadInputException">The file is no such state, of another recipe or data set, or damaged.</exception>
    public void Resume(string path)
    {
        SafeTensorsFile file = SafeTensors.Read(path, (metadata, shapes) => RequireSameRun(path, metadata, shapes));
        string Field(string name) => StateField(path, file.Metadata, name);
        int Number(string name, int most) => int.TryParse(Field(name), NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value <= most
            ? value
            : throw BadInputException.At(path, $"metadata {name}", $"a number from 0 to {most}", Field(name));
        (int epoch, int step, int correct) = (Number("epoch", Recipe.Epochs), Number("step", StepsPerEpoch), Number("correct", Number("step", StepsPerEpoch) * Recipe.Batch));
        List<EpochResult> history;
        double lossSum;
        try
        {
            history = JsonSerializer.Deserialize<List<EpochResult>>(Field("history"), TrainingJson.Options) ?? [];
            lossSum = double.Parse(Field("lossSum"), NumberStyles.Float, CultureInfo.InvariantCulture);
        }
        catch (Exception exception) when (exception is JsonException or FormatException)
        {
            throw new BadInputException($"{path}: at metadata: expected the history of a training run, found something else: {exception.Message}", exception);
        }
        if (!double.IsFinite(lossSum)) throw BadInputException.At(path, "metadata lossSum", "a finite number", Field("lossSum"));
        if (history.Count != epoch) throw BadInputException.At(path, "metadata history", $"{epoch} epochs", $"{history.Count}");
        for (int i = 0; i < epoch; i++)
        {
            if (history[i]?.Epoch != i + 1) throw BadInputException.At(path, $"metadata history, entry {i}", $"epoch {i + 1}", history[i] is { } other ? $"epoch {other.Epoch}" : "null");
            if (!(double.IsFinite(history[i].TrainLoss) && history[i].TrainAccuracy is >= 0 and <= 100 && history[i].ValidationAccuracy is null or (>= 0 and <= 100)))
                throw BadInputException.At(path, $"metadata history, entry {i}", "a finite loss and accuracies from 0 to 100", history[i].ToString());
        }

        foreach (NamedArray array in file.Tensors.Values) ModelFile.CheckValues(path, array.Name, array.ToSingle());
        foreach ((string place, Parameter logarithm) in _logarithms)
        {
            double range = ClampedPolynomialRelu.Learnt(Recipe.Polynomial!.Ranges[place], file.Tensors[logarithm.Name].ToSingle()[0]);
            if (!PolynomialRelu.IsUsable(range)) throw BadInputException.At(path, $"key {logarithm.Name}", "the logarithm of a range's growth", $"one that makes {range.ToString(CultureInfo.InvariantCulture)} of it");
        }
        RequireSameHash(path, file);
        foreach (Parameter parameter in _parameters)
        {
            parameter.Set(file.Tensors[parameter.Name].ToSingle());
            if (parameter.Trainable) file.Tensors[VelocityName(parameter)].ToSingle().CopyTo(_sgd.Velocity(parameter));
        }
        (_epoch, _step, _lossSum, _correct, _failed) = (epoch, step, lossSum, correct, false);
        _history.Clear();
        _history.AddRange(history);
    }

    private static string StateField(string path, IReadOnlyDictionary<string, string> metadata, string name) => metadata.TryGetValue(name, out string? value)
        ? value
        : throw BadInputException.At(path, $"metadata {name}", "a training state", "nothing");

    /// <summary>What is known of a state before its numbers are read: kind, recipe, data, and the arrays' names and shapes.</summary>
    private void RequireSameRun(string path, IReadOnlyDictionary<string, string> metadata, IReadOnlyDictionary<string, int[]> shapes)
    {
        string Field(string name) => StateField(path, metadata, name);
        if (Field("kind") != "training state") throw BadInputException.At(path, "metadata kind", "training state", Field("kind"));
        RequireSameRecipe(path, Field("recipe"));
        if (Field("data") != _dataHash) throw BadInputException.At(path, "metadata data", $"the training data {_dataHash}", Field("data"));

        var expected = new List<(string Name, int[] Shape)>();
        foreach (Parameter parameter in _parameters)
        {
            expected.Add((parameter.Name, parameter.Shape.ToArray()));
            if (parameter.Trainable) expected.Add((VelocityName(parameter), parameter.Shape.ToArray()));
        }
        StateDictMatch.Check(path, Recipe.Architecture, expected, shapes);
    }

    /// <summary>SHA-256 over the texts, but that of the hash itself, and over names and values of the arrays: a wrong bit in a velocity is a number like any other.</summary>
    private static string StateHash(IEnumerable<NamedArray> arrays, IReadOnlyDictionary<string, string> metadata)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        void Append(string text) => hash.AppendData(Encoding.UTF8.GetBytes(text + '\0'));
        foreach ((string key, string text) in metadata.Where(pair => pair.Key != HashField).OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            Append(key);
            Append(text);
        }
        foreach (NamedArray array in arrays)
        {
            Append(array.Name);
            hash.AppendData(array.Bytes);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static void RequireSameHash(string path, SafeTensorsFile file)
    {
        string hash = StateHash(file.Tensors.Values, file.Metadata), stored = file.Metadata.GetValueOrDefault(HashField) ?? throw BadInputException.At(path, $"metadata {HashField}", "the hash of the numbers and texts in the file", "none: an earlier version wrote it, which can finish it; or delete it and begin anew");
        if (stored != hash) throw BadInputException.At(path, $"metadata {HashField}", $"the hash {hash} of the numbers and texts in the file, unless they are damaged", stored);
    }

    private void RequireWhole()
    {
        if (_failed) throw new InvalidOperationException("trainer: a step failed half-way; resume from the last saved state");
    }

    /// <summary>Names the first setting that differs.</summary>
    private void RequireSameRecipe(string path, string text)
    {
        JsonObject asked = JsonSerializer.SerializeToNode(Recipe, TrainingJson.Options)!.AsObject(), stored;
        try
        {
            stored = JsonNode.Parse(text, documentOptions: new() { AllowDuplicateProperties = false }) as JsonObject ?? throw new JsonException();
            // Text is decoded when it is asked for: half a surrogate pair is found out here.
            foreach (string name in asked.Select(pair => pair.Key).Union(stored.Select(pair => pair.Key)))
            {
                if (!JsonNode.DeepEquals(asked[name], stored[name])) throw BadInputException.At(path, $"metadata recipe, {name}", asked[name]?.ToJsonString() ?? "nothing", stored[name]?.ToJsonString() ?? "nothing");
            }
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw new BadInputException($"{path}: at metadata recipe: expected a recipe, found something else", exception);
        }
    }

    private static string VelocityName(Parameter parameter) => "velocity." + parameter.Name;

    private void Step(ReadOnlyMemory<int> images)
    {
        long step = ((long)_epoch * StepsPerEpoch) + _step;
        var augmentation = new Augmentation(Recipe.Seed, _epoch, Recipe.Contrast);
        Mixture? mixture = Recipe.Mixup > 0 ? Mixup.Of(Recipe.Mixup, images.Span, Recipe.Seed, step) : null;
        float[]? answers = TeachersAnswers(images, augmentation, mixture);
        using var run = new Run(_workspace, Statistics.Training, tape: true, convolution: Recipe.Convolution);
        byte[] labels = _loader.Labels(images.Span);
        Tensor logits = InTraining(images, step).Call(_loader.Load(run, images, augmentation, mixture));
        for (int i = 0; i < labels.Length; i++)
        {
            if (Evaluation.Predict(logits.Values.Slice(i * logits.Shape[1], logits.Shape[1])) == labels[i]) _correct++;
        }
        Tensor loss = mixture is null
            ? logits.SoftmaxCrossEntropy(labels)
            : logits.SoftmaxCrossEntropy(Mixup.Targets(labels, _loader.Labels(mixture.Partners.Span), mixture.Weight, logits.Shape[1]));
        if (answers is not null) loss = loss.DistillationLoss(logits, answers, Recipe.Distillation!.Weight, Recipe.Distillation.Temperature);
        float value = loss.Values[0];
        if (!float.IsFinite(value))
        {
            throw Diverged($"the loss is {value.ToString(CultureInfo.InvariantCulture)}");
        }
        Gradients gradients = run.Backward(loss);
        _sgd.Step(gradients, _schedule.Rate(step));
        foreach (string path in _logarithms.Keys)
        {
            if (!PolynomialRelu.IsUsable(RangeOf(path))) throw Diverged($"the range of {path} is {RangeOf(path).ToString(CultureInfo.InvariantCulture)}");
        }
        _lossSum += value;
        _step++;
    }

    /// <summary>The teacher's logits for the images as the step sees them; null without a teacher.</summary>
    /// <exception cref="BadInputException">One is not finite: weights can be finite and too large.</exception>
    private float[]? TeachersAnswers(ReadOnlyMemory<int> images, Augmentation augmentation, Mixture? mixture)
    {
        if (_teacher is null) return null;
        using var run = new Run(_workspace, convolution: Recipe.Convolution);
        float[] logits = _teacher.Call(_loader.Load(run, images, augmentation, mixture)).Values.ToArray();
        int wrong = Array.FindIndex(logits, logit => !float.IsFinite(logit));
        if (wrong < 0) return logits;
        int classes = logits.Length / images.Length;
        throw new BadInputException(FormattableString.Invariant($"teacher: image {images.Span[wrong / classes]}, logit {wrong % classes}: expected a finite number, found {logits[wrong]}"));
    }

    /// <summary>The network of one step: the model; or with a slope that it drops in the end; or with noise in its activations, every layer having numbers of its own; or with the inputs of its polynomials clamped; with a penalty on crest factors before any but polynomials.</summary>
    private ResNet InTraining(ReadOnlyMemory<int> images, long step)
    {
        int layer = 0, layers = _model.Activations.Count;
        if (_polynomial is not null)
        {
            PolynomialInTheLoop loop = Recipe.Polynomial!;
            long steps = (long)Recipe.Epochs * StepsPerEpoch;
            var penalty = new RangePenalty(loop.PenaltyAt(step, steps), loop.PenaltyFrom);
            return _model.With(path => new ClampedPolynomial(_polynomial, loop.Ranges[path], penalty, loop.ShareAt(Recipe.Seed, step, steps, layer++), _logarithms.GetValueOrDefault(path)));
        }
        if (Recipe is { Noise.Size: 0, DropLeak: false, Crest: null }) return _model;
        return _model.With(_ =>
        {
            ActivationFunction function = Recipe.Noise.Size == 0
                ? new ActivationFunction.Relu((float)Recipe.Leak)
                : new NoisyRelu(Recipe.Noise, (float)Recipe.Leak, new CounterRandom(Recipe.Seed, RandomStream.Noise, (step * layers) + layer++), images);
            return Recipe.Crest is { } crest ? new CrestPenalised(crest, function) : function;
        });
    }

    /// <summary>What an activation of the trained network computes.</summary>
    private ActivationFunction Activation(string path) => _polynomial is null || !Recipe.Polynomial!.StandsForItself
        ? new ActivationFunction.Relu(Recipe.DropLeak ? 0 : (float)Recipe.Leak)
        : new ActivationFunction.Polynomial(_polynomial, RangeOf(path));

    private double RangeOf(string path)
    {
        double range = Recipe.Polynomial!.Ranges[path];
        return _logarithms.TryGetValue(path, out Parameter? logarithm) ? ClampedPolynomialRelu.Learnt(range, logarithm.Values[0]) : range;
    }

    private TrainingDivergedException Diverged(string what) => new(
        $"training diverged: {what} at epoch {_epoch + 1}, step {_step + 1}; try a smaller learning rate or a longer warm-up; the last saved state is kept");
}
