using PannCore.Approximation;
using PannCore.Checkpoints;
using PannCore.Nn;
using PannCore.Tests.Checkpoints;
using PannCore.Tests.Diagnostics;
using Xunit;

namespace PannCore.Tests.Cli;

/// <summary>Whatever is wrong with what the user gives: code 1, one plain line on standard error, nothing on standard output, no file written.</summary>
public sealed class BadInputTests(CliFiles files) : IClassFixture<CliFiles>
{
    private const string KnownSpecs = "known: relu, leaky:A, composite:alpha=N, composite:D,D,..., direct:N, taylor:N, lsq:N, chebyshev:N, interpolation:N, hermite:N, square, quadratic, file:PATH";

    [Fact]
    public void No_data()
    {
        string empty = Directory.CreateDirectory(files.At("empty")).FullName;
        string looked = $"looked in {empty}: expected the official binary files, cifar-10-binary.tar.gz or cifar-10-sample.bin, found none; get the data with: pann data fetch";
        Fails($"CIFAR-10 named by --data: {looked}", "eval", "--model", files.Model, "--data", empty);
        using PannProcess process = PannProcess.Start(files.Root, ["inspect", "--model", files.Model], new Dictionary<string, string> { ["PANN_DATA"] = empty });
        Assert.Equal(new Outcome(1, "", $"error: CIFAR-10 named by PANN_DATA: {looked}\n"), process.Wait());
    }

    [Fact]
    public void A_truncated_batch()
    {
        string file = files.With("short.bin", File.ReadAllBytes(files.Images)[..5000]);
        Fails("short.bin: at byte 3073: expected a record of 3073 bytes, found 1927 bytes", "eval", "--model", files.Model, "--data", file);
    }

    [Fact]
    public void A_label_that_is_no_class()
    {
        byte[] bytes = File.ReadAllBytes(files.Images);
        bytes[3073] = 10;
        Fails("label.bin: at byte 3073: expected a label 0..9, found 10", "inspect", "--model", files.Model, "--data", files.With("label.bin", bytes), "--json", files.At("never.json"));
    }

    [Fact]
    public void No_model() => Fails($"{files.At("none.safetensors")}: there is no such file", "eval", "--model", files.At("none.safetensors"));

    [Fact]
    public void Weights_that_are_no_numbers_in_a_model()
    {
        string file = files.At("nan.safetensors");
        SafeTensorsFile good = SafeTensors.Read(files.Model);
        SafeTensors.Write(file, [.. good.Tensors.Values.Select(t =>
        {
            float[] values = t.ToSingle();
            if (t.Name == "layer1.0.conv1.weight") values[5] = float.NaN;
            return new NamedArray(t.Name, t.Shape, values);
        })], good.Metadata);
        Fails($"{file}: at key layer1.0.conv1.weight, element 5: expected a finite number, found NaN", "eval", "--model", file, "--data", files.Images);
    }

    [Fact]
    public void Weights_that_are_no_numbers_in_a_checkpoint()
    {
        string file = files.With("nan.th", ModelFileTests.Checkpoint(RandomNetwork.Backbone, (name, values) =>
        {
            if (name == "bn1.bias") values[3] = float.NegativeInfinity;
            return values;
        }));
        Fails($"{file}: at key bn1.bias, element 3: expected a finite number, found -Infinity", "eval", "--model", file, "--arch", "resnet20", "--data", files.Images);
    }

    [Fact]
    public void An_ideal_that_sees_other_pixels()
    {
        string other = files.At("pixels.safetensors");
        ModelFile.Save(other, RandomNetwork.Backbone, new("resnet20", PannCore.Data.Normalization.ImageNet, ActivationSpec.Parse("relu"), null, 0, new Dictionary<string, string>()));
        Fails(
            $"{other}: at normalisation: expected cifar10, as {files.Model} has it, because both see the same pixels, found imagenet",
            "inspect", "--model", files.Model, "--data", files.Images, "--ideal", $"model:{other}", "--quick");
    }

