using System.Text.Json;
using PannCore.Approximation;
using PannCore.Checkpoints;
using PannCore.Data;
using PannCore.Tests.Diagnostics;
using Xunit;

namespace PannCore.Tests.Cli;

/// <summary>Training with polynomials in the place of the ReLUs, and what is done with the model afterwards.</summary>
public sealed class InTheLoopTests(CliFiles files) : IClassFixture<CliFiles>
{
    [Fact]
    public void A_network_trained_with_its_polynomials_stands_for_itself()
    {
        string[] common = ["train", "--data", files.Images, "--epochs", "1", "--batch", "4", "--validation", "0", "--learning-rate", "0.001", "--warmup", "0", "--seed", "3"];
        Outcome trained = PannProcess.Run(files.Root, [.. common, "--init", files.Model, "--activation", "direct:4", "--penalty", "0.3", "--out", "loop.safetensors"]);
        Assert.Equal((0, ""), (trained.Code, trained.Error));
        (_, ModelDescription said) = ModelFile.Load(files.At("loop.safetensors"));
        Assert.Equal(ActivationSpec.Parse("direct:4"), said.Pann!.Activation);
        Assert.True(said.Pann.StandsForItself);
        Assert.Null(said.LargestInputs);
        // The ranges of the model that training began from, with the margin of training.
        Assert.All(RandomNetwork.Largest, pair => Assert.Equal(1.2 * pair.Value, said.Pann.Ranges[pair.Key], 1e-12 * pair.Value));
        Assert.Equal(
            "pann train --arch resnet20 --epochs 1 --batch 4 --learning-rate 0.001 --warmup 0 --weight-decay 0.0005 --init model.safetensors --activation direct:4 --ranges layer --margin 1.2 --penalty 0.3 --penalty-from 0.9 --max-gradient-norm 2 --validation 0 --seed 3 --convolution winograd4 --out model.safetensors",
            said.Notes["command"]);

        // Everything takes polynomial, ranges and ideal from the file.
        Assert.Equal(0, PannProcess.Run(files.Root, "inspect", "--model", "loop.safetensors", "--data", files.Images, "--json", "loop.json", "--quick").Code);
        using (var document = JsonDocument.Parse(File.ReadAllBytes(files.At("loop.json"))))
        {
            JsonElement root = document.RootElement;
            Assert.Equal(("direct:4", "stored", "self"), (root.GetProperty("activation").GetString(), root.GetProperty("ranges").GetString(), root.GetProperty("ideal").GetString()));
            Assert.Equal(root.GetProperty("idealAccuracy").GetDouble(), root.GetProperty("pannAccuracy").GetDouble());
        }
        Outcome refused = PannProcess.Run(files.Root, "eval", "--model", "loop.safetensors", "--data", files.Images, "--activation", "direct:8");
        Assert.Equal((1, "error: loop.safetensors: was trained with or fitted to direct:4 over ranges of its own, which it holds; found direct:8 over ranges 'stored'; give the model as it was before that\n"), (refused.Code, refused.Error));

        // Further training begins from these weights, over the same ranges.
        Assert.Equal(0, PannProcess.Run(files.Root, [.. common, "--init", "loop.safetensors", "--activation", "direct:4", "--ranges", "stored", "--out", "more.safetensors"]).Code);
        Assert.Equal(said.Pann.Ranges, ModelFile.Load(files.At("more.safetensors")).Description.Pann!.Ranges);

        // With ReLUs, which its weights do not suit, it is neither perturbed nor an ideal; and a repair is not trained on.
        Assert.Equal("error: loop.safetensors: was trained with or fitted to direct:4, and what is perturbed here are ReLUs; give the model as it was before that\n", PannProcess.Run(files.Root, "perturb", "--model", "loop.safetensors", "--data", files.Images, "--form", "plus").Error);
        Assert.Equal("error: loop.safetensors: was trained with or fitted to direct:4: with ReLUs, as an ideal has them, its weights make no network\n", PannProcess.Run(files.Root, "inspect", "--model", files.Model, "--data", files.Images, "--ideal", "model:loop.safetensors", "--quick").Error);
        (PannCore.Nn.ResNet weights, ModelDescription loop) = ModelFile.Load(files.At("loop.safetensors"));
        ModelFile.Save(files.At("repaired.safetensors"), weights, loop with { Pann = loop.Pann! with { StandsForItself = false } });
        Assert.Equal("error: repaired.safetensors: was repaired for direct:4, which training would drop; give the model as it was before that\n", PannProcess.Run(files.Root, [.. common, "--init", "repaired.safetensors", "--out", "none.safetensors"]).Error);
        Assert.Equal("error: --noise-side: expected --noise, or a recipe with noise, found neither; without it this option does nothing\n", PannProcess.Run(files.Root, [.. common, "--noise-side", "both", "--out", "none.safetensors"]).Error);
        Assert.Equal("error: recipe: polynomial: expected one without leak, because the network that is left has ReLUs, found direct:4,leak=0.1\n", PannProcess.Run(files.Root, [.. common, "--activation", "direct:4,leak=0.1", "--ranges", "global:9", "--share", "random", "--out", "none.safetensors"]).Error);

        // They are taken as they are, and must be there.
        string[] stored = [.. common, "--activation", "direct:4", "--ranges", "stored", "--out", "none.safetensors"];
        Assert.Equal("error: --margin: expected ranges layer or global, which it is a factor on; found stored, which are taken as they are\n", PannProcess.Run(files.Root, [.. stored, "--init", "loop.safetensors", "--margin", "1.1"]).Error);
        Assert.Equal($"error: --ranges stored: expected --init with a model that holds ranges of its own; found {files.Model}\n", PannProcess.Run(files.Root, [.. stored, "--init", files.Model]).Error);
        Assert.Equal("error: --ranges stored: expected --init with a model that holds ranges of its own; found no --init\n", PannProcess.Run(files.Root, stored).Error);
    }

