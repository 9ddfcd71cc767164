using System.Runtime.InteropServices;
using System.Text;
using PannCore.Approximation;
using PannCore.Checkpoints;
using PannCore.Data;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Tests.Diagnostics;
using Xunit;

namespace PannCore.Tests.Checkpoints;

public sealed class ModelFileTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_model_and_all_that_is_said_of_it_read_back_to_the_bit()
    {
        ResNet model = RandomNetwork.Make(11);
        // Values that a careless path would change: the smallest subnormal, the largest float, negative zero.
        model.Parameters.All[0].Update(values => (values[0], values[1], values[2]) = (float.Epsilon, float.MaxValue, -0f));
        var largest = model.Activations.Select((a, i) => (a.Path, Value: (i + 1) / 3.0)).ToDictionary(p => p.Path, p => p.Value);
        var description = new ModelDescription("resnet20", Normalization.ImageNet, ActivationSpec.Parse("relu"), largest, 1234, new Dictionary<string, string> { ["command"] = "pann train --seed \"ä\"", ["seed"] = "3" });
        string path = _folder.At("m.safetensors");
        ModelFile.Save(path, model, description);

        (ResNet read, ModelDescription said) = ModelFile.Load(path);
        Assert.Equal(model.Parameters.All.Select(p => p.Name), read.Parameters.All.Select(p => p.Name));
        foreach ((Parameter a, Parameter b) in model.Parameters.All.Zip(read.Parameters.All))
            Assert.True(MemoryMarshal.AsBytes(a.Values).SequenceEqual(MemoryMarshal.AsBytes(b.Values)), a.Name);
        Assert.Equal(("resnet20", "imagenet", "relu", 1234), (said.Architecture, said.Normalization.Name, said.Activation.ToString(), said.CalibrationImages));
        Assert.Equal(Normalization.ImageNet.Mean.Concat(Normalization.ImageNet.Deviation), said.Normalization.Mean.Concat(said.Normalization.Deviation));
        Assert.Equal(largest, said.LargestInputs);
        Assert.Equal(description.Notes, said.Notes);

        // Written again, the same bytes.
        ModelFile.Save(_folder.At("again.safetensors"), read, said);
        Assert.Equal(File.ReadAllBytes(path), File.ReadAllBytes(_folder.At("again.safetensors")));
    }

    [Fact]
    public void A_model_never_measured_has_no_ranges_and_another_normalisation_is_refused()
    {
        string path = Save(largest: null);
        Assert.Equal((null, 0, "cifar10"), Facts(ModelFile.Load(path).Description));
        Assert.Equal($"{path}: at metadata normalize: expected imagenet, found cifar10", Assert.Throws<BadInputException>(() => ModelFile.Load(path, "resnet20", Normalization.ImageNet)).Message);
        Rewrite(path, metadata: m => m.Remove("normalize"));
        Assert.Equal("imagenet", ModelFile.Load(path, "resnet20", Normalization.ImageNet).Description.Normalization.Name);

        // One half of the numbers says nothing of the other.
        Rewrite(path, metadata: m => m.Remove("normalizeDeviation"));
        Assert.Equal($"{path}: at metadata normalizeMean and normalizeDeviation: expected both or neither, found normalizeMean alone", Refusal(path));
        Rewrite(path, metadata: m => m.Remove("normalizeMean"));
        Assert.Equal("imagenet", ModelFile.Load(path, "resnet20", Normalization.ImageNet).Description.Normalization.Name);

        // The same name, other numbers.
        Normalization mine = new("mine", [0.5, 0.5, 0.5], [0.25, 0.25, 0.25]), other = new("mine", [0.5, 0.5, 0.5], [0.25, 0.25, 0.5]);
        ModelFile.Save(path, RandomNetwork.Backbone, new("resnet20", mine, ActivationSpec.Parse("relu"), null, 0, new Dictionary<string, string>()));
        Assert.Equal(mine.Deviation, ModelFile.Load(path, normalization: mine).Description.Normalization.Deviation);
        Assert.Equal(
            $"{path}: at metadata normalizeMean and normalizeDeviation of mine: expected mean 0.5,0.5,0.5, deviation 0.25,0.25,0.5, found mean 0.5,0.5,0.5, deviation 0.25,0.25,0.25",
            Assert.Throws<BadInputException>(() => ModelFile.Load(path, normalization: other)).Message);

        static (object?, int, string) Facts(ModelDescription d) => (d.LargestInputs, d.CalibrationImages, d.Normalization.Name);
    }

    [Fact]
    public void A_file_of_another_kind_is_refused()
    {
        string path = Save(largest: null);
        Rewrite(path, metadata: m => m["kind"] = "training state");
        Assert.Equal($"{path}: at metadata kind: expected pann model, found training state", Refusal(path));
        Rewrite(path, metadata: m => m.Remove("kind"));
        Assert.Equal("resnet20", ModelFile.Load(path).Description.Architecture);
    }

    [Fact]
    public void Another_architecture_is_refused()
    {
        string path = Save(largest: null);
        Assert.Equal($"{path}: at metadata architecture: expected resnet32, found resnet20", Refusal(path, "resnet32"));
        Assert.Equal($"{path}: at metadata architecture: expected vgg, found resnet20", Refusal(path, "vgg"));
        Rewrite(path, metadata: m => m["architecture"] = "resnet21");
        Assert.Equal($"{path}: at metadata architecture: expected resnet20, found resnet21", Refusal(path, "resnet20"));
        Assert.Equal($"{path}: at metadata architecture: architecture 'resnet21': unknown; known: resnet20, resnet32, resnet44, resnet56, resnet110", Refusal(path));
        Rewrite(path, metadata: m => m["architecture"] = "resnet20\nerror: all is well\u001b[2J");
        Assert.Equal($"{path}: at metadata architecture: architecture 'resnet20\\u000Aerror: all is well\\u001B[2J': unknown; known: resnet20, resnet32, resnet44, resnet56, resnet110", Refusal(path));
        Rewrite(path, metadata: m => m["architecture"] = "resnet32");
        Assert.StartsWith($"{path}: does not fit resnet32: 60 keys missing: 'layer1.3.conv1.weight', 'layer1.3.bn1.weight', ", Refusal(path), StringComparison.Ordinal);
        Rewrite(path, metadata: m => m.Remove("architecture"));
        Assert.Equal($"{path}: does not say its architecture; give --arch, one of resnet20, resnet32, resnet44, resnet56, resnet110", Refusal(path));
    }

    [Theory]
    [InlineData("layer1.0.conv1.weight", float.NaN, "a finite number, found NaN")]
    [InlineData("layer1.0.conv1.weight", float.NegativeInfinity, "a finite number, found -Infinity")]
    [InlineData("linear.bias", float.PositiveInfinity, "a finite number, found Infinity")]
    [InlineData("bn1.running_var", -0.5f, "a variance of at least 0, found -0.5")]
    public void Weights_that_are_no_weights_are_named(string key, float value, string message)
    {
        string path = Save(largest: null);
        Rewrite(path, arrays: name => name == key ? values => values[4] = value : null);
        Assert.Equal($"{path}: at key {key}, element 4: expected {message}", Refusal(path));

        // What would not be read is not written, and what stands there stays.
        byte[] before = File.ReadAllBytes(path);
        ResNet model = RandomNetwork.Make(11);
        model.Parameters.Find(key)!.Update(values => values[4] = value);
        var description = new ModelDescription("resnet20", Normalization.Cifar10, ActivationSpec.Parse("relu"), null, 0, new Dictionary<string, string>());
        Assert.Equal($"{path}: at key {key}, element 4: expected {message}", Assert.Throws<BadInputException>(() => ModelFile.Save(path, model, description)).Message);
        Assert.Equal(before, File.ReadAllBytes(path));
    }

    [Fact]
    public void Missing_surplus_and_misshaped_weights_are_listed()
    {
        string path = Save(largest: null);
        SafeTensorsFile file = SafeTensors.Read(path);
        NamedArray[] arrays = [
            .. file.Tensors.Values.Where(t => t.Name is not ("conv1.weight" or "linear.bias")),
            new("linear.bias", [2, 5], new float[10]), new("fc.bias", [10], new float[10]), new("bn1.num_batches_tracked", [], new long[1])];
        SafeTensors.Write(path, arrays, file.Metadata);
        Assert.Equal(
            $"{path}: does not fit resnet20: 1 key missing: 'conv1.weight'; 1 key surplus: 'fc.bias'; 1 key of another shape: 'linear.bias' expected [10] found [2,5]",
            Refusal(path));
    }

    [Fact]
    public void What_does_not_fit_costs_no_memory()
    {
        const int Count = 64 << 20;
        string arrays = string.Join(',', Enumerable.Range(0, 4).Select(i => $$"""
            "{{(i == 3 ? "bn1.num_batches_tracked" : $"t{i}")}}":{"dtype":"F32","shape":[{{Count}}],"data_offsets":[{{4L * Count * i}},{{4L * Count * (i + 1)}}]}
            """));
        byte[] json = Encoding.UTF8.GetBytes($"{{{arrays}}}");
        Expect(_folder.WithHole("t.safetensors", [.. BitConverter.GetBytes((ulong)json.Length), .. json], 16L * Count), "4 keys surplus: 't0', 't1', 't2', 'bn1.num_batches_tracked'");

        byte[] pickle = new PickleWriter().Op('}').Text("w").Tensor("FloatStorage", "0", Count, 0, [Count], [1]).Op('s').Stop();
        byte[] stream = TorchFiles.Stream(pickle, ("0", 4, []));
        Expect(_folder.WithHole("t.th", [.. stream[..^8], .. BitConverter.GetBytes((long)Count)], 4L * Count), "1 key surplus: 'w'");

        // In a zip archive the directory stands behind the data: these are written out.
        byte[] zipped = new PickleWriter().Op('}').Text("w").Tensor("FloatStorage", "0", 8 << 20, 0, [8 << 20], [1]).Op('s').Stop();
        Expect(_folder.With("t.pth", TorchFiles.Zip(zipped, ("0", new byte[32 << 20]))), "1 key surplus: 'w'");

        void Expect(string path, string end)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            string message = Assert.Throws<BadInputException>(() => ModelFile.Load(path, "resnet20", Normalization.Cifar10)).Message;
            // The network to compare with takes 1 MB.
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 8_000_000);
            Assert.StartsWith($"{path}: does not fit resnet20: ", message, StringComparison.Ordinal);
            Assert.EndsWith(end, message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Ranges_measured_with_other_weights_are_refused()
    {
        string path = Save(RandomNetwork.Largest);
        string measuredWith = SafeTensors.Read(path).Metadata["weights"];
        Assert.Equal(ModelFile.WeightHash(RandomNetwork.Backbone), measuredWith);
        Rewrite(path, arrays: name => name == "linear.bias" ? values => values[9] += 1e-3f : null);
        string message = Refusal(path);
        Assert.StartsWith($"{path}: at metadata weights: expected the hash ", message, StringComparison.Ordinal);
        Assert.EndsWith($" of the weights in the file, found {measuredWith}", message, StringComparison.Ordinal);
        Rewrite(path, metadata: m => m.Remove("weights"));
        Assert.EndsWith(" of the weights in the file, found nothing", Refusal(path), StringComparison.Ordinal);

        // Where there are no ranges, the hash is compared all the same, and may be absent.
        path = Save(largest: null);
        Rewrite(path, arrays: name => name == "linear.bias" ? values => values[9] += 1e-3f : null);
        Assert.EndsWith($" of the weights in the file, found {measuredWith}", Refusal(path), StringComparison.Ordinal);
        Rewrite(path, metadata: m => m.Remove("weights"));
        Assert.Null(ModelFile.Load(path).Description.LargestInputs);
    }

    [Fact]
    public void Ranges_of_other_layers_are_refused()
    {
        string path = Save(RandomNetwork.Largest);
        Rewrite(path, metadata: m => m["largestInputs"] = """{"relu":1,"layer9.relu":2}""");
        Assert.Equal(
            $"{path}: at metadata largestInputs: expected one number for each of the 19 activations, found 18 keys missing: 'layer1.0.relu1', {string.Join(", ", RandomNetwork.Backbone.Activations.Skip(2).Select(a => $"'{a.Path}'"))}; 1 key surplus: 'layer9.relu'",
            Refusal(path));
        Rewrite(path, metadata: m => m["largestInputs"] = """{"relu":"wide"}""");
        Assert.Equal($"{path}: at metadata largestInputs: expected a JSON object of path: number, found {{\"relu\":\"wide\"}}", Refusal(path));
        Rewrite(path, metadata: m => m["largestInputs"] = """{"relu":1,"relu":2}""");
        Assert.Equal($"{path}: at metadata largestInputs: expected a JSON object of path: number, found {{\"relu\":1,\"relu\":2}}", Refusal(path));
        Rewrite(path, metadata: m => m["largestInputs"] = "none");
        Assert.Equal($"{path}: at metadata largestInputs: expected a JSON object of path: number, found none", Refusal(path));
    }

    /// <summary>All the texts of a file that a message may quote, each of a million characters in turn.</summary>
    [Theory]
    [InlineData("kind")]
    [InlineData("architecture")]
    [InlineData("normalizeMean")]
    [InlineData("normalizeDeviation")]
    [InlineData("activation")]
    [InlineData("largestInputs")]
    [InlineData("calibrationImages")]
    [InlineData("weights")]
    [InlineData("pannActivation")]
    [InlineData("pannRanges")]
    [InlineData("pannIdeal")]
    public void A_message_is_short_whatever_the_file_says(string field)
    {
        string path = _folder.At("m.safetensors"), endless = new('x', 1_000_000);
        ModelFile.Save(path, RandomNetwork.Backbone, new(
            "resnet20", Normalization.Cifar10, ActivationSpec.Parse("relu"), RandomNetwork.Largest, 24, new Dictionary<string, string>(), new(ActivationSpec.Parse("direct:8"), RandomNetwork.Largest)));
        foreach (string text in new[] { endless, $$"""{"{{endless}}":1}""" })
        {
            Rewrite(path, metadata: m => m[field] = text);
            string message = Refusal(path);
            Assert.StartsWith($"{path}: at metadata ", message, StringComparison.Ordinal);
            Assert.InRange(message.Length, 0, 4100);
        }
    }

    [Fact]
    public void A_PANN_is_held_with_its_shifts_and_nothing_else_is_taken_for_one()
    {
        ResNet model = RandomNetwork.Make(11);
        Activation place = model.Activations[3];
        model.Parameters.Get(Activation.ShiftOf(place.Path), new(place.Channels), trainable: false).Set([.. Enumerable.Range(0, place.Channels).Select(c => c / 7f)]);
        var ranges = model.Activations.Select((a, i) => (a.Path, Value: (i + 1) / 3.0)).ToDictionary(p => p.Path, p => p.Value);
        ModelDescription Description(string activation) => new("resnet20", Normalization.Cifar10, ActivationSpec.Parse("relu"), null, 0, new Dictionary<string, string>(), new(ActivationSpec.Parse(activation), ranges));
        string path = _folder.At("m.safetensors");
        ModelFile.Save(path, model, Description("direct:8"));
        (ResNet read, ModelDescription said) = ModelFile.Load(path);
        Assert.Equal(("direct:8", ModelFile.WeightHash(model)), (said.Pann!.Activation.ToString(), ModelFile.WeightHash(read)));
        Assert.Equal(ranges, said.Pann.Ranges);
        Assert.Equal(model.Parameters.Find("layer1.1.relu1.shift")!.Values.ToArray(), read.Parameters.Find("layer1.1.relu1.shift")!.Values.ToArray());

        Rewrite(path, arrays: name => name == "layer1.1.relu1.shift" ? values => values[2] += 1 : null);
        Assert.StartsWith($"{path}: at metadata weights: expected the hash ", Refusal(path), StringComparison.Ordinal);
        ModelFile.Save(path, model, Description("direct:8"));
        Rewrite(path, metadata: m => m["pannActivation"] = "file:poly.json");
        Assert.Equal($"{path}: at metadata pannActivation: expected a polynomial that is generated from its text alone, found file:poly.json", Refusal(path));
        Rewrite(path, metadata: m => (m["pannActivation"], m["pannRanges"]) = ("direct:8", """{"relu":1}"""));
        Assert.Equal($"{path}: at metadata pannRanges: expected one number for each of the 19 activations, found 18 keys missing: {string.Join(", ", model.Activations.Skip(1).Select(a => $"'{a.Path}'"))}", Refusal(path));
        Rewrite(path, metadata: m => m.Remove("pannRanges"));
        Assert.Equal($"{path}: at metadata pannRanges: expected the ranges of direct:8, found nothing", Refusal(path));
        Rewrite(path, metadata: m => m.Remove("pannActivation"));
        Assert.Equal($"{path}: does not fit resnet20: 1 key surplus: 'layer1.1.relu1.shift'", Refusal(path));

        string never = _folder.At("never.safetensors");
        Assert.Equal(
            $"{never}: at pannActivation: expected a polynomial that is generated from its text alone, found relu",
            Assert.Throws<BadInputException>(() => ModelFile.Save(never, model, Description("relu"))).Message);
        Assert.Equal(
            $"{never}: at layer1.1.relu1.shift: expected the polynomial and the ranges it belongs to, found none",
            Assert.Throws<BadInputException>(() => ModelFile.Save(never, model, Description("direct:8") with { Pann = null })).Message);
        Assert.False(File.Exists(never));
    }

    [Fact]
    public void A_checkpoint_s_weights_arrive_under_their_names()
    {
        string path = _folder.With("c.th", Checkpoint(RandomNetwork.Backbone));
        (ResNet model, ModelDescription said) = ModelFile.Load(path, "resnet20", Normalization.ImageNet);
        foreach ((Parameter a, Parameter b) in RandomNetwork.Backbone.Parameters.All.Zip(model.Parameters.All)) Assert.True(a.Values.SequenceEqual(b.Values), a.Name);
        Assert.Equal((null, Normalization.ImageNet, "resnet20"), (said.LargestInputs, said.Normalization, said.Architecture));
        Assert.Equal($"{path}: does not say its architecture; give --arch, one of resnet20, resnet32, resnet44, resnet56, resnet110", Refusal(path));
    }

    [Fact]
    public void The_weight_hash_changes_with_every_value()
    {
        ResNet model = RandomNetwork.Make(4);
        var hashes = new HashSet<string> { ModelFile.WeightHash(model) };
        foreach (Parameter parameter in model.Parameters.All)
        {
            parameter.Update(values => values[^1] = BitConverter.Int32BitsToSingle(BitConverter.SingleToInt32Bits(values[^1]) ^ 1));
            Assert.True(hashes.Add(ModelFile.WeightHash(model)), parameter.Name);
        }
    }

    /// <summary>The weights as a training script saves them: a state dictionary in a zip, names with the prefix of a parallel module.</summary>
    internal static byte[] Checkpoint(ResNet model, Func<string, float[], float[]>? change = null)
    {
        PickleWriter pickle = new PickleWriter().EmptyOrderedDict().Op('(');
        var storages = new List<(string, byte[])>();
        foreach (Parameter parameter in model.Parameters.All)
        {
            long[] shape = [.. parameter.Shape.ToArray().Select(d => (long)d)], stride = new long[shape.Length];
            for (int i = shape.Length - 1, step = 1; i >= 0; step *= (int)shape[i--]) stride[i] = step;
            float[] values = change?.Invoke(parameter.Name, parameter.Values.ToArray()) ?? parameter.Values.ToArray();
            pickle.Text($"module.{parameter.Name}").Tensor("FloatStorage", $"{storages.Count}", values.Length, 0, shape, stride);
            storages.Add(($"{storages.Count}", MemoryMarshal.AsBytes(values.AsSpan()).ToArray()));
        }
        return TorchFiles.Zip(pickle.Op('u').Stop(), [.. storages]);
    }

    private string Save(IReadOnlyDictionary<string, double>? largest)
    {
        string path = _folder.At("m.safetensors");
        ModelFile.Save(path, RandomNetwork.Backbone, new("resnet20", Normalization.Cifar10, ActivationSpec.Parse("relu"), largest, 24, new Dictionary<string, string>()));
        return path;
    }

    private static void Rewrite(string path, Action<Dictionary<string, string>>? metadata = null, Func<string, Action<float[]>?>? arrays = null)
    {
        SafeTensorsFile file = SafeTensors.Read(path);
        var texts = new Dictionary<string, string>(file.Metadata);
        metadata?.Invoke(texts);
        SafeTensors.Write(path, [.. file.Tensors.Values.Select(t =>
        {
            float[] values = t.ToSingle();
            arrays?.Invoke(t.Name)?.Invoke(values);
            return new NamedArray(t.Name, t.Shape, values);
        })], texts);
    }

    private static string Refusal(string path, string? architecture = null)
        => Assert.Throws<BadInputException>(() => ModelFile.Load(path, architecture)).Message;
}