    /// <summary>Where an option says nothing, a network with a slope below 0 is taken with it, as ideal network and in its polynomials.</summary>
    [Fact]
    public void A_leaky_network_keeps_its_slope()
    {
        string leaky = files.At("leaky.safetensors");
        ResNet network = RandomNetwork.Backbone.With(_ => new ActivationFunction.Relu(0.25f));
        ModelFile.Save(leaky, network, new("resnet20", PannCore.Data.Normalization.Cifar10, ActivationSpec.Parse("leaky:0.25"), RandomNetwork.Largest, 24, new Dictionary<string, string>()));
        Assert.StartsWith("leaky.safetensors, leaky:0.25: ", PannProcess.Run(files.Root, "eval", "--model", leaky, "--data", files.Images).Out, StringComparison.Ordinal);
        Outcome inspected = PannProcess.Run(files.Root, "inspect", "--model", leaky, "--data", files.Images, "--images", "2", "--quick", "--ranges", "layer", "--out", files.At("leaky.html"));
        Assert.Equal((0, ""), (inspected.Code, inspected.Error));
        Assert.Contains("\ncomposite:alpha=8,leak=0.25 with a range of its own for each layer", inspected.Out, StringComparison.Ordinal);
        Assert.Contains("--activation leaky:0.25 ", inspected.Out.Split('\n').Single(line => line.StartsWith("Try next", StringComparison.Ordinal)), StringComparison.Ordinal);
        Fails(
            $"ranges 'layer': {leaky} holds the ranges of leaky:0.25, composite:alpha=8 has another leak; give it that leak, or --calibrate N",
            "eval", "--model", leaky, "--data", files.Images, "--activation", "composite:alpha=8");
        string[] few = ["--model", leaky, "--data", files.Images, "--images", "5", "--held-out", "3", "--out"];
        foreach (string verb in (string[])["repair", "refit"])
        {
            Fails($"--activation: expected a polynomial for leaky:0.25, which {leaky} was trained with, found composite:alpha=8", [verb, .. few, "no.safetensors", "--ranges", "global:50", "--activation", "composite:alpha=8"]);
            string mended = files.At($"leaky-{verb}.safetensors");
            Outcome outcome = PannProcess.Run(files.Root, [verb, .. few, mended]);
            Assert.Equal((0, ""), (outcome.Code, outcome.Error));
            Assert.Equal(0.25, ModelFile.Load(mended).Description.Pann!.Activation.Leak);
            if (verb == "refit") Assert.Contains(" % with leaky:0.25, ", outcome.Out, StringComparison.Ordinal);
        }
        Outcome equalised = PannProcess.Run(files.Root, "equalise", "--model", leaky, "--data", files.Images, "--out", files.At("leaky-equalised.safetensors"));
        Assert.Contains("--activation composite:alpha=7,leak=0.25 ", equalised.Out, StringComparison.Ordinal);
        foreach (string[] recipe in new string[][] { [], ["--recipe", "decay-1e-5"] })
            Fails($"--leak: expected the slope to train {leaky} with, which was trained with 0.25, found none", ["train", "--init", leaky, .. recipe, "--data", files.Images, "--out", files.At("trained.safetensors")]);
    }

    [Fact]
    public void A_network_to_go_on_from_that_sees_other_pixels_or_has_polynomials()
    {
        string pixels = files.At("other-pixels.safetensors"), trained = files.At("polynomials.safetensors");
        ModelFile.Save(pixels, RandomNetwork.Backbone, new("resnet20", PannCore.Data.Normalization.ImageNet, ActivationSpec.Parse("relu"), null, 0, new Dictionary<string, string>()));
        Fails($"{pixels}: at normalisation: expected cifar10, as training has it, found imagenet", "train", "--init", pixels, "--data", files.Images, "--out", files.At("trained.safetensors"));
        ModelFile.Save(
            trained, RandomNetwork.Backbone,
            new("resnet20", PannCore.Data.Normalization.Cifar10, ActivationSpec.Parse("relu"), null, 0, new Dictionary<string, string>(), new StoredPann(ActivationSpec.Parse("direct:4"), RandomNetwork.Largest, StandsForItself: true)));
        Fails(
            $"{trained}: was trained with or fitted to direct:4: with ReLUs its weights make no network; give --activation, or the model as it was before that",
            "train", "--init", trained, "--data", files.Images, "--out", files.At("trained.safetensors"));
    }