    /// <summary>One pass at rate 0, without what the recipe does in training only; nothing but batch-norm's running statistics moves.</summary>
    [Theory]
    [InlineData("leak-dropped-0.1", "")]
    [InlineData("noise-rms-0.1", "")]
    [InlineData("minimal-mixup", "")]
    [InlineData("crest-4-0.01", "")]
    [InlineData("decay-conv", " --decay-on convolutions")]
    public void Batch_norm_alone_is_taken_anew(string recipe, string kept)
    {
        Outcome taken = PannProcess.Run(files.Root, "train", "--data", files.Images, "--batch", "4", "--validation", "0", "--seed", "3", "--init", files.Model, "--recipe", recipe, "--tune", "batch-norm", "--out", $"{recipe}.safetensors");
        Assert.Equal((0, ""), (taken.Code, taken.Error));
        (PannCore.Nn.ResNet before, _) = ModelFile.Load(files.Model);
        (PannCore.Nn.ResNet after, ModelDescription said) = ModelFile.Load(files.At($"{recipe}.safetensors"));
        string decay = recipe == "minimal-mixup" ? "1E-05" : "0.0005";
        Assert.Equal(
            $"pann train --arch resnet20 --epochs 1 --batch 4 --learning-rate 0 --warmup 1 --weight-decay {decay}{kept} --init model.safetensors --max-gradient-norm 2 --validation 0 --seed 3 --convolution winograd4 --out model.safetensors",
            said.Notes["command"]);
        Assert.All(before.Parameters.All.Zip(after.Parameters.All), pair => Assert.Equal(pair.First.Trainable, pair.First.Values.SequenceEqual(pair.Second.Values)));
    }

