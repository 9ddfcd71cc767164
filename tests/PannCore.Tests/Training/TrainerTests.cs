using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using PannCore.Approximation;
using PannCore.Checkpoints;
using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Ops;
using PannCore.Tests.Checkpoints;
using PannCore.Tests.Diagnostics;
using PannCore.Training;
using Xunit;

namespace PannCore.Tests.Training;

public sealed class TrainerTests : IDisposable
{
    /// <summary>Four steps of 8 images an epoch; 10 of the 46 images held out.</summary>
    private static readonly Recipe Small = new() { Architecture = "resnet20", Epochs = 2, Batch = 8, Validation = 10, Seed = 7 };

    private static readonly Cifar10 Images = RandomNetwork.Sample.Select([.. Enumerable.Range(0, 46)]);

    private readonly TempFolder _folder = new();
    private readonly Workspace _workspace = new(2, Small.Convolution, fillWithNaN: true);

    public void Dispose()
    {
        _workspace.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void The_same_seed_gives_the_same_bits_on_any_number_of_threads()
    {
        using var single = new Workspace(1, Small.Convolution, fillWithNaN: true);
        Trainer one = Trained(Small, Images, single), two = Trained(Small, Images, _workspace);
        AssertSameBits(one, two);
        Assert.Equal(one.History, two.History);
        Assert.Equal([1, 2], one.History.Select(e => e.Epoch));
        Assert.NotEqual(Weights(one), Weights(Trained(Small with { Seed = 8 }, Images, _workspace)));
    }

    [Fact]
    public void Convolutions_are_the_recipe_s_whatever_the_workspace_s_are()
    {
        Trainer expected = Trained(Small, Images, _workspace);
        using var direct = new Workspace(2, ConvAlgorithm.Direct, fillWithNaN: true);
        Trainer found = Trained(Small, Images, direct);
        AssertSameBits(expected, found);
        Assert.Equal(expected.History, found.History);
        Assert.NotEqual(Weights(expected), Weights(Trained(Small with { Convolution = ConvAlgorithm.Direct }, Images, direct)));

        // Validation's bits show in no accuracy of ten images: the evaluation behind it, and the ranges of the model that is left.
        int[] images = [.. Enumerable.Range(0, 10)];
        float[] Logits(Workspace workspace, ConvAlgorithm? convolution) => Evaluation.Of(expected.Model, Images, images, Normalization.Cifar10, workspace, convolution: convolution).Logits;
        Dictionary<string, double> Ranges(Workspace workspace, ConvAlgorithm? convolution) => RangeProbe.Calibrate(expected.Model, Images, images, Normalization.Cifar10, workspace, convolution: convolution);
        Assert.Equal(Logits(_workspace, null), Logits(direct, Small.Convolution));
        Assert.NotEqual(Logits(_workspace, null), Logits(direct, null));
        Assert.Equal(Ranges(_workspace, null), Ranges(direct, Small.Convolution));
        Assert.NotEqual(Ranges(_workspace, null), Ranges(direct, null));
    }

    [Fact]
    public void A_state_of_mid_epoch_continues_to_the_same_bits()
    {
        Trainer whole = Trained(Small, Images, _workspace);
        // After steps 1, 3 (mid-epoch), 4 (the epoch's last step, before its end), 6 and 8 of 8: every one must lead to the same end.
        var trainer = new Trainer(Small, Images, _workspace);
        while (!trainer.Finished) trainer.RunEpoch(afterStep: step => trainer.SaveState(_folder.At($"{step}")));
        foreach (int step in new[] { 1, 3, 4, 6, 8 })
        {
            var resumed = new Trainer(Small, Images, _workspace);
            resumed.Resume(_folder.At($"{step}"));
            // The state reads back whole: written again it gives the same bytes.
            resumed.SaveState(_folder.At("again"));
            Assert.Equal(File.ReadAllBytes(_folder.At($"{step}")), File.ReadAllBytes(_folder.At("again")));
            while (!resumed.Finished) resumed.RunEpoch();
            AssertSameBits(whole, resumed);
            Assert.Equal(whole.History, resumed.History);
        }
    }

    [Theory]
    [InlineData("mixup-0.2")]
    [InlineData("noise-rms-0.2")]
    [InlineData("noise-0.2-decay-1e-4-mixup-0.2")]
    [InlineData("leak-0.1-minimal-mixup")]
    [InlineData("leak-dropped-0.1")]
    [InlineData("decay-conv")]
    [InlineData("crest-4-0.01")]
    public void A_remedy_depends_on_neither_threads_nor_where_it_was_resumed_and_does_something(string name)
    {
        Recipe recipe = NamedRecipe.Of(name).Apply(Small);
        using var single = new Workspace(1, Small.Convolution, fillWithNaN: true);
        var trainer = new Trainer(recipe, Images, single);
        while (!trainer.Finished) trainer.RunEpoch(afterStep: step => trainer.SaveState(_folder.At($"{step}")));
        foreach (int step in new[] { 3, 5 })
        {
            var resumed = new Trainer(recipe, Images, _workspace);
            resumed.Resume(_folder.At($"{step}"));
            while (!resumed.Finished) resumed.RunEpoch();
            AssertSameBits(trainer, resumed);
            Assert.Equal(trainer.History, resumed.History);
        }
        Assert.NotEqual(Weights(trainer), Weights(Trained(Small, Images, _workspace)));
        Assert.Equal(recipe is { Leak: > 0, DropLeak: false } ? 0.1f : 0, Assert.IsType<PannCore.Nn.ActivationFunction.Relu>(trainer.Model.Activations[0].Function).Slope);
    }

    [Fact]
    public void At_rate_0_only_the_running_statistics_move()
    {
        PannCore.Nn.ResNet begin = Trained(Small with { Seed = 3 }, Images, _workspace).Model;
        Trainer trainer = new(Small with { LearningRate = 0, InitialWeights = ModelFile.WeightHash(begin), MaxGradientNorm = 2 }, Images, _workspace, begin);
        while (!trainer.Finished) trainer.RunEpoch();
        foreach ((Parameter before, Parameter after) in begin.Parameters.All.Zip(trainer.Model.Parameters.All))
        {
            if (!after.Trainable) Assert.NotEqual(before.Values.ToArray(), after.Values.ToArray());
            else Assert.Equal(before.Values.ToArray(), after.Values.ToArray());
        }
    }

    /// <summary>What each step is fed, put together by hand: order, augmentation and contrast of the epoch, mixture, noise, penalty on crest factors, share and penalty of the step counted from the beginning, a teacher's answers to the same images, rate of the schedule.</summary>
    [Theory]
    [InlineData(false, false, null)]
    [InlineData(true, false, 1.7)]
    [InlineData(true, true, null)]
    [InlineData(false, true, 1.7)]
    public void A_step_is_fed_what_the_recipe_says(bool polynomials, bool taught, double? contrast)
    {
        PannCore.Nn.ResNet begin = Trained(Small with { Seed = 3 }, Images, _workspace).Model;
        Dictionary<string, double> ranges = RangeProbe.Calibrate(begin, Images, [0, 1, 2, 3], Normalization.Cifar10, _workspace);
        Recipe recipe = Small with { LearningRate = 0.02, WarmupEpochs = 0.5, Mixup = 0.7, Contrast = contrast, InitialWeights = ModelFile.WeightHash(begin), MaxGradientNorm = 2 };
        recipe = polynomials
            ? recipe with { Polynomial = new("direct:4", ranges, Penalty: 3, PenaltyFrom: 0.3, PenaltyRises: true, Share: PolynomialShare.Rising) }
            : recipe with { Noise = new(0.3), Crest = contrast is null ? null : new(0.5, 1.5) };
        PannCore.Nn.ResNet teacher = RandomNetwork.Backbone;
        if (taught) recipe = recipe with { Distillation = new(ModelFile.WeightHash(teacher), 0.8, 3) };
        Trainer trainer = new(recipe, Images, _workspace, begin, taught ? teacher : null);
        while (!trainer.Finished) trainer.RunEpoch();

        var model = new PannCore.Nn.ResNet(20);
        model.Parameters.CopyFrom(begin.Parameters);
        var sgd = new Sgd(model.Parameters.All, recipe.Momentum, recipe.WeightDecay, recipe.DecayOn, recipe.MaxGradientNorm);
        int[] training = Split.Balanced(Images, recipe.Validation, recipe.Seed).Training;
        var loader = new BatchLoader(Images, Normalization.Cifar10);
        ReluPolynomial polynomial = ActivationSpec.Parse("direct:4").Build();
        const int steps = 4, epochs = 2, layers = 19;
        for (int step = 0; step < steps * epochs; step++)
        {
            (int epoch, int first) = (step / steps, step % steps * recipe.Batch);
            int[] order = new CounterRandom(recipe.Seed, RandomStream.Order, epoch).Permutation(training.Length), images = [.. order[first..(first + recipe.Batch)].Select(i => training[i])];
            Mixture mixture = Mixup.Of(0.7, images, recipe.Seed, step);
            int layer = 0;
            PannCore.Nn.ResNet network = model.With(path => polynomials
                ? new ClampedPolynomial(polynomial, ranges[path], new(3 * (step + 1) / 8.0, 0.3), Math.Min(1, step / 4.0), null)
                : Penalised(new NoisyRelu(new(0.3), 0, new CounterRandom(recipe.Seed, RandomStream.Noise, (step * layers) + layer++), images)));
            PannCore.Nn.ActivationFunction Penalised(PannCore.Nn.ActivationFunction function) => contrast is null ? function : new CrestPenalised(new(0.5, 1.5), function);
            var augmentation = new Augmentation(recipe.Seed, epoch, contrast);
            float[] answers;
            using (var asking = new Run(_workspace)) answers = [.. teacher.Call(loader.Load(asking, images, augmentation, mixture)).Values];
            using var run = new Run(_workspace, Statistics.Training, tape: true);
            Tensor logits = network.Call(loader.Load(run, images, augmentation, mixture));
            byte[] labels = [.. images.Select(i => Images.Labels[i])], partners = [.. mixture.Partners.ToArray().Select(i => Images.Labels[i])];
            Tensor loss = logits.SoftmaxCrossEntropy(Mixup.Targets(labels, partners, mixture.Weight, 10));
            if (taught) loss = loss.DistillationLoss(logits, answers, 0.8, 3);
            // Half an epoch of warm-up are two steps; the formula is tested with Schedule.
            sgd.Step(run.Backward(loss), new Schedule(0.02, 2, steps * epochs).Rate(step));
        }
        Assert.Equal(model.Parameters.All.Select(p => p.Values.ToArray()), Weights(trainer));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Polynomials_in_the_loop_begin_from_given_weights_and_resume_to_the_same_bits(bool learn)
    {
        PannCore.Nn.ResNet backbone = Trained(Small with { Seed = 3 }, Images, _workspace).Model;
        Dictionary<string, double> ranges = RangeProbe.Calibrate(backbone, Images, [0, 1, 2, 3], Normalization.Cifar10, _workspace);
        Recipe recipe = Small with { Polynomial = new("direct:4", ranges, LearnRanges: learn), InitialWeights = ModelFile.WeightHash(backbone), LearningRate = 0.01, MaxGradientNorm = 2 };
        var trainer = new Trainer(recipe, Images, _workspace, backbone);
        Assert.Equal(backbone.Parameters.All.Select(p => p.Values.ToArray()), Weights(trainer));
        while (!trainer.Finished) trainer.RunEpoch(afterStep: step => trainer.SaveState(_folder.At($"{step}")));
        using var single = new Workspace(1, Small.Convolution, fillWithNaN: true);
        var resumed = new Trainer(recipe, Images, single, backbone);
        resumed.Resume(_folder.At("3"));
        while (!resumed.Finished) resumed.RunEpoch();
        AssertSameBits(trainer, resumed);
        // States are compared by the recipe's text: without the option it is what it was before there was one.
        Assert.Equal(learn, SafeTensors.Read(_folder.At("3")).Metadata["recipe"].Contains("learnRanges", StringComparison.OrdinalIgnoreCase));
        // The model's own activations are the polynomials, over those ranges or what has become of them, and clamp nothing.
        Assert.All(trainer.Model.Activations, activation =>
        {
            double range = Assert.IsType<PannCore.Nn.ActivationFunction.Polynomial>(activation.Function).Range;
            Assert.Equal((trainer.Ranges![activation.Path], resumed.Ranges![activation.Path]), (range, range));
            Assert.Equal(learn, ranges[activation.Path] != range);
        });

        Assert.Throws<ArgumentException>(() => new Trainer(recipe, Images, _workspace));
        Assert.Throws<ArgumentException>(() => new Trainer(recipe, Images, _workspace, trainer.Model));
        foreach (PolynomialShare kind in Enum.GetValues<PolynomialShare>())
        {
            Recipe unusable = recipe with { InitialWeights = null, Polynomial = new("composite:alpha=5", ranges.ToDictionary(pair => pair.Key, pair => pair.Key == "relu" ? 0 : pair.Value), Share: kind) };
            Assert.Equal("ranges 'recipe': at key relu: expected a positive number, found 0", Assert.Throws<BadInputException>(() => new Trainer(unusable, Images, _workspace)).Message);
        }
        ranges.Remove("layer1.0.relu1");
        Assert.Equal("ranges 'recipe': expected a range for each of the 19 activations, found 18; missing: layer1.0.relu1", Assert.Throws<BadInputException>(() => new Trainer(recipe, Images, _workspace, backbone)).Message);
    }

    [Fact]
    public void A_teacher_is_the_one_that_the_recipe_names_and_does_not_change()
    {
        PannCore.Nn.ResNet teacher = RandomNetwork.Backbone;
        float[][] before = [.. teacher.Parameters.All.Select(p => p.Values.ToArray())];
        Recipe recipe = Small with { Distillation = new(ModelFile.WeightHash(teacher), 1, 2) };
        var trainer = new Trainer(recipe, Images, _workspace, teacher: teacher);
        while (!trainer.Finished) trainer.RunEpoch(afterStep: step => trainer.SaveState(_folder.At($"{step}")));
        using var single = new Workspace(1, Small.Convolution, fillWithNaN: true);
        var resumed = new Trainer(recipe, Images, single, teacher: teacher);
        resumed.Resume(_folder.At("3"));
        while (!resumed.Finished) resumed.RunEpoch();
        AssertSameBits(trainer, resumed);
        Assert.Equal(trainer.History, resumed.History);
        Assert.Equal(before, teacher.Parameters.All.Select(p => p.Values.ToArray()));
        Assert.NotEqual(Weights(trainer), Weights(Trained(Small, Images, _workspace)));
        // States are compared by the recipe's text: without a teacher it is what it was before there could be one.
        Trained(Small, Images, _workspace).SaveState(_folder.At("alone"));
        Assert.DoesNotContain("ontrast", SafeTensors.Read(_folder.At("alone")).Metadata["recipe"], StringComparison.Ordinal);
        Assert.DoesNotContain("istillation", SafeTensors.Read(_folder.At("alone")).Metadata["recipe"], StringComparison.Ordinal);
        Assert.StartsWith($"{_folder.At("3")}: at metadata recipe, distillation", Assert.Throws<BadInputException>(() => new Trainer(Small, Images, _workspace).Resume(_folder.At("3"))).Message, StringComparison.OrdinalIgnoreCase);

        // Nor on the workspace's algorithm of convolutions, by which the teacher's answers would be others.
        using var direct = new Workspace(2, ConvAlgorithm.Direct, fillWithNaN: true);
        var other = new Trainer(recipe, Images, direct, teacher: teacher);
        while (!other.Finished) other.RunEpoch();
        AssertSameBits(trainer, other);

        const string wrong = "trainer: the teacher is not the one that the recipe names (Parameter 'teacher')", bent = "trainer: expected a teacher with ReLUs, found another activation at relu (Parameter 'teacher')";
        string Refuses(Recipe recipe, PannCore.Nn.ResNet? teacher) => Assert.Throws<ArgumentException>(() => new Trainer(recipe, Images, _workspace, teacher: teacher)).Message;
        Assert.Equal([wrong, wrong, wrong], [Refuses(recipe, null), Refuses(recipe, trainer.Model), Refuses(Small, teacher)]);
        // The same weights, and other answers.
        Assert.Equal([bent, bent], [Refuses(recipe, teacher.With(_ => new PannCore.Nn.ActivationFunction.Relu(0.1f))), Refuses(recipe, teacher.With(_ => new PannCore.Nn.ActivationFunction.Polynomial(ActivationSpec.Parse("direct:4").Build(), 9)))]);
    }

    [Fact]
    public void A_teacher_may_be_deeper_and_must_answer()
    {
        var deep = new PannCore.Nn.ResNet(32);
        deep.Initialise(5);
        var trainer = new Trainer(Small with { Epochs = 1, Distillation = new(ModelFile.WeightHash(deep), 1, 4) }, Images, _workspace, teacher: deep);
        trainer.RunEpoch();
        Assert.Equal("resnet20", trainer.Model.Name);
        Assert.NotEqual(Weights(Trained(Small with { Epochs = 1 }, Images, _workspace)), Weights(trainer));

        // Finite weights whose logits are not.
        deep.Parameters.Find("linear.weight")!.Update(values => values.Fill(1e38f));
        trainer = new Trainer(Small with { Distillation = new(ModelFile.WeightHash(deep), 1, 4) }, Images, _workspace, teacher: deep);
        Assert.Matches("^teacher: image [0-9]+, logit 0: expected a finite number, found Infinity$", Assert.Throws<BadInputException>(() => trainer.RunEpoch()).Message);
    }

    [Fact]
    public void Cancelling_stops_after_a_step_and_loses_nothing()
    {
        using var source = new CancellationTokenSource();
        var trainer = new Trainer(Small, Images, _workspace);
        long steps = 0;
        Assert.Throws<OperationCanceledException>(() => trainer.RunEpoch(afterStep: step =>
        {
            steps = step;
            if (step == 2) source.Cancel();
        }, cancellation: source.Token));
        Assert.Equal(2, steps);
        Assert.Empty(trainer.History);
        while (!trainer.Finished) trainer.RunEpoch();
        AssertSameBits(Trained(Small, Images, _workspace), trainer);
    }

    [Fact]
    public void Progress_says_epoch_images_and_mean_loss()
    {
        var trainer = new Trainer(Small with { Epochs = 1 }, Images, _workspace);
        var seen = new Seen();
        EpochResult result = trainer.RunEpoch(seen);
        Assert.Equal([(1, 8, 32), (1, 16, 32), (1, 24, 32), (1, 32, 32)], seen.Values.Select(p => (p.Epoch, p.Images, p.Total)));
        Assert.Equal(result.TrainLoss, seen.Values[^1].Loss);
        Assert.Equal(4, trainer.StepsPerEpoch);
    }

    [Fact]
    public void The_images_held_out_are_judged_by_and_never_learnt_from()
    {
        int[] held = Split.Balanced(Images, Small.Validation, Small.Seed).Validation;
        Trainer trainer = Trained(Small, Images, _workspace);
        Evaluation judged = Evaluation.Of(trainer.Model, Images, held, Normalization.Cifar10, _workspace);
        Assert.Equal(judged.Accuracy, trainer.History[^1].ValidationAccuracy);

        // Black images in their places change no weight; one other image does.
        byte[] black = [.. Images.Images];
        foreach (int image in held) black.AsSpan(image * Cifar10.ImageBytes, Cifar10.ImageBytes).Clear();
        AssertSameBits(trainer, Trained(Small, new Cifar10(black, Images.Labels, "held out: black"), _workspace));
        byte[] other = [.. Images.Images];
        other.AsSpan(Enumerable.Range(0, Images.Count).Except(held).First() * Cifar10.ImageBytes, Cifar10.ImageBytes).Clear();
        Assert.NotEqual(Weights(trainer), Weights(Trained(Small, new Cifar10(other, Images.Labels, "one black"), _workspace)));

        Assert.All(Trained(Small with { Validation = 0, Epochs = 1 }, Images, _workspace).History, epoch => Assert.Null(epoch.ValidationAccuracy));
    }

    [Fact]
    public void What_can_be_learnt_is_learnt()
    {
        // The class is the mean colour: one of ten levels of red, and the opposite level of blue.
        var random = new CounterRandom(5, RandomStream.Weights, 0);
        byte[] labels = [.. Enumerable.Range(0, 160).Select(n => (byte)(n % 10))];
        byte[] pixels = new byte[labels.Length * Cifar10.ImageBytes];
        for (int i = 0; i < pixels.Length; i++)
        {
            int label = labels[i / Cifar10.ImageBytes], channel = i % Cifar10.ImageBytes / 1024;
            pixels[i] = (byte)((channel switch { 0 => 25 * label, 1 => 100, _ => 225 - (25 * label) }) + random.Below(i, 30));
        }
        var data = new Cifar10(pixels, labels, "colours");
        Trainer trainer = Trained(Small with { Epochs = 4, Batch = 16, Validation = 0, LearningRate = 0.02 }, data, _workspace);
        EpochResult first = trainer.History[0], last = trainer.History[^1];
        // Who knows nothing pays a mean loss of at least ln 10, and is right at 10 % of 160 images with a standard deviation of 2.4: five of them reach 22 %.
        string history = string.Join('\n', trainer.History);
        Assert.True(last.TrainLoss < first.TrainLoss && last.TrainLoss < Math.Log(10), history);
        Assert.True(last.TrainAccuracy > 22, history);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_loss_or_range_that_is_no_number_stops_and_the_last_state_is_kept(bool learn)
    {
        // Weight decay multiplies every weight by 1 - 1e6 x 5e-4 a step: float32 ends after some twenty steps.
        Recipe wild = Small with { Epochs = 20, LearningRate = 1e6, WarmupEpochs = 0, Validation = 0, Batch = 4 };
        if (learn) wild = wild with { Polynomial = new("direct:4", new PannCore.Nn.ResNet(20).Activations.ToDictionary(place => place.Path, _ => 5.0), LearnRanges: true) };
        var trainer = new Trainer(wild, Images, _workspace);
        string state = _folder.At("state");
        long saved = 0;
        trainer.SaveState(state);
        string message = Assert.Throws<TrainingDivergedException>(() =>
        {
            while (!trainer.Finished)
            {
                trainer.RunEpoch(afterStep: step =>
                {
                    trainer.SaveState(state);
                    saved = step;
                });
            }
        }).Message;
        Assert.Equal(learn, message.Contains("the range of", StringComparison.Ordinal));
        Match match = Regex.Match(message, "^training diverged: (?:the loss is|[a-z0-9_.]+ holds|the range of [a-z0-9_.]+ is) (NaN|-?Infinity|[0-9.E+-]+) at epoch ([0-9]+), step ([0-9]+); try a smaller learning rate or a longer warm-up; the last saved state is kept$");
        Assert.True(match.Success, message);
        // The state before the failure was saved, and not the broken one.
        Assert.InRange(((int.Parse(match.Groups[2].Value) - 1) * trainer.StepsPerEpoch) + int.Parse(match.Groups[3].Value) - saved, 1, 2);
        // Nor can it be written now, or trained on, until the trainer has resumed it.
        if (!message.Contains(" holds ", StringComparison.Ordinal))
        {
            Assert.Throws<InvalidOperationException>(() => trainer.SaveState(state));
            Assert.Throws<InvalidOperationException>(() => trainer.RunEpoch());
        }
        trainer.Resume(state);
        trainer.SaveState(state);
        Assert.Equal(["state"], _folder.FileNames);
    }

    [Fact]
    public void A_state_of_another_recipe_or_of_other_images_is_refused()
    {
        string state = _folder.At("state");
        new Trainer(Small, Images, _workspace).SaveState(state);
        Assert.Equal($"{state}: at metadata recipe, learningRate: expected 0.2, found 0.1", Refusal(state, Small with { LearningRate = 0.2 }, Images));
        Assert.Equal($"{state}: at metadata recipe, noise: expected {{\"size\":0.5,\"side\":\"Negative\",\"unit\":\"Absolute\"}}, found {{\"size\":0,\"side\":\"Negative\",\"unit\":\"Absolute\"}}", Refusal(state, Small with { Noise = new(0.5) }, Images));

        var relabelled = new Cifar10(Images.Images, [.. Images.Labels.Select((label, n) => n == 0 ? Images.Labels[1] : n == 1 ? Images.Labels[0] : label)], "two labels exchanged");
        Assert.NotEqual(Hash(Images), Hash(relabelled));
        Assert.Equal($"{state}: at metadata data: expected the training data {Hash(relabelled)}, found {Hash(Images)}", Refusal(state, Small, relabelled));

        static string Hash(Cifar10 data) => Convert.ToHexStringLower(SHA256.HashData([.. SHA256.HashData(data.Images), .. SHA256.HashData(data.Labels)]));
    }

    [Fact]
    public void What_is_no_state_is_refused_and_leaves_the_trainer_as_it_was()
    {
        var trainer = new Trainer(Small, Images, _workspace);
        float[][] before = Weights(trainer);
        string state = _folder.At("state"), bad = _folder.At("bad");
        Trainer other = Trained(Small, Images, _workspace);
        other.SaveState(state);
        SafeTensorsFile good = SafeTensors.Read(state);

        string model = _folder.At("model.safetensors");
        ModelFile.Save(model, trainer.Model, new("resnet20", Normalization.Cifar10, ActivationSpec.Parse("relu"), null, 0, new Dictionary<string, string>()));
        Expect(model, $"{model}: at metadata kind: expected training state, found pann model");
        Expect(_folder.At("none"), $"{_folder.At("none")}: there is no such file");

        Damage("epoch", "3", "at metadata epoch: expected a number from 0 to 2, found 3");
        Damage("epoch", "-1", "at metadata epoch: expected a number from 0 to 2, found -1");
        Damage("step", "5", "at metadata step: expected a number from 0 to 4, found 5");
        // Between two epochs no step of the next one has counted its right answers.
        Damage("correct", "many", "at metadata correct: expected a number from 0 to 0, found many");
        Damage("correct", "1", "at metadata correct: expected a number from 0 to 0, found 1");
        Damage("step", null, "at metadata step: expected a training state, found nothing");
        Write([.. good.Tensors.Values.Where(t => t.Name != "velocity.conv1.weight")], good.Metadata);
        Expect(bad, $"{bad}: does not fit resnet20: 1 key missing: 'velocity.conv1.weight'");
        DamageStart("history", "[", "at metadata: expected the history of a training run, found something else: ");
        DamageStart("lossSum", "much", "at metadata: expected the history of a training run, found something else: ");
        Damage("history", "[]", "at metadata history: expected 2 epochs, found 0");
        Damage("history", "[null,null]", "at metadata history, entry 0: expected epoch 1, found null");
        const string Full = """{"epoch":1,"trainLoss":2.5,"trainAccuracy":10,"validationAccuracy":20}""";
        Damage("history", $"[{Full},{Full}]", "at metadata history, entry 1: expected epoch 2, found epoch 1");
        Damage("history", $"[{Full.Replace("2.5", "\"NaN\"", StringComparison.Ordinal)},{Full}]", "at metadata history, entry 0: expected a finite loss and accuracies from 0 to 100, found EpochResult { Epoch = 1, TrainLoss = NaN, TrainAccuracy = 10, ValidationAccuracy = 20 }");
        Damage("history", $"[{Full.Replace("20", "101", StringComparison.Ordinal)},{Full}]", "at metadata history, entry 0: expected a finite loss and accuracies from 0 to 100, found EpochResult { Epoch = 1, TrainLoss = 2.5, TrainAccuracy = 10, ValidationAccuracy = 101 }");
        foreach (string incomplete in new[] { "[{},{}]", $"[{Full},{{\"epoch\":2,\"trainLoss\":2.5,\"validationAccuracy\":20}}]", $"[{Full},{{\"epoch\":2,{Full[1..]}]" })
            DamageStart("history", incomplete, "at metadata: expected the history of a training run, found something else: ");
        Damage("lossSum", "Infinity", "at metadata lossSum: expected a finite number, found Infinity");
        Damage("recipe", "[]", "at metadata recipe: expected a recipe, found something else");
        Damage("recipe", """{"architecture":"\ud800"}""", "at metadata recipe: expected a recipe, found something else");
        Spoil("velocity.conv1.weight", float.NaN, "a finite number, found NaN");
        Spoil("conv1.weight", float.NegativeInfinity, "a finite number, found -Infinity");
        Spoil("bn1.running_var", -0.5f, "a variance of at least 0, found -0.5");

        void Spoil(string key, float value, string message)
        {
            Write([.. good.Tensors.Values.Select(t => t.Name == key ? new NamedArray(t.Name, t.Shape, [.. t.ToSingle()[..^1], value]) : t)], good.Metadata);
            Expect(bad, $"{bad}: at key {key}, element {good.Tensors[key].Count - 1}: expected {message}");
        }

        void Damage(string field, string? value, string message)
        {
            Write([.. good.Tensors.Values], With(field, value));
            Expect(bad, $"{bad}: {message}");
        }
        void DamageStart(string field, string value, string start)
        {
            Write([.. good.Tensors.Values], With(field, value));
            Assert.StartsWith($"{bad}: {start}", Assert.Throws<BadInputException>(() => trainer.Resume(bad)).Message, StringComparison.Ordinal);
            Assert.Equal(before, Weights(trainer));
        }
        Dictionary<string, string> With(string field, string? value) => good.Metadata.Where(p => p.Key != field).Concat(value is null ? [] : [new(field, value)]).ToDictionary();
        void Write(NamedArray[] arrays, IReadOnlyDictionary<string, string> metadata) => SafeTensors.Write(bad, arrays, metadata);
        void Expect(string file, string message)
        {
            Assert.Equal(message, Assert.Throws<BadInputException>(() => trainer.Resume(file)).Message);
            Assert.Equal(before, Weights(trainer));
        }
    }

    [Fact]
    public void A_state_with_a_wrong_bit_or_without_its_hash_is_refused()
    {
        string state = _folder.At("state"), bad = _folder.At("bad");
        var trainer = new Trainer(Small, Images, _workspace);
        trainer.RunEpoch();
        trainer.SaveState(state);
        SafeTensorsFile good = SafeTensors.Read(state);
        foreach (string key in (string[])["velocity.conv1.weight", "linear.bias", "bn1.running_mean"])
        {
            Write(good.Metadata, t => t.Name == key ? new NamedArray(t.Name, t.Shape, [.. t.ToSingle()[..^1], MathF.BitIncrement(t.ToSingle()[^1])]) : t);
            Refused(good.Metadata["sha256"]);
        }
        foreach ((string field, string value) in ((string, string)[])[("lossSum", "0.5"), ("step", "1"), ("history", good.Metadata["history"].Replace("\"trainLoss\":", "\"trainLoss\":1", StringComparison.Ordinal))])
        {
            Write(new Dictionary<string, string>(good.Metadata) { [field] = value }, t => t);
            Refused(good.Metadata["sha256"]);
        }
        Write(good.Metadata.Where(pair => pair.Key != "sha256").ToDictionary(), t => t);
        Assert.Equal($"{bad}: at metadata sha256: expected the hash of the numbers and texts in the file, found none: an earlier version wrote it, which can finish it; or delete it and begin anew", Refusal(bad, Small, Images));

        void Write(IReadOnlyDictionary<string, string> metadata, Func<NamedArray, NamedArray> change) => SafeTensors.Write(bad, [.. good.Tensors.Values.Select(change)], metadata);
        void Refused(string found)
            => Assert.Matches($"^{Regex.Escape(bad)}: at metadata sha256: expected the hash [0-9a-f]{{64}} of the numbers and texts in the file, unless they are damaged, found {found}$", Refusal(bad, Small, Images));
    }

    [Fact]
    public void What_is_no_state_of_this_run_costs_no_memory()
    {
        const int Count = 64 << 20;
        var trainer = new Trainer(Small, Images, _workspace);
        string state = _folder.At("state");
        trainer.SaveState(state);
        string metadata = JsonSerializer.Serialize(SafeTensors.Read(state).Metadata);
        Expect(metadata.Replace("\"training state\"", "\"pann model\"", StringComparison.Ordinal), "at metadata kind: expected training state, found pann model");
        Expect(metadata, "1 key surplus: 't'");

        void Expect(string texts, string end)
        {
            byte[] json = Encoding.UTF8.GetBytes($$$"""{"__metadata__":{{{texts}}},"t":{"dtype":"F32","shape":[{{{Count}}}],"data_offsets":[0,{{{4L * Count}}}]}}""");
            string bad = _folder.WithHole("bad", [.. BitConverter.GetBytes((ulong)json.Length), .. json], 4L * Count);
            long before = GC.GetAllocatedBytesForCurrentThread();
            string message = Assert.Throws<BadInputException>(() => trainer.Resume(bad)).Message;
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 8_000_000);
            Assert.EndsWith(end, message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_recipe_that_does_not_fit_the_images_is_refused()
    {
        Assert.Equal("recipe: batch: expected at most the 36 training images, found 37", Refuses(Small with { Batch = 37 }));
        Assert.Equal("validation: expected a multiple of 10 images, found 15", Refuses(Small with { Validation = 15 }));
        Assert.Equal("architecture 'vgg': unknown; known: resnet20, resnet32, resnet44, resnet56, resnet110", Refuses(Small with { Architecture = "vgg" }));
        Assert.Equal("normalisation 'mnist': unknown; known: cifar10, imagenet", Refuses(Small with { Normalize = "mnist" }));
        Assert.Equal("recipe: epochs: expected 1 to 10000, found 0", Refuses(Small with { Epochs = 0 }));

        string Refuses(Recipe recipe) => Assert.Throws<BadInputException>(() => new Trainer(recipe, Images, _workspace)).Message;
    }

    private string Refusal(string state, Recipe recipe, Cifar10 data)
        => Assert.Throws<BadInputException>(() => new Trainer(recipe, data, _workspace).Resume(state)).Message;

    private static Trainer Trained(Recipe recipe, Cifar10 data, Workspace workspace)
    {
        var trainer = new Trainer(recipe, data, workspace);
        while (!trainer.Finished) trainer.RunEpoch();
        return trainer;
    }

    private static float[][] Weights(Trainer trainer) => [.. trainer.Model.Parameters.All.Select(p => p.Values.ToArray())];

    private static void AssertSameBits(Trainer expected, Trainer found)
    {
        foreach ((Parameter a, Parameter b) in expected.Model.Parameters.All.Zip(found.Model.Parameters.All))
            Assert.True(a.Values.SequenceEqual(b.Values), $"{a.Name} differs");
    }

    private sealed class Seen : IProgress<TrainingProgress>
    {
        public List<TrainingProgress> Values { get; } = [];

        public void Report(TrainingProgress value) => Values.Add(value);
    }
}