    [Theory]
    [InlineData("eval --ranges global", "--ranges: expected a polynomial, whose ranges it is about, found none")]
    [InlineData("inspect --activation relu --margin 2", "--margin: expected a polynomial, whose ranges it is about, found none")]
    [InlineData("sweep --ranges global:5 --margin 2", "--margin: expected ranges layer or global, which are measured, found global:5, which are taken as they are")]
    [InlineData("advise --ranges global:5 --calibrate 10", "--calibrate: expected ranges layer or global, which are measured, found global:5, which are taken as they are")]
    [InlineData("eval --seed 5", "--seed: expected --arithmetic fixed:F,L,stochastic, which draws random numbers, found float32")]
    [InlineData("perturb --form plus --activation direct:4", "--activation: expected --form own, own-reversed or own-random-sign, whose polynomial it is, found none of them")]
    [InlineData("perturb --form plus --measure 10", "--measure: expected --unit rms or energy, which layers are measured for, found absolute")]
    [InlineData("perturb --form plus --seed 3", "--seed: expected --form uniform or own-random-sign, which draw random numbers, found neither")]
    public void An_option_that_would_do_nothing(string line, string error)
        => Fails($"{error}; without that this option does nothing", [.. line.Split(' '), "--model", files.Model, "--data", files.Images]);

    [Fact]
    public void What_is_read_is_not_written_over_though_it_is_not_named()
    {
        string bundled = files.At("data/models/resnet20.safetensors"), official = files.At("test_batch.bin");
        Directory.CreateDirectory(files.At("data/models"));
        File.Copy(files.Model, bundled);
        File.Copy(files.Images, official);
        Fails($"{bundled}: expected a file of its own for each result, found a file that this command also reads or writes", "equalise", "--data", files.Images, "--out", bundled);
        Fails($"{official}: expected a file of its own for each result, found an official file of CIFAR-10", "data", "sample", "--out", official);
        File.Delete(bundled);
        File.Delete(official);
    }

    [Fact]
    public void A_margin_that_makes_no_range()
        => Fails(FormattableString.Invariant($"ranges 'layer', 1E+40 times what was measured: at key relu: expected a positive number, found {1e40 * RandomNetwork.Largest["relu"]}"), "eval", "--model", files.Model, "--data", files.Images, "--activation", "direct:4", "--margin", "1e40");

    [Fact]
    public void The_price_of_a_checkpoint()
        => Fails($"{files.Checkpoint}: expected a model written by pann train (.safetensors); a price does not depend on weights, so give a checkpoint's --arch alone", "cost", files.Checkpoint);

    [Fact]
    public void A_checkpoint_of_another_architecture_lists_what_is_missing()
    {
        var needed = new ResNet(32).Parameters.All.Select(p => p.Name).Except(RandomNetwork.Backbone.Parameters.All.Select(p => p.Name)).ToArray();
        Assert.Equal(60, needed.Length);
        string first = string.Join(", ", needed.Take(20).Select(name => $"'{name}'"));
        Assert.Contains("'layer1.3.conv1.weight', 'layer1.3.bn1.weight'", first, StringComparison.Ordinal);
        Fails($"{files.Checkpoint}: does not fit resnet32: 60 keys missing: {first} and 40 more", "eval", "--model", files.Checkpoint, "--arch", "resnet32");
    }

    [Fact]
    public void A_checkpoint_that_does_not_say_its_architecture()
        => Fails($"{files.Checkpoint}: does not say its architecture; give --arch, one of resnet20, resnet32, resnet44, resnet56, resnet110", "eval", "--model", files.Checkpoint);