    /// <summary>It has passes and a rate of its own, and begins from a network that holds its ranges.</summary>
    [Fact]
    public void A_last_stage_goes_on_from_the_way_before_it()
    {
        string[] common = ["train", "--data", files.Images, "--batch", "4", "--validation", "0", "--seed", "3"];
        Assert.Equal(0, PannProcess.Run(files.Root, [.. common, "--epochs", "1", "--warmup", "0", "--init", files.Model, "--tune", "direct-2-firm", "--out", "firm.safetensors"]).Code);
        Assert.Equal(0, PannProcess.Run(files.Root, [.. common, "--init", "firm.safetensors", "--tune", "direct-2-inward", "--out", "inward.safetensors"]).Code);
        (_, ModelDescription said) = ModelFile.Load(files.At("inward.safetensors"));
        Assert.Equal(
            "pann train --arch resnet20 --epochs 10 --batch 4 --learning-rate 0.01 --warmup 1 --weight-decay 0.0005 --init firm.safetensors --activation direct:2 --ranges stored --penalty 10 --penalty-from 0.6 --max-gradient-norm 2 --validation 0 --seed 3 --convolution winograd4 --out model.safetensors",
            said.Notes["command"]);
        (PannCore.Nn.ResNet firm, ModelDescription before) = ModelFile.Load(files.At("firm.safetensors"));
        Assert.Equal(before.Pann!.Ranges, said.Pann!.Ranges);
        Assert.Equal(ModelFile.WeightHash(firm), said.Notes["initialWeights"]);
        Assert.Equal(0, PannProcess.Run(files.Root, [.. common, "--init", files.Model, "--tune", "relu-last", "--epochs", "1", "--learning-rate", "0.002", "--out", "last.safetensors"]).Code);
        Assert.Contains(" --epochs 1 --batch 4 --learning-rate 0.002 ", ModelFile.Load(files.At("last.safetensors")).Description.Notes["command"], StringComparison.Ordinal);
        Assert.Equal(
            $"error: --ranges stored: expected --init with a model that holds ranges of its own, such as direct-2-firm leaves; found {files.Model}\n",
            PannProcess.Run(files.Root, [.. common, "--init", files.Model, "--tune", "direct-2-inward", "--out", "none.safetensors"]).Error);
    }

