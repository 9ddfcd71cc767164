using PannCore.Approximation;
using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Reports;
using PannCore.Tests.Support;
using PannCore.Training;
using Xunit;

namespace PannCore.Tests.Diagnostics;

public sealed class PrecisionAdviceTests : IDisposable
{
    private static readonly ActivationSpec[] Candidates = [.. new[] { "direct:2", "direct:8", "composite:alpha=6", "composite:alpha=9" }.Select(ActivationSpec.Parse)];

    private static readonly AdviceImages Choosing = Some(0, 40), Judging = Some(500, 30);

    private readonly Workspace _workspace = new(2, fillWithNaN: true);

    public void Dispose() => _workspace.Dispose();

    [Theory]
    [InlineData(AdviceGoal.Levels)]
    [InlineData(AdviceGoal.Multiplications)]
    public void It_costs_no_more_than_the_uniform_choice_stays_within_the_loss_and_says_what_another_run_finds(AdviceGoal goal)
    {
        ResNet pann = RandomNetwork.Pann("direct:4");
        AdviceRecord record = PrecisionAdvice.Of(pann, Candidates, goal, 1.5, Choosing, Judging, Normalization.Cifar10, _workspace);

        Assert.Equal((goal, 1.5, "forty", "thirty"), (record.Goal, record.Loss, record.ChosenOn, record.JudgedOn));
        Assert.InRange(record.Advised.Chosen.ExpectedLoss, 0, 1.5);
        Assert.InRange(record.Uniform.Chosen.ExpectedLoss, 0, 1.5);
        long Price(AdviceTrial trial) => goal == AdviceGoal.Levels ? trial.ActivationLevels : trial.Multiplications;
        // These candidates do not all cost the same, and the last activations of a random network hardly matter: something is saved.
        Assert.True(Price(record.Advised) < Price(record.Uniform), $"{Price(record.Advised)} against {Price(record.Uniform)}");

        ResNet advised = pann.With(ActivationPatches.Parse(record.Patches.Select(patch => $"{patch.Key}={patch.Value}"), pann, Candidates[0]), RangesOf(pann));
        Assert.Equal(pann.Activations.Select(activation => activation.Path), record.Layers.Select(layer => layer.Path));
        foreach ((AdviceScore score, AdviceImages images) in new[] { (record.Advised.Chosen, Choosing), (record.Advised.Judged, Judging) })
        {
            Evaluation ideal = Run(RandomNetwork.Backbone, images), answers = Run(advised, images);
            byte[] labels = [.. images.Indices.Select(i => images.Data.Labels[i])];
            bool[] was = [.. ideal.Predictions.Zip(labels, (p, label) => p == label)], now = [.. answers.Predictions.Zip(labels, (p, label) => p == label)];
            Assert.Equal(
                (labels.Length, now.Count(right => right), was.Zip(now).Count(pair => pair.First && !pair.Second), was.Zip(now).Count(pair => !pair.First && pair.Second)),
                (score.Images, score.Correct, score.Lost, score.Gained));
            Assert.Equal(ideal.Accuracy - answers.Accuracy, score.Loss, 1e-9);
        }
        Assert.Equal(record.Layers.Sum(layer => layer.Levels), record.Advised.ActivationLevels);
        var cost = NetworkCost.Of(advised, new(1, 32, 32, 3), _workspace);
        Assert.Equal((cost.Levels, cost.NonScalarMultiplications, record.Layers.Sum(layer => layer.Multiplications)), (record.Advised.NetworkLevels, record.Advised.Multiplications, record.Advised.Multiplications));
    }

    /// <summary>By counting for each image, instead of sorting.</summary>
    [Fact]
    public void The_expected_loss_meets_each_image_with_the_changes_of_its_neighbours()
    {
        const int count = 120, classes = 10, neighbours = 25;
        var random = new CounterRandom(3, RandomStream.Weights, 0);
        int[] indices = [.. Enumerable.Range(0, count)];
        byte[] labels = [.. RandomNetwork.Sample.Labels.Take(count)];
        float[] before = new float[count * classes];
        for (int i = 0; i < before.Length; i++) before[i] = (float)random.Normal(i) + (i % classes == labels[i / classes] ? 1.5f : 0);
        Evaluation Of(float[] logits) => new([.. indices.Select(n => Evaluation.Predict(logits.AsSpan(n * classes, classes)))], logits, 0);
        double Margin(float[] logits, int n) => logits[(n * classes) + labels[n]] - Enumerable.Range(0, classes).Where(k => k != labels[n]).Max(k => logits[(n * classes) + k]);
        double[] margins = [.. indices.Select(n => Margin(before, n))];
        int[] place = [.. indices.Select(n => margins.Count(other => other < margins[n]))];
        // Changes grow with the margin's rank among the images, so that whose changes are met matters.
        float[] after = [.. before.Select((logit, i) => logit + (float)(random.Normal(10_000 + i) * 4 * place[i / classes] / count))];
        double expected = 100 * indices.Where(n => margins[n] > 0).Sum(n =>
        {
            int[] near = [.. indices.Where(j => Math.Abs(place[j] - place[n]) <= neighbours)];
            return (double)near.Count(j => margins[n] + Margin(after, j) - margins[j] <= 0) / near.Length;
        }) / count;
        Assert.Equal(expected, PrecisionAdvice.ExpectedLoss(Of(after), Of(before), new(RandomNetwork.Sample, indices, "these")), 1e-9);
        Assert.InRange(expected, 1, 99);
    }