    [Fact]
    public void An_architecture_and_a_normalisation_that_do_not_exist()
    {
        Fails("architecture 'resnet21': unknown; known: resnet20, resnet32, resnet44, resnet56, resnet110", "eval", "--model", files.Checkpoint, "--arch", "resnet21");
        Fails("normalisation 'mnist': unknown; known: cifar10, imagenet", "eval", "--model", files.Checkpoint, "--arch", "resnet20", "--normalize", "mnist");
    }

    [Fact]
    public void A_pickle_that_calls_the_system_executes_nothing()
    {
        byte[] pickle = new PickleWriter().Global("os", "system").Text($"touch {files.At("proof")}").Raw(0x85).Op('R').Stop();
        string file = files.With("attack.th", TorchFiles.Zip(pickle));
        Fails(
            $"{file} ('net/data.pkl'): at byte 2: refuses global 'os.system': a state dict needs tensors and dictionaries only, and nothing is executed",
            "eval", "--model", file, "--arch", "resnet20");
        Assert.False(File.Exists(files.At("proof")));
    }

    [Fact]
    public void A_zip_whose_names_lead_outside()
    {
        string file = files.With("zip.pt", TorchFiles.ZipOf(new("net/data.pkl", new PickleWriter().Op('}').Stop()), new("../evil", [1])));
        Fails($"{file}: at entry '../evil': expected a name inside the archive, found a path that leaves it", "eval", "--model", file, "--arch", "resnet20");
        Assert.False(File.Exists(Path.Combine(files.Root, "..", "evil")));
    }

    [Fact]
    public void A_header_of_2_to_the_60_bytes()
    {
        string file = files.With("huge.safetensors", [.. BitConverter.GetBytes(1L << 60), .. "{}      "u8]);
        Fails($"{file}: at byte 0: expected a header of at most the 8 bytes that follow, found a length of 1152921504606846976", "eval", "--model", file);
    }

    [Fact]
    public void Arrays_that_overlap()
    {
        byte[] header = """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"""u8.ToArray();
        string file = files.With("overlap.safetensors", [.. BitConverter.GetBytes((long)header.Length), .. header, .. new byte[12]]);
        Fails($"{file}: at tensor 'b': expected data from byte 8, where tensor 'a' ends, found an overlap (data_offsets [4,12])", "inspect", "--model", file);
    }

    [Fact]
    public void Ranges_of_other_weights()
    {
        string file = files.At("other.safetensors");
        SafeTensorsFile good = SafeTensors.Read(files.Model);
        SafeTensors.Write(file, [.. good.Tensors.Values.Select(t => t.Name == "bn1.bias" ? new NamedArray(t.Name, t.Shape, [.. Enumerable.Repeat(1f, 16)]) : t)], good.Metadata);
        ResNet changed = RandomNetwork.Make(1);
        changed.Parameters.All.Single(p => p.Name == "bn1.bias").Update(values => values.Fill(1));
        Fails(
            $"{file}: at metadata weights: expected the hash {ModelFile.WeightHash(changed)} of the weights in the file, found {good.Metadata["weights"]}",
            "eval", "--model", file, "--data", files.Images);
    }

    [Fact]
    public void Ranges_of_other_layers()
    {
        string file = files.At("layers.safetensors");
        SafeTensorsFile good = SafeTensors.Read(files.Model);
        SafeTensors.Write(file, [.. good.Tensors.Values], new Dictionary<string, string>(good.Metadata) { ["largestInputs"] = """{"relu":1}""" });
        Fails($"{file}: at metadata largestInputs: expected one number for each of the 19 activations, found 18 keys missing: {string.Join(", ", RandomNetwork.Backbone.Activations.Skip(1).Select(a => $"'{a.Path}'"))}", "eval", "--model", file);
    }

    [Theory]
    [InlineData("compsite:8", "unknown kind 'compsite'")]
    [InlineData("composite:alpha=40", "alpha '40' is not a whole number from 4 to 14 (double certifies degrees with a product of at most 32768: a maximum error of about 2^-15)")]
    public void An_activation_that_does_not_exist(string spec, string reason)
    {
        Fails($"activation '{spec}': {reason}; {KnownSpecs}", "eval", "--activation", spec, "--model", files.Model, "--data", files.Images);
        Assert.Equal($"activation '{spec}': {reason}; {KnownSpecs}", Assert.Throws<BadInputException>(() => ActivationSpec.Parse(spec)).Message);
    }