    /// <summary>A teacher is named in the command and by its weights, must be a network with ReLUs, and the last stage asks for the same.</summary>
    [Fact]
    public void A_network_learns_from_a_teacher()
    {
        string[] common = ["train", "--data", files.Images, "--batch", "4", "--validation", "0", "--seed", "3", "--epochs", "1", "--warmup", "0"];
        // By default it is the network that training begins from.
        Assert.Equal(0, PannProcess.Run(files.Root, [.. common, "--init", files.Model, "--tune", "direct-2-distilled", "--out", "taught.safetensors"]).Code);
        (PannCore.Nn.ResNet taught, ModelDescription said) = ModelFile.Load(files.At("taught.safetensors"));
        Assert.Equal(
            "pann train --arch resnet20 --epochs 1 --batch 4 --learning-rate 0.05 --warmup 0 --weight-decay 0.0005 --init model.safetensors --activation direct:2 --ranges layer --margin 0.35 --penalty 10 --penalty-from 0.7 --penalty-rises --max-gradient-norm 2 --teacher model.safetensors --distil 0.9 --temperature 4 --validation 0 --seed 3 --convolution winograd4 --out model.safetensors",
            said.Notes["command"]);
        Assert.Equal(ModelFile.WeightHash(RandomNetwork.Backbone), said.Notes["teacherWeights"]);

        // The same settings one by one, and others.
        string[] byHand = [.. common, "--learning-rate", "0.05", "--init", files.Model, "--activation", "direct:2", "--margin", "0.35", "--penalty", "10", "--penalty-from", "0.7", "--penalty-rises", "--teacher", files.Model];
        Assert.Equal(0, PannProcess.Run(files.Root, [.. byHand, "--out", "same.safetensors"]).Code);
        Assert.Equal(ModelFile.WeightHash(taught), ModelFile.WeightHash(ModelFile.Load(files.At("same.safetensors")).Model));
        Assert.Equal(0, PannProcess.Run(files.Root, [.. byHand, "--distil", "0.5", "--temperature", "2", "--out", "other.safetensors"]).Code);
        (PannCore.Nn.ResNet other, ModelDescription othersaid) = ModelFile.Load(files.At("other.safetensors"));
        Assert.NotEqual(ModelFile.WeightHash(taught), ModelFile.WeightHash(other));
        Assert.Contains(" --distil 0.5 --temperature 2 ", othersaid.Notes["command"], StringComparison.Ordinal);

        Assert.Equal(0, PannProcess.Run(files.Root, [.. common, "--init", "taught.safetensors", "--tune", "direct-2-distilled-inward", "--teacher", files.Model, "--out", "inward.safetensors"]).Code);
        IReadOnlyDictionary<string, string> last = ModelFile.Load(files.At("inward.safetensors")).Description.Notes;
        Assert.Contains(" --init taught.safetensors --activation direct:2 --ranges stored --penalty 40 --penalty-from 0.6 --max-gradient-norm 2 --teacher model.safetensors --distil 0.9 --temperature 4 ", last["command"], StringComparison.Ordinal);
        Assert.Equal((ModelFile.WeightHash(taught), said.Notes["teacherWeights"]), (last["initialWeights"], last["teacherWeights"]));

        string Refused(params string[] options) => PannProcess.Run(files.Root, [.. common, .. options, "--out", "none.safetensors"]).Error;
        Assert.Equal("error: taught.safetensors: at teacher: expected a network with ReLUs, found one that was trained with or fitted to direct:2\n", Refused("--teacher", "taught.safetensors"));
        ModelFile.Save(files.At("leaky.safetensors"), RandomNetwork.Backbone.With(_ => new PannCore.Nn.ActivationFunction.Relu(0.1f)), new("resnet20", Normalization.Cifar10, ActivationSpec.Parse("leaky:0.1"), null, 0, new Dictionary<string, string>()));
        Assert.Equal("error: leaky.safetensors: at teacher: expected a network with ReLUs, found one with leaky:0.1\n", Refused("--teacher", "leaky.safetensors"));
        Assert.Equal("error: --tune direct-2-distilled-inward: expected --teacher with the backbone that the way before it began from, found none\n", Refused("--init", "taught.safetensors", "--tune", "direct-2-distilled-inward"));
        Assert.Equal("error: --distil: expected --teacher, found none; without it this option does nothing\n", Refused("--distil", "0.5"));
        Assert.Equal("error: --temperature: expected --teacher, found none; without it this option does nothing\n", Refused("--temperature", "2"));
        Assert.Equal("error: recipe: distillation weight: expected more than 0 and at most 1, found 2\n", Refused("--teacher", files.Model, "--distil", "2"));
        Assert.Equal("error: recipe: distillation: expected a learning rate above 0, because at 0 nothing is learnt from a teacher, found 0\n", Refused("--init", files.Model, "--tune", "batch-norm", "--teacher", files.Model));
        Assert.False(File.Exists(files.At("none.safetensors")));
    }

