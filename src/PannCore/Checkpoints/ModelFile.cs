using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using PannCore.Approximation;
using PannCore.Data;
using PannCore.Engine;
using PannCore.Nn;

namespace PannCore.Checkpoints;

/// <summary>What a model file says about its model besides the weights.</summary>
/// <param name="Architecture">For instance <c>resnet20</c>.</param>
/// <param name="Normalization">The pixel normalisation it was trained with.</param>
/// <param name="Activation">The function its activations stand for: <c>relu</c> or <c>leaky:A</c>.</param>
/// <param name="LargestInputs">Largest |x| at each activation over the training images; null where never measured.</param>
/// <param name="CalibrationImages">How many training images that was measured on.</param>
/// <param name="Notes">Free facts: recipe, seed, command, accuracies.</param>
/// <param name="Pann">The polynomial and the ranges of a network that was repaired for them, fitted to them or trained with them; null for a backbone.</param>
public sealed record ModelDescription(
    string Architecture, Normalization Normalization, ActivationSpec Activation,
    IReadOnlyDictionary<string, double>? LargestInputs, int CalibrationImages, IReadOnlyDictionary<string, string> Notes,
    StoredPann? Pann = null);

/// <summary>Models on disk: SafeTensors with PyTorch's parameter names and a description in the metadata; PyTorch checkpoints can be read too.</summary>
public static class ModelFile
{
    private const string Kind = "pann model", Itself = "self";
    private static readonly string[] Fields =
        ["kind", "architecture", "normalize", "normalizeMean", "normalizeDeviation", "activation", "largestInputs", "calibrationImages", "weights", "pannActivation", "pannRanges", "pannIdeal"];

    private static readonly JsonSerializerOptions NumbersByPath = new JsonSerializerOptions { AllowDuplicateProperties = false }.Fixed();

    /// <summary>Writes a model, atomically.</summary>
    /// <exception cref="BadInputException">The name does not end in .safetensors, the description is not this model's, a weight is not finite or a variance negative, or the file cannot be written.</exception>
    public static void Save(string path, ResNet model, ModelDescription description)
    {
        if (Path.GetExtension(path) != ".safetensors") throw new BadInputException($"{path}: expected a name that ends in .safetensors");
        if (description.Architecture != model.Name) throw BadInputException.At(path, "architecture", model.Name, description.Architecture);
        if (description.Activation.IsPolynomial) throw BadInputException.At(path, "activation", "relu or leaky:A", description.Activation.ToString());
        string? reserved = description.Notes.Keys.FirstOrDefault(Fields.Contains);
        if (reserved is not null) throw BadInputException.At(path, "notes", "names other than those of the format", reserved);
        var metadata = new Dictionary<string, string>(description.Notes)
        {
            ["kind"] = Kind,
            ["architecture"] = description.Architecture,
            ["normalize"] = description.Normalization.Name,
            ["normalizeMean"] = Normalization.Text(description.Normalization.Mean),
            ["normalizeDeviation"] = Normalization.Text(description.Normalization.Deviation),
            ["activation"] = description.Activation.ToString(),
            ["weights"] = WeightHash(model),
        };
        if (description.Pann is { } pann)
        {
            if (!StoredPann.CanHold(pann.Activation))
                throw BadInputException.At(path, "pannActivation", "a polynomial that is generated from its text alone", pann.Activation.ToString());
            CheckPaths(path, "pannRanges", model, pann.Ranges);
            metadata["pannActivation"] = pann.Activation.ToString();
            metadata["pannRanges"] = JsonSerializer.Serialize(pann.Ranges, NumbersByPath);
            if (pann.StandsForItself) metadata["pannIdeal"] = Itself;
        }
        else if (model.Activations.Select(a => model.Parameters.Find(Activation.ShiftOf(a.Path))).FirstOrDefault(p => p is not null) is { } shift)
        {
            throw BadInputException.At(path, shift.Name, "the polynomial and the ranges it belongs to", "none");
        }
        if (description.LargestInputs is not null)
        {
            CheckPaths(path, "largestInputs", model, description.LargestInputs);
            metadata["largestInputs"] = JsonSerializer.Serialize(description.LargestInputs, NumbersByPath);
            metadata["calibrationImages"] = description.CalibrationImages.ToString(CultureInfo.InvariantCulture);
        }
        foreach (Parameter parameter in model.Parameters.All) CheckValues(path, parameter.Name, parameter.Values);
        SafeTensors.Write(path, [.. model.Parameters.All.Select(p => new NamedArray(p.Name, p.Shape.ToArray(), p.Values.ToArray()))], metadata);
    }

