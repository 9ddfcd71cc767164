using PannCore.Approximation;
using Xunit;

namespace PannCore.Tests.Approximation;

public class FrontierTests
{
    /// <summary>Rows with these levels, multiplications, maximum errors, means and RMS errors.</summary>
    internal static Frontier Make(params (string Spec, int Levels, int Multiplications, double Max, double Mean, double Rms)[] rows)
        => new(
            [.. rows.Select(r => new FrontierRow(
                r.Spec, r.Spec.StartsWith('c') ? ReluFamily.Composite : ReluFamily.Direct, [7], r.Max, r.Spec.StartsWith('c') ? 0 : r.Max,
                [new ErrorStatistics("8", 9, 9), new ErrorStatistics("16", r.Mean, r.Rms)],
                new Cost(r.Levels - 1, r.Levels, r.Multiplications, 5, 6, false), new Cost(r.Levels - 1, r.Levels - 1, r.Multiplications, 5, 6, true)))],
            ["8", "16"], 1);

    [Fact]
    public void The_Pareto_set_is_what_nothing_dominates()
    {
        // Few values, so that ties of every kind occur.
        var random = 12345u;
        double Next() => (random = (random * 1664525) + 1013904223) >> 29;
        for (int trial = 0; trial < 200; trial++)
        {
            Frontier frontier = Make([.. Enumerable.Range(0, 9).Select(i => ($"c{i}", 1 + (int)Next(), 1 + (int)Next(), 1 + Next(), Next() - 4, 1 + Next()))]);
            foreach (FrontierError error in Enum.GetValues<FrontierError>())
            {
                foreach (FrontierPrice price in Enum.GetValues<FrontierPrice>())
                {
                    (int Price, double Error)[] expected =
                    [
                        .. frontier.Rows.Select(Figures).Distinct()
                            .Where(p => !frontier.Rows.Select(Figures).Any(q => q != p && q.Price <= p.Price && q.Error <= p.Error)).OrderBy(p => p.Price),
                    ];
                    Assert.Equal(expected, frontier.Pareto(error, price).Select(Figures));

                    (int Price, double Error) Figures(FrontierRow row) => (row.Price(price), frontier.Error(row, error));
                }
            }
        }
    }

    [Fact]
    public void The_chosen_density_decides_within_the_budget()
    {
        Frontier frontier = Make(("direct:254", 8, 28, 0.1, -0.001, 0.09), ("composite:7,15", 8, 14, 0.2, -0.02, 0.03), ("composite:9,9", 9, 11, 0.3, 0, 0.01));
        Assert.Equal("composite:9,9", frontier.Recommend(null, null)!.Spec);
        Assert.Equal("composite:7,15", frontier.Recommend(8, null)!.Spec);
        Assert.Equal("composite:9,9", frontier.Recommend(null, 11)!.Spec);
        Assert.Equal("composite:7,15", frontier.Recommend(8, 14)!.Spec);
        Assert.Null(frontier.Recommend(7, null));
        Assert.Null(frontier.Recommend(8, 11));
        Assert.Equal(0.02, frontier.Error(frontier.Rows[1], FrontierError.Mean));
    }

    [Fact]
    public void Candidates_have_different_degrees_and_none_is_missed()
    {
        IReadOnlyList<ActivationSpec> specs = Frontier.Candidates();
        Assert.Equal(specs.Count, specs.Select(spec => $"{spec.Kind} {string.Join(',', spec.Degrees)}").Distinct().Count());
        Assert.Equal(Enumerable.Range(4, 11).Select(alpha => $"composite:alpha={alpha}"), specs.Take(11).Select(spec => spec.ToString()));
        // One level less than {7,7,13} for nearly the same error, and nearly two bits more than {7,15,27} for one level.
        Assert.Contains(specs, spec => spec.ToString() == "composite:15,31");
        Assert.Contains(specs, spec => spec.ToString() == "composite:15,15,63");

        // A direct degree that is left out costs at least as much as a larger one that is there.
        int[] direct = [.. specs.Where(spec => spec.Kind == ActivationKind.Direct).Select(spec => spec.Degrees[0])];
        Assert.Superset(new HashSet<int> { 2, 4, 8, 16, 32, 64, 128, 256, 24, 48, 254 }, direct.ToHashSet());
        foreach (int degree in new[] { 20, 26, 50, 100, 150, 220 })
        {
            Cost cost = CostOf(degree);
            Assert.DoesNotContain(degree, direct);
            Assert.Contains(direct, larger => larger > degree && CostOf(larger) is var c && c.Levels <= cost.Levels && c.NonScalarMultiplications <= cost.NonScalarMultiplications);
        }

        static Cost CostOf(int degree) => EvaluationPlan.Of(ActivationSpec.Parse($"direct:{degree}").Build()).Cost;
    }

    [Fact]
    public void A_row_tells_what_the_polynomial_is()
    {
        InputDensity[] densities = [InputDensity.Gaussian(8), InputDensity.Gaussian(64)];
        List<int> done = [];
        Frontier frontier = Frontier.Of([ActivationSpec.Parse("composite:alpha=7"), ActivationSpec.Parse("direct:16")], densities, 1, new Progress(done));
        Assert.Equal(["8", "64"], frontier.Densities);
        Assert.Equal("64", frontier.Density);
        Assert.Equal([1, 2], done);

        ReluPolynomial direct = ReluPolynomial.Direct(16);
        FrontierRow row = frontier.Rows[1];
        Assert.Equal(("direct:16", direct.MaxError, direct.Evaluate(0)), (row.Spec, row.MaxError, row.ValueAtZero));
        Assert.Equal([.. densities.Select(density => ErrorStatistics.Of(direct, density))], row.Errors);
        // Of degree 2^4: 4 products deep; a power of two costs one level more, unless its leading coefficient is folded.
        Assert.Equal((4, 5, 4), (row.Cost.Depth, row.Cost.Levels, row.Folded.Levels));
        Assert.Equal(0, frontier.Rows[0].ValueAtZero);
    }

    [Fact]
    public void Generation_can_be_stopped()
        => Assert.Throws<OperationCanceledException>(() => Frontier.Of([ActivationSpec.Parse("direct:2")], [InputDensity.Gaussian(16)], 0, cancellation: new CancellationToken(true)));

    private sealed class Progress(List<int> done) : IProgress<int>
    {
        public void Report(int value) => done.Add(value);
    }
}