    /// <summary>Stretched contrast is a setting of the recipe, which a way may have too; an option given beside the way overrules it.</summary>
    [Fact]
    public void Contrast_is_stretched_where_it_is_asked_for()
    {
        string[] common = ["train", "--data", files.Images, "--batch", "4", "--validation", "0", "--seed", "3", "--epochs", "1", "--warmup", "0"];
        string Command(string name, params string[] options)
        {
            Assert.Equal(0, PannProcess.Run(files.Root, [.. common, .. options, "--out", name]).Code);
            return ModelFile.Load(files.At(name)).Description.Notes["command"];
        }
        string plain = Command("plain.safetensors", "--init", files.Model, "--tune", "direct-2-firm"), stretched = Command("stretched.safetensors", "--init", files.Model, "--tune", "direct-2-contrast");
        Assert.Equal(plain.Replace(" --init", " --contrast 2 --init", StringComparison.Ordinal), stretched);
        Assert.Contains(" --weight-decay 0.0005 --contrast 3.5 --init ", Command("more.safetensors", "--init", files.Model, "--tune", "direct-2-contrast", "--contrast", "3.5"), StringComparison.Ordinal);
        Assert.Contains(" --weight-decay 0.0005 --contrast 2 --validation ", Command("alone.safetensors", "--contrast", "2"), StringComparison.Ordinal);
        Assert.NotEqual(ModelFile.WeightHash(ModelFile.Load(files.At("plain.safetensors")).Model), ModelFile.WeightHash(ModelFile.Load(files.At("stretched.safetensors")).Model));
        foreach (string option in (string[])["--contrast", "--mixup", "--noise", "--crest", "--crest-penalty"])
        {
            Assert.Equal(
                $"error: {option}: expected a way that trains weights, found --tune batch-norm, whose statistics are to be those of the images as they are\n",
                PannProcess.Run(files.Root, [.. common, "--init", files.Model, "--tune", "batch-norm", option, "2", "--out", "none.safetensors"]).Error);
        }
        // A penalty on crest factors is one of the remedies, and its weight alone says nothing.
        Assert.Contains(" --weight-decay 0.0005 --crest 3.5 --crest-penalty 0.001 --validation ", Command("crest.safetensors", "--crest", "3.5"), StringComparison.Ordinal);
        Assert.Contains(" --weight-decay 0.0005 --crest 4 --crest-penalty 0.5 --validation ", Command("firm.safetensors", "--recipe", "crest-4-0.001", "--crest-penalty", "0.5"), StringComparison.Ordinal);
        Assert.Contains(" --weight-decay 0.0005 --crest 3 --crest-penalty 0.01 --validation ", Command("nearer.safetensors", "--recipe", "crest-4-0.01", "--crest", "3"), StringComparison.Ordinal);
        Assert.Equal(
            "error: --crest-penalty: expected --crest, or a recipe with a penalty on crest factors, found neither; without it this option does nothing\n",
            PannProcess.Run(files.Root, [.. common, "--crest-penalty", "1", "--out", "none.safetensors"]).Error);
        Assert.Equal("error: recipe: contrast: expected more than 1 and at most 100, found 1\n", PannProcess.Run(files.Root, [.. common, "--contrast", "1", "--out", "none.safetensors"]).Error);
    }

    /// <summary>A network that held out other images, or does not say, may know those that are held out now.</summary>
    [Fact]
    public void Images_held_out_that_the_network_may_know_are_pointed_out()
    {
        string images = files.At("thirty.bin");
        using (FileStream stream = File.Create(images)) RandomNetwork.Sample.Select(RandomNetwork.Sample.FirstOfEachClass(3)).Write(stream);
        string[] Common(int seed, int heldOut = 10) => ["train", "--data", images, "--batch", "10", "--validation", $"{heldOut}", "--epochs", "1", "--warmup", "0", "--seed", $"{seed}"];
        string Note(string file) => $"note: {file} may have learnt from the 10 images held out, because it does not say that it held out the same (as many, the same seed and data): their accuracy is then no judge; --validation 0 holds out none\n";
        Assert.Equal(new Outcome(0, "", ""), PannProcess.Run(files.Root, [.. Common(3), "--out", "first.safetensors"]) with { Out = "" });
        Assert.Equal(new Outcome(0, "", ""), PannProcess.Run(files.Root, [.. Common(3), "--init", "first.safetensors", "--teacher", "first.safetensors", "--out", "same.safetensors"]) with { Out = "" });
        Assert.Equal(Note("first.safetensors"), PannProcess.Run(files.Root, [.. Common(4), "--init", "first.safetensors", "--out", "seed.safetensors"]).Error);
        // What went on from such a network may know them too, whatever it held out itself.
        Assert.Equal(Note("seed.safetensors"), PannProcess.Run(files.Root, [.. Common(4), "--init", "seed.safetensors", "--out", "third.safetensors"]).Error);
        Assert.Equal(Note(files.Model), PannProcess.Run(files.Root, [.. Common(3), "--teacher", files.Model, "--out", "silent.safetensors"]).Error);
        Assert.Equal("", PannProcess.Run(files.Root, [.. Common(4, heldOut: 0), "--init", "first.safetensors", "--out", "whole.safetensors"]).Error);
    }

