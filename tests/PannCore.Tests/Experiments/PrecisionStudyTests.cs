using PannCore.Approximation;
using PannCore.Checkpoints;
using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Experiments;
using PannCore.Nn;
using PannCore.Tests.Cli;
using PannCore.Tests.Diagnostics;
using PannCore.Training;
using Xunit;

namespace PannCore.Tests.Experiments;

public sealed class PrecisionStudyTests(CliFiles files) : IClassFixture<CliFiles>, IDisposable
{
    private static readonly Cifar10 Training = RandomNetwork.Sample.Select([.. Enumerable.Range(0, 20)]), Test = RandomNetwork.Sample.Select([.. Enumerable.Range(100, 30)]);

    private readonly Workspace _workspace = new(2);

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public void Every_cell_is_what_conversion_repair_and_evaluation_give()
    {
        PannModel model = PannModel.Load(files.Model);
        var study = new PrecisionStudy(model, Training, 8, Test, _workspace);
        var spec = ActivationSpec.Parse("composite:alpha=6");
        int[] all = [.. Enumerable.Range(0, Test.Count)], images = [.. Enumerable.Range(0, 8)];
        Evaluation Of(ResNet network, RangeProbe probe) => Evaluation.Of(network, Test, all, Normalization.Cifar10, _workspace, observers: [probe]);
        Evaluation ideal = Of(model.Backbone, new());
        foreach (string ranges in PrecisionStudy.RangeTexts)
        {
            ActivationRanges used = model.Ranges(spec, ranges);
            ResNet[] expected =
            [
                model.Backbone.With(spec, used),
                .. new (RepairShift?, bool)[] { (RepairShift.Injected, false), (null, true), (RepairShift.Injected, true) }
                    .Select(way => Repair.InOneWay(model.Backbone, spec, used, way.Item1, way.Item2, Training, images, Normalization.Cifar10, _workspace).Pann),
            ];
            Assert.Equal(expected.Length, expected.Select(pann => string.Join(' ', Of(pann, new()).Logits)).Distinct().Count());
            foreach ((string control, ResNet pann) in PrecisionStudy.Controls.Zip(expected))
            {
                var probe = new RangeProbe();
                Evaluation answers = Of(pann, probe);
                PrecisionCell cell = study.Measure(ranges, control, 6, study.Backbone());
                int lost = Enumerable.Range(0, Test.Count).Count(i => ideal.Predictions[i] == Test.Labels[i] && answers.Predictions[i] != Test.Labels[i]);
                Assert.Equal(new(ranges, control, 6, answers.Correct, probe.OutOfRangeImages, probe.Exploded.Count, study.Key(ranges, control, 6)) { Lost = lost }, cell);
            }
            // Without a shift the network has none.
            Assert.All(expected[2].Activations, activation => Assert.Null(Assert.IsType<ActivationFunction.Polynomial>(activation.Function).Shift));
        }
        Assert.Equal(ideal.Correct, study.Backbone().Count(right => right));
    }

    [Fact]
    public void Equalised_and_refitted_cells_are_what_the_two_give_one_after_the_other()
    {
        PannModel model = PannModel.Load(files.Model);
        var study = new PrecisionStudy(model, Training, 8, Test, _workspace);
        var spec = ActivationSpec.Parse("composite:alpha=6");
        int[] all = [.. Enumerable.Range(0, Test.Count)], images = [.. Enumerable.Range(0, 8)];
        string[] paths = [.. model.Backbone.Activations.Select(a => a.Path)];
        (ResNet equalised, IReadOnlyDictionary<string, double> largest) = Equalisation.Of(model.Backbone, Equalisation.Measure(model.Backbone, Training, [.. Enumerable.Range(0, Training.Count)], Normalization.Cifar10, _workspace));
        ActivationRanges before = model.Ranges(spec, "global"), after = ActivationRanges.Parse("global", paths, largest, 1.3);
        (string, ResNet)[] expected =
        [
            ("refit", Refit.Of(model.Backbone, spec, before, Training, images, Normalization.Cifar10, _workspace).Pann),
            ("equalised", equalised.With(spec, after)),
            ("equalised, refit", Refit.Of(equalised, spec, after, Training, images, Normalization.Cifar10, _workspace).Pann),
        ];
        foreach ((string control, ResNet pann) in expected)
        {
            var probe = new RangeProbe();
            Evaluation answers = Evaluation.Of(pann, Test, all, Normalization.Cifar10, _workspace, observers: [probe]);
            PrecisionCell cell = study.Measure("global", control, 6, study.Backbone());
            Assert.Equal((control, answers.Correct, probe.OutOfRangeImages, probe.Exploded.Count), (cell.Control, cell.Correct, cell.OutOfRangeImages, cell.ExplodedImages));
        }
        Assert.Equal(PrecisionStudy.Controls.Skip(4), expected.Select(pair => pair.Item1));
        Assert.Equal(3, PrecisionStudy.Controls.Skip(4).Select(control => study.Key("global", control, 6)).Distinct().Count());
    }