    /// <summary>Reads a model written by <see cref="Save"/> (.safetensors), or the weights of a PyTorch checkpoint (any other name).</summary>
    /// <param name="path">The file.</param>
    /// <param name="architecture">The architecture of a PyTorch checkpoint, which does not say; refused where a model file says otherwise.</param>
    /// <param name="normalization">The normalisation of a PyTorch checkpoint, which does not say; refused where a model file says otherwise.</param>
    /// <exception cref="BadInputException">Not such a file; other keys or shapes than the architecture's; weights that are not finite, negative variances; the hash of other weights.</exception>
    public static (ResNet Model, ModelDescription Description) Load(string path, string? architecture = null, Normalization? normalization = null)
    {
        // The model without its weights is made from names and shapes, before the numbers are read: what does not fit costs no memory.
        (ResNet Model, string Name, ActivationSpec Activation)? made = null;
        IReadOnlyDictionary<string, NamedArray> arrays;
        IReadOnlyDictionary<string, string> metadata = new Dictionary<string, string>();
        if (Path.GetExtension(path) == ".safetensors")
        {
            SafeTensorsFile file = SafeTensors.Read(path, (texts, shapes) => made = Empty(path, architecture, normalization, texts, shapes));
            (arrays, metadata) = (file.Tensors, file.Metadata);
        }
        else
        {
            arrays = TorchCheckpoint.Read(path, shapes => made = Empty(path, architecture, normalization, metadata, shapes));
        }
        (ResNet model, string name, ActivationSpec activation) = made!.Value;
        foreach (Parameter parameter in model.Parameters.All)
        {
            float[] values = arrays[parameter.Name].ToSingle();
            CheckValues(path, parameter.Name, values);
            parameter.Set(values);
        }

        // Ranges without the hash of their weights are those of any weights.
        if (((string[])["weights", "largestInputs", "pannActivation"]).Any(metadata.ContainsKey)) CheckWeights(path, model, metadata);
        (Dictionary<string, double>? largest, int images) = Measured(path, model, metadata);
        StoredPann? pann = Stored(path, model, metadata);
        return (model, new(
            name, normalization ?? StoredNormalization(path, metadata), activation, largest, images,
            metadata.Where(pair => !Fields.Contains(pair.Key)).ToDictionary(), pann));
    }

    /// <summary>The model that the arrays of a file belong to, its weights still to be read.</summary>
    /// <exception cref="BadInputException">Another kind, architecture or normalisation than asked for; other keys or shapes than the architecture's.</exception>
    private static (ResNet Model, string Name, ActivationSpec Activation) Empty(
        string path, string? architecture, Normalization? normalization, IReadOnlyDictionary<string, string> metadata, IReadOnlyDictionary<string, int[]> shapes)
    {
        // A file that another program wrote may say no kind.
        if (metadata.GetValueOrDefault("kind") is string kind and not Kind) throw BadInputException.At(path, "metadata kind", Kind, kind);
        string? stored = metadata.GetValueOrDefault("architecture");
        if (stored is not null && architecture is not null && stored != architecture)
            throw BadInputException.At(path, "metadata architecture", architecture, stored);
        if (metadata.ContainsKey("normalizeMean") != metadata.ContainsKey("normalizeDeviation"))
            throw BadInputException.At(path, "metadata normalizeMean and normalizeDeviation", "both or neither", metadata.ContainsKey("normalizeMean") ? "normalizeMean alone" : "normalizeDeviation alone");
        if (metadata.GetValueOrDefault("normalize") is string pixels && normalization is not null)
        {
            if (pixels != normalization.Name) throw BadInputException.At(path, "metadata normalize", normalization.Name, pixels);
            if (metadata.ContainsKey("normalizeMean") && metadata.ContainsKey("normalizeDeviation") && StoredNormalization(path, metadata) is var held && !held.SameNumbers(normalization))
                throw BadInputException.At(path, $"metadata normalizeMean and normalizeDeviation of {pixels}", normalization.Numbers, held.Numbers);
        }
        string name = architecture ?? stored ?? throw new BadInputException($"{path}: does not say its architecture; give --arch, one of {string.Join(", ", ResNet.Names)}");
        ActivationSpec activation = Field(path, "activation", () => ActivationSpec.Parse(metadata.GetValueOrDefault("activation", "relu")));
        if (activation.IsPolynomial) throw BadInputException.At(path, "metadata activation", "relu or leaky:A", activation.ToString());
        ResNet model = new ResNet(stored is null ? ResNet.ParseDepth(name) : Field(path, "architecture", () => ResNet.ParseDepth(name))).With(activation, ranges: null);
        if (metadata.ContainsKey("pannActivation"))
        {
            foreach (Activation place in model.Activations.Where(a => shapes.ContainsKey(Activation.ShiftOf(a.Path))))
                model.Parameters.Get(Activation.ShiftOf(place.Path), new(place.Channels), trainable: false);
        }
        StateDictMatch.Check(
            path, name, [.. model.Parameters.All.Select(p => (p.Name, p.Shape.ToArray()))], shapes, new HashSet<string> { "num_batches_tracked" });
        return (model, name, activation);
    }