    [Fact]
    public void Only_a_model_file_is_gone_on_from()
    {
        foreach (string option in (string[])["--init", "--teacher"])
        {
            Assert.Equal(
                new Outcome(1, "", $"error: {option}: expected a model written by pann train (.safetensors), found {files.Checkpoint}\n"),
                PannProcess.Run(files.Root, "train", "--data", files.Images, "--batch", "2", "--validation", "0", "--epochs", "1", option, files.Checkpoint, "--out", "none.safetensors"));
        }
    }

    [Fact]
    public void A_network_is_trained_by_one_run_at_a_time()
    {
        string file = files.At("held.safetensors");
        using (new FileStream(file + ".state.lock", FileMode.Create, FileAccess.Write, FileShare.None))
        {
            Outcome refused = PannProcess.Run(files.Root, "train", "--data", files.Images, "--epochs", "1", "--out", file);
            Assert.Equal(1, refused.Code);
            Assert.StartsWith($"error: {file}.state.lock: expected that no other run trains this network, found that one does: ", refused.Error, StringComparison.Ordinal);
            Assert.False(File.Exists(file + ".state"));
        }
        // What a killed run leaves is no obstacle.
        Assert.True(File.Exists(file + ".state.lock"));
        Assert.Equal(0, PannProcess.Run(files.Root, "train", "--data", files.Images, "--epochs", "1", "--batch", "4", "--warmup", "0", "--validation", "0", "--init", files.Model, "--out", file).Code);
        Assert.False(File.Exists(file + ".state.lock"));
    }

    [Fact]
    public void Ranges_may_be_narrower_than_the_inputs_where_training_draws_them_in()
    {
        string[] common = ["train", "--data", files.Images, "--epochs", "2", "--batch", "4", "--validation", "0", "--warmup", "0", "--seed", "3", "--init", files.Model, "--tune", "direct-2-narrow"];
        Assert.Equal(0, PannProcess.Run(files.Root, [.. common, "--out", "narrow.safetensors"]).Code);
        (PannCore.Nn.ResNet network, ModelDescription said) = ModelFile.Load(files.At("narrow.safetensors"));
        Assert.All(RandomNetwork.Largest, pair => Assert.Equal(0.35 * pair.Value, said.Pann!.Ranges[pair.Key], 1e-12 * pair.Value));
        Assert.Contains(" --activation direct:2 --ranges layer --margin 0.35 --penalty 5 --penalty-from 0.7 --penalty-rises --max-gradient-norm 2 ", said.Notes["command"], StringComparison.Ordinal);
        // The command is complete: what it says trains to the same bits.
        Assert.Equal(0, PannProcess.Run(files.Root, [.. common[..^2], "--learning-rate", "0.05", "--activation", "direct:2", "--margin", "0.35", "--penalty", "5", "--penalty-from", "0.7", "--penalty-rises", "--out", "told.safetensors"]).Code);
        Assert.Equal(ModelFile.WeightHash(network), ModelFile.WeightHash(ModelFile.Load(files.At("told.safetensors")).Model));
        // A penalty that is all there from the beginning ends elsewhere.
        Assert.Equal(0, PannProcess.Run(files.Root, [.. common, "--penalty-rises", "false", "--out", "steady.safetensors"]).Code);
        Assert.NotEqual(ModelFile.WeightHash(network), ModelFile.WeightHash(ModelFile.Load(files.At("steady.safetensors")).Model));

        Assert.Equal(
            "error: margin: expected a number of at least 0.01, found 0\n",
            PannProcess.Run(files.Root, [.. common, "--margin", "0", "--out", "none.safetensors"]).Error);
        Assert.Equal(
            "error: --margin: expected a number of at least 1, found 0.35\nsee: pann eval --help\n",
            PannProcess.Run(files.Root, "eval", "--model", files.Model, "--data", files.Images, "--activation", "direct:2", "--ranges", "layer", "--margin", "0.35").Error);
    }