    [Theory]
    [InlineData("nonsense", "ranges 'nonsense': unknown; known: layer, global, global:B, file:PATH")]
    [InlineData("file:zero.json", "zero.json: at key layer3.2.relu2: expected a positive number, found 0")]
    [InlineData("file:missing.json", "missing.json: expected a range for each of the 19 activations, found 18; missing: layer3.2.relu2")]
    [InlineData("file:text.json", "text.json: at line 1: expected JSON, found something else")]
    [InlineData("file:", ": cannot be read: The value cannot be an empty string. (Parameter 'path')")]
    public void Ranges_that_are_none(string ranges, string message)
    {
        string[] paths = [.. RandomNetwork.Backbone.Activations.Select(a => a.Path)];
        files.With("zero.json", $"{{{string.Join(',', paths.Select(path => $"\"{path}\":{(path == "layer3.2.relu2" ? 0 : 9)}"))}}}");
        files.With("missing.json", $"{{{string.Join(',', paths[..^1].Select(path => $"\"{path}\":9"))}}}");
        files.With("text.json", "relu: 9");
        Fails(message, "eval", "--activation", "direct:4", "--ranges", ranges, "--model", files.Model, "--data", files.Images);
    }

    [Fact]
    public void A_range_file_that_is_not_there()
        => Assert.Equal(new Outcome(1, "", "error: none.json: there is no such file\n"), PannProcess.Run(files.Root, "inspect", "--ranges", "file:none.json", "--model", files.Model, "--data", files.Images));

    [Fact]
    public void Test_images_are_never_calibrated_on()
        => Fails(
            $"--calibrate: expected the official training files, found {RandomNetwork.SamplePath}; test images are never calibrated on; get the data with: pann data fetch",
            "eval", "--activation", "direct:4", "--calibrate", "100", "--model", files.Model, "--data", RandomNetwork.SamplePath);

    [Fact]
    public void Test_images_are_never_trained_on()
        => Fails(
            "cifar-10-sample.bin: expected training images, found test images; get the full set with: pann data fetch",
            "train", "--epochs", "1", "--out", files.At("m.safetensors"), "--data", RandomNetwork.SamplePath);

    [Fact]
    public void Results_that_cannot_be_written_are_refused_before_the_work()
    {
        string nowhere = files.At("no/result.json"), refusal = $"{nowhere}: cannot be written: there is no folder {files.At("no")}";
        Fails(refusal, "eval", "--model", files.Model, "--data", files.Images, "--json", nowhere);
        Fails(refusal, "inspect", "--model", files.Model, "--data", files.Images, "--out", nowhere);
        Fails(refusal, "inspect", "--model", files.Model, "--data", files.Images, "--json", nowhere);
        Fails($"{files.Root}: cannot be written: it is a folder", "inspect", "--model", files.Model, "--data", files.Images, "--out", files.Root);
        string model = files.At("no/m.safetensors");
        Fails($"{model}: cannot be written: there is no folder {files.At("no")}", "train", "--epochs", "1", "--out", model, "--data", files.Images);
    }

    [Fact]
    public void A_training_that_is_not_there_cannot_be_continued()
    {
        string model = files.At("m.safetensors");
        Fails($"{model}.state: there is no such file", "train", "--epochs", "1", "--batch", "4", "--validation", "0", "--out", model, "--data", files.Images, "--resume");
        Fails("recipe: batch: expected at most the 8 training images, found 128", "train", "--epochs", "1", "--validation", "0", "--out", model, "--data", files.Images);
    }

    private void Fails(string message, params string[] arguments)
    {
        string[] before = files.Listing;
        Assert.Equal(new Outcome(1, "", $"error: {message}\n"), PannProcess.Run(files.Root, arguments));
        Assert.Equal(before, files.Listing);
    }
}