    [Fact]
    public void A_key_is_of_everything_that_a_figure_depends_on()
    {
        PannModel model = PannModel.Load(files.Model);
        var study = new PrecisionStudy(model, Training, 8, Test, _workspace);
        string otherPixels = Path.Combine(files.Root, "imagenet.safetensors");
        ModelFile.Save(otherPixels, model.Backbone, model.Description with { Normalization = Normalization.ImageNet });
        using var direct = new Workspace(1, ConvAlgorithm.Direct);
        string[] keys =
        [
            study.Key("layer", "plain", 6), study.Key("global", "plain", 6), study.Key("layer", "shift", 6), study.Key("layer", "plain", 7),
            new PrecisionStudy(model, Training, 7, Test, _workspace).Key("layer", "plain", 6),
            new PrecisionStudy(model, Test, 8, Test, _workspace).Key("layer", "plain", 6),
            new PrecisionStudy(model, Training, 8, Training, _workspace).Key("layer", "plain", 6),
            new PrecisionStudy(model, Training, 8, Test, direct).Key("layer", "plain", 6),
            new PrecisionStudy(model, Training, 8, new Cifar10(Test.Images, [.. Test.Labels.Select(label => (byte)(9 - label))], Test.Source), _workspace).Key("layer", "plain", 6),
            new PrecisionStudy(PannModel.Load(otherPixels), Training, 8, Test, _workspace).Key("layer", "plain", 6),
        ];
        Assert.Equal(keys.Length, keys.Distinct().Count());
        Assert.Equal(keys[0], new PrecisionStudy(PannModel.Load(files.Model), Training, 8, Test, _workspace).Key("layer", "plain", 6));
        model.Backbone.Parameters.All[0].Update(values => values[0] += 1);
        Assert.DoesNotContain(new PrecisionStudy(model, Training, 8, Test, _workspace).Key("layer", "plain", 6), keys);
    }

    [Fact]
    public void A_control_that_has_nothing_to_measure_on_leaves_the_network_as_it_is()
    {
        PannModel model = PannModel.Load(files.Model);
        // Pixels at both ends of their scale drive every image out of the ranges, and alpha 13 to infinity.
        var harsh = new Cifar10([.. Training.Images.Select((_, i) => (byte)(i % 2 == 0 ? 0 : 255))], Training.Labels, "harsh");
        var study = new PrecisionStudy(model, harsh, 12, harsh, _workspace);
        bool[] backbone = study.Backbone();
        PrecisionCell plain = study.Measure("layer", "plain", 13, backbone), shift = study.Measure("layer", "shift", 13, backbone);
        Assert.Equal(harsh.Count, plain.ExplodedImages);
        Assert.Equal(plain with { Control = "shift", Key = shift.Key }, shift);
    }

    [Fact]
    public void The_answers_to_bundled_images_are_counted_apart_and_answers_are_kept_where_networks_are_compared()
    {
        PannModel model = PannModel.Load(files.Model);
        int[] sample = [3, 4, 20];
        var study = new PrecisionStudy(model, Training, 8, Test, _workspace, sample);
        PrecisionCell cell = study.Measure("global", "plain", 8, study.Backbone());
        bool[] right = RightAnswers.Read(cell.Right!, Test.Count);
        Evaluation answers = Evaluation.Of(model.Convert("composite:alpha=8", "global"), Test, [.. Enumerable.Range(0, Test.Count)], Normalization.Cifar10, _workspace);
        Assert.Equal(answers.Predictions.Select((prediction, i) => prediction == Test.Labels[i]), right);
        Assert.Equal(sample.Count(image => right[image]), cell.SampleCorrect);
        Assert.Null(study.Measure("layer", "plain", 8, study.Backbone()).Right);
    }
}