    [Fact]
    public void Ranges_may_be_learnt_and_the_model_file_holds_what_they_became()
    {
        string[] common = ["train", "--data", files.Images, "--epochs", "1", "--batch", "4", "--validation", "0", "--warmup", "0", "--seed", "3", "--init", files.Model, "--tune", "direct-4-narrow", "--learn-ranges"];
        Assert.Equal(0, PannProcess.Run(files.Root, [.. common, "--out", "learnt.safetensors"]).Code);
        (PannCore.Nn.ResNet network, ModelDescription said) = ModelFile.Load(files.At("learnt.safetensors"));
        Assert.All(RandomNetwork.Largest, pair => Assert.NotEqual(0.35 * pair.Value, said.Pann!.Ranges[pair.Key], 1e-12 * pair.Value));
        Assert.Contains(" --penalty-rises --learn-ranges --max-gradient-norm 2 ", said.Notes["command"], StringComparison.Ordinal);
        // The command is complete: what it says trains to the same bits.
        Assert.Equal(0, PannProcess.Run(files.Root, [.. common[..^3], "--learning-rate", "0.05", "--activation", "direct:4", "--margin", "0.35", "--penalty", "5", "--penalty-from", "0.7", "--penalty-rises", "--learn-ranges", "--out", "said.safetensors"]).Code);
        (PannCore.Nn.ResNet again, ModelDescription told) = ModelFile.Load(files.At("said.safetensors"));
        Assert.Equal(ModelFile.WeightHash(network), ModelFile.WeightHash(again));
        Assert.Equal(said.Pann!.Ranges, told.Pann!.Ranges);
        foreach (string[] option in (string[][])[["--learn-ranges"], ["--penalty", "1"], ["--penalty-from", "0.5"], ["--penalty-rises"], ["--share", "rising"], ["--margin", "1.2"], ["--ranges", "layer"]])
        {
            string refused = $"error: {option[0]}: expected --activation, or a way with a polynomial after --tune, found neither; without one this option does nothing\n";
            Assert.Equal(refused, PannProcess.Run(files.Root, ["train", "--data", files.Images, .. option, "--out", "none.safetensors"]).Error);
        }
        Assert.StartsWith("error: --penalty: ", PannProcess.Run(files.Root, "train", "--data", files.Images, "--init", files.Model, "--tune", "relu", "--penalty", "1", "--out", "none.safetensors").Error, StringComparison.Ordinal);
        // The file is a network whose ranges are fixed: it is evaluated over them, and training that does not learn them leaves them alone.
        Assert.Equal(0, PannProcess.Run(files.Root, "eval", "--model", "learnt.safetensors", "--data", files.Images).Code);
        Assert.Equal(0, PannProcess.Run(files.Root, [.. common[..^5], "--init", "learnt.safetensors", "--tune", "direct-4-narrow", "--ranges", "stored", "--out", "fixed.safetensors"]).Code);
        Assert.Equal(said.Pann!.Ranges, ModelFile.Load(files.At("fixed.safetensors")).Description.Pann!.Ranges);
    }

    [Fact]
    public void A_network_that_met_random_shares_of_its_polynomials_stands_for_one_with_relus()
    {
        string[] common = ["train", "--data", files.Images, "--epochs", "1", "--batch", "4", "--validation", "0", "--learning-rate", "0.001", "--warmup", "0", "--seed", "3", "--init", files.Model, "--activation", "composite:alpha=5", "--ranges", "global"];
        foreach (string share in (string[])["random", "rising"]) Assert.Equal(0, PannProcess.Run(files.Root, [.. common, "--share", share, "--out", share + ".safetensors"]).Code);
        (_, ModelDescription random) = ModelFile.Load(files.At("random.safetensors"));
        (_, ModelDescription rising) = ModelFile.Load(files.At("rising.safetensors"));
        Assert.Equal((null, "relu"), (random.Pann, random.Activation.ToString()));
        Assert.NotEqual(RandomNetwork.Largest, random.LargestInputs); // Its own, measured after training.
        Assert.True(rising.Pann!.StandsForItself);
        Assert.Contains(" --share random ", random.Notes["command"], StringComparison.Ordinal);
    }