    /// <summary>SHA-256 over names and values of all parameters: measured ranges belong to these weights only.</summary>
    public static string WeightHash(ResNet model)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (Parameter parameter in model.Parameters.All)
        {
            hash.AppendData(Encoding.UTF8.GetBytes(parameter.Name));
            hash.AppendData(MemoryMarshal.AsBytes(parameter.Values));
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>What no network can have as weights or statistics is neither written nor read here, nor read as a state of training.</summary>
    /// <exception cref="BadInputException">A number is not finite, or a variance is negative.</exception>
    internal static void CheckValues(string path, string key, ReadOnlySpan<float> values)
    {
        bool variances = key.EndsWith(".running_var", StringComparison.Ordinal);
        for (int i = 0; i < values.Length; i++)
        {
            if (!float.IsFinite(values[i]) || (variances && values[i] < 0))
                throw BadInputException.At(path, $"key {key}, element {i}", float.IsFinite(values[i]) ? "a variance of at least 0" : "a finite number", values[i].ToString(CultureInfo.InvariantCulture));
        }
    }

    /// <summary>What is made of a metadata field's text; an error says where it stands.</summary>
    private static T Field<T>(string path, string field, Func<T> parse)
    {
        try
        {
            return parse();
        }
        catch (BadInputException exception) when (!exception.Message.StartsWith(path, StringComparison.Ordinal))
        {
            throw new BadInputException($"{path}: at metadata {field}: {exception.Message}", exception);
        }
    }

    private static (Dictionary<string, double>? Largest, int Images) Measured(string path, ResNet model, IReadOnlyDictionary<string, string> metadata)
    {
        if (!metadata.TryGetValue("largestInputs", out string? json)) return (null, 0);
        Dictionary<string, double> largest = ByPath(path, "largestInputs", model, json);
        string count = metadata.GetValueOrDefault("calibrationImages", "nothing");
        if (!int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out int images))
            throw BadInputException.At(path, "metadata calibrationImages", "a number of images", count);
        return (largest, images);
    }

    private static StoredPann? Stored(string path, ResNet model, IReadOnlyDictionary<string, string> metadata)
    {
        if (!metadata.TryGetValue("pannActivation", out string? text)) return null;
        if (!metadata.TryGetValue("pannRanges", out string? json)) throw BadInputException.At(path, "metadata pannRanges", $"the ranges of {text}", "nothing");
        ActivationSpec activation = Field(path, "pannActivation", () => ActivationSpec.Parse(text));
        if (!StoredPann.CanHold(activation)) throw BadInputException.At(path, "metadata pannActivation", "a polynomial that is generated from its text alone", text);
        string? ideal = metadata.GetValueOrDefault("pannIdeal");
        if (ideal is not (null or Itself)) throw BadInputException.At(path, "metadata pannIdeal", Itself, ideal);
        return new(activation, ByPath(path, "pannRanges", model, json), StandsForItself: ideal is not null);
    }

    private static void CheckWeights(string path, ResNet model, IReadOnlyDictionary<string, string> metadata)
    {
        string weights = WeightHash(model);
        if (metadata.GetValueOrDefault("weights") is not string stored || stored != weights)
            throw BadInputException.At(path, "metadata weights", $"the hash {weights} of the weights in the file", metadata.GetValueOrDefault("weights") ?? "nothing");
    }

    private static Dictionary<string, double> ByPath(string path, string field, ResNet model, string json)
    {
        try
        {
            Dictionary<string, double> values = JsonSerializer.Deserialize<Dictionary<string, double>>(json, NumbersByPath) ?? [];
            CheckPaths(path, field, model, values);
            return values;
        }
        catch (JsonException exception)
        {
            throw new BadInputException($"{path}: at metadata {field}: expected a JSON object of path: number, found {json[..Math.Min(40, json.Length)]}", exception);
        }
    }

    private static void CheckPaths(string path, string field, ResNet model, IReadOnlyDictionary<string, double> values)
    {
        string[] paths = [.. model.Activations.Select(a => a.Path)];
        if (StateDictMatch.Differences([.. paths.Except(values.Keys).Select(MessageText.Quote)], [.. values.Keys.Except(paths).Select(MessageText.Quote)]) is { } differences)
            throw BadInputException.At(path, $"metadata {field}", $"one number for each of the {paths.Length} activations", differences);
        foreach ((string activation, double value) in values)
        {
            if (!(value >= 0 && double.IsFinite(value)))
                throw BadInputException.At(path, $"metadata {field}, {activation}", "a finite number of at least 0", value.ToString(CultureInfo.InvariantCulture));
        }
    }

    private static Normalization StoredNormalization(string path, IReadOnlyDictionary<string, string> metadata)
    {
        if (!metadata.TryGetValue("normalize", out string? name)) throw new BadInputException($"{path}: does not say its pixel normalisation; give --normalize cifar10 or imagenet");
        if (!metadata.TryGetValue("normalizeMean", out string? mean) || !metadata.TryGetValue("normalizeDeviation", out string? deviation)) return Field(path, "normalize", () => Normalization.Parse(name));
        return Field(path, "normalizeMean or normalizeDeviation", () => new Normalization(name, Numbers("normalizeMean", mean), Numbers("normalizeDeviation", deviation)));

        double[] Numbers(string field, string text) => [.. text.Split(',').Select(part =>
            double.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) ? value : throw BadInputException.At(path, $"metadata {field}", "three numbers", text))];
    }
}