    [Fact]
    public void Where_everything_may_be_lost_the_cheapest_polynomial_stands_everywhere()
    {
        AdviceRecord record = PrecisionAdvice.Of(RandomNetwork.Pann("direct:4"), Candidates, AdviceGoal.Levels, 100, Choosing, Judging, Normalization.Cifar10, _workspace);
        Assert.All(record.Layers, layer => Assert.Equal("direct:2", layer.Activation));
        Assert.Equal("direct:2", record.Uniform.Name);
    }

    [Fact]
    public void The_same_on_any_number_of_threads()
    {
        using var one = new Workspace(1);
        AdviceRecord Advice(Workspace workspace) => PrecisionAdvice.Of(RandomNetwork.Pann("direct:4"), Candidates[..2], AdviceGoal.Levels, 10, Some(0, 20), Some(20, 4), Normalization.Cifar10, workspace);
        Content.Same(Advice(one), Advice(_workspace));
    }

    [Fact]
    public void Where_nothing_is_fine_enough_it_says_so()
    {
        // Alpha 12 far beyond its range gives no finite logits: every right answer is lost.
        BadInputException error = Assert.Throws<BadInputException>(() => PrecisionAdvice.Of(
            RandomNetwork.Pann("direct:4", "global:0.5"), [ActivationSpec.Parse("composite:alpha=12")], AdviceGoal.Levels, 0.5, Choosing, Judging, Normalization.Cifar10, _workspace));
        Assert.Equal("advice: even composite:alpha=12 at every activation is expected to lose more than 0.5 points on forty; allow a larger loss or give finer polynomials", error.Message);
    }

    [Fact]
    public void The_report_says_when_the_loss_is_not_kept_on_other_images()
    {
        AdviceScore ideal = new(200, 180, 0, 0, 0), chosen = new(200, 179, 1, 0, 0.4), judged = new(200, 176, 5, 1, 2);
        AdviceTrial uniform = new("composite:alpha=9", 171, 191, 3_000_000, 0, ideal, ideal);
        AdviceRecord record = new(
            AdviceGoal.Levels, 0.5, "these", "those", new("ideal", 0, 0, 0, 0, ideal, ideal), uniform, new("advice", 150, 170, 2_500_000, 3, chosen, judged), 77, [new("relu", "direct:8", -5.85, 4, 9, 0.25)]);
        Assert.False(record.Kept);
        Assert.Equal(
            [
                "Chosen by these, judged by those; expected to lose at most 0.500 points against the network with its ideal activations.",
                "150 CKKS levels in the activations, against 171 with composite:alpha=9 at every activation: 12.3 % less.",
                "On the images kept apart it loses 2.00 points (5 answers lost, 1 gained): MORE than is allowed; choose by more images (--images), or allow less.",
            ],
            AdviceReport.Summary(record));
        Assert.Equal(["advice", "150", "170", "2,500,000", "89.5 % (84.5..93.0), -1 +0", "0.40", "88.0 % (82.8..91.8), -5 +1", "3"], AdviceReport.Trials(record).Rows[2]);
        Assert.Equal("–", AdviceReport.Trials(record).Rows[0][5]);
        Assert.Equal(["relu", "direct:8", "2^-5.85", "4", "9", "0.250"], AdviceReport.Layers(record).Rows[0]);
        Assert.True((record with { Advised = record.Advised with { Judged = judged with { Lost = 2 } } }).Kept);
    }

    private Evaluation Run(ResNet network, AdviceImages images) => Evaluation.Of(network, images.Data, images.Indices, Normalization.Cifar10, _workspace);

    private static AdviceImages Some(int first, int count) => new(RandomNetwork.Sample, [.. Enumerable.Range(first, count)], count == 40 ? "forty" : "thirty");

    private static ActivationRanges RangesOf(ResNet pann) => ActivationRanges.Of(
        "given", [.. pann.Activations.Select(a => a.Path)], pann.Activations.ToDictionary(a => a.Path, a => ((ActivationFunction.Polynomial)a.Function).Range));
}