    [Fact]
    public void From_scratch_only_the_ranges_are_those_of_the_model()
    {
        string[] common = ["train", "--data", files.Images, "--epochs", "1", "--batch", "4", "--validation", "0", "--learning-rate", "0.001", "--warmup", "0", "--seed", "3", "--activation", "direct:4", "--ranges-only"];
        ModelFile.Save(files.At("other.safetensors"), RandomNetwork.Make(9), new("resnet20", Normalization.Cifar10, ActivationSpec.Parse("relu"), RandomNetwork.Largest, 24, new Dictionary<string, string>()));
        foreach (string model in (string[])["model", "other"]) Assert.Equal((0, ""), Ended(PannProcess.Run(files.Root, [.. common, "--init", model + ".safetensors", "--out", $"{model}-scratch.safetensors"])));
        (PannCore.Nn.ResNet network, ModelDescription said) = ModelFile.Load(files.At("model-scratch.safetensors"));
        Assert.Equal(ModelFile.WeightHash(network), ModelFile.WeightHash(ModelFile.Load(files.At("other-scratch.safetensors")).Model));
        Assert.All(RandomNetwork.Largest, pair => Assert.Equal(1.2 * pair.Value, said.Pann!.Ranges[pair.Key], 1e-12 * pair.Value));
        Assert.Contains(" --init model.safetensors --ranges-only --activation direct:4 ", said.Notes["command"], StringComparison.Ordinal);
        Assert.Equal((1, "error: --ranges-only: expected --init with the model whose ranges to take, found none\n"), Ended(PannProcess.Run(files.Root, [.. common, "--ranges", "global:5", "--out", "none.safetensors"])));

        Assert.Equal(
            (1, "error: --ranges-only: expected --activation and --ranges layer, global or stored, which the model of --init holds; found no activation over ranges 'layer'\n"),
            Ended(PannProcess.Run(files.Root, "train", "--data", files.Images, "--init", "model.safetensors", "--ranges-only", "--out", "none.safetensors")));
        Assert.Equal(
            (1, "error: --init: expected a model of resnet32, found one of resnet20\n"), Ended(PannProcess.Run(files.Root, [.. common, "--init", "model.safetensors", "--arch", "resnet32", "--out", "none.safetensors"])));
        Assert.Equal(
            (1, "error: --tune direct-4-scratch: expected --epochs with the passes of a backbone and its tuning together, found none\n"),
            Ended(PannProcess.Run(files.Root, "train", "--data", files.Images, "--init", "model.safetensors", "--tune", "direct-4-scratch", "--out", "none.safetensors")));
        Assert.Equal(0, PannProcess.Run(files.Root, "train", "--data", files.Images, "--init", "model.safetensors", "--tune", "direct-4-scratch", "--epochs", "1", "--batch", "4", "--validation", "0", "--out", "tuned.safetensors").Code);
        Assert.Contains(
            " --epochs 1 --batch 4 --learning-rate 0.1 --warmup 1 --weight-decay 0.0005 --init model.safetensors --ranges-only --activation direct:4 --ranges layer --margin 1.5 --penalty 3 --penalty-from 0.6 --max-gradient-norm 2 ",
            ModelFile.Load(files.At("tuned.safetensors")).Description.Notes["command"], StringComparison.Ordinal);

        static (int, string) Ended(Outcome outcome) => (outcome.Code, outcome.Error);
    }

    [Fact]
    public void Without_a_model_to_begin_from_ranges_must_be_given()
    {
        string[] common = ["train", "--data", files.Images, "--epochs", "1", "--batch", "4", "--validation", "0", "--out", "no.safetensors"];
        Assert.Equal(
            new Outcome(1, "", "error: --ranges layer: expected global:B or file:PATH, or --init with a model that holds ranges, found neither\n"),
            PannProcess.Run(files.Root, [.. common, "--activation", "direct:4"]));
        Assert.Equal(
            new Outcome(1, "", "error: recipe: polynomial: expected neither leak nor noise nor a penalty on crest factors beside it, found direct:4\n"),
            PannProcess.Run(files.Root, [.. common, "--activation", "direct:4", "--ranges", "global:5", "--leak", "0.1"]));
        Assert.False(File.Exists(files.At("no.safetensors")));
    }
}
