using PannCore.Approximation;
using PannCore.Engine;
using Xunit;

namespace PannCore.Tests.Approximation;

public sealed class EvaluationPlanTests
{
    private const double UnitRoundoff = 1.0 / (1L << 53);

    public static TheoryData<Parity, int, int> Degrees() => new()
    {
        { Parity.Odd, 3, 63 },
        { Parity.Even, 2, 128 },
        { Parity.Even, 130, 256 },
        { Parity.None, 1, 64 },
    };

    [Theory]
    [MemberData(nameof(Degrees))]
    public void Plans_agree_with_the_series_to_their_rounding_for_every_degree(Parity parity, int first, int last)
    {
        for (int degree = first; degree <= last; degree += parity == Parity.None ? 1 : 2)
        {
            long[] numerators = Numerators(parity, degree);
            var polynomial = new Polynomial(parity, 1, Array.ConvertAll(numerators, n => Math.ScaleB(n, -20)));
            foreach (bool fold in (bool[])[false, true])
            {
                EvaluationPlan plan = EvaluationPlan.Of(polynomial, fold);
                for (int i = -8; i <= 8; i += 4)
                {
                    double t = (i * 127) / 1024.0;
                    double sum = polynomial.Coefficients.Sum(Math.Abs);
                    (double value, double bound) = Bounded(plan, t, sum);
                    Assert.Equal(value, plan.Evaluate(t));
                    Assert.InRange(value, Exact(parity, numerators, t) - bound, Exact(parity, numerators, t) + bound);

                    // The bound is worth something, and Clenshaw's sum, whose own rounding is below 16 u N^2 sum|c| with N <= n + 1 terms, agrees too.
                    Assert.True(bound < 1e-8 * sum, $"degree {degree}: bound {bound}");
                    Assert.Equal(polynomial.Evaluate(t), value, bound + (16 * UnitRoundoff * (degree + 1) * (degree + 1) * sum));
                }
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Plans_of_composites_agree_with_the_exact_value_of_their_polynomials(bool fold)
    {
        foreach (ReluPolynomial r in Enumerable.Range(4, 11).Select(alpha => ActivationSpec.Parse($"composite:alpha={alpha},leak=0.1").Build()))
        {
            EvaluationPlan plan = EvaluationPlan.Of(r, fold);
            for (int i = 0; i <= 60; i++)
            {
                // The same allowance as for Clenshaw's recurrences: 1e-12, Certificate.Rounding.
                double t = Math.Pow(2, -i / 6.0);
                Assert.Equal(FixedPoint.ErrorOnPositive(r, t), plan.Evaluate(t) - t, 1e-12);
                Assert.Equal(r.Evaluate(-t), plan.Evaluate(-t), 2e-12);
            }
        }
    }

    [Theory]
    [InlineData(3, 2, 2)]
    [InlineData(5, 3, 3)]
    [InlineData(7, 3, 5)]
    [InlineData(9, 4, 5)]
    [InlineData(11, 4, 6)]
    [InlineData(13, 4, 7)]
    [InlineData(15, 4, 8)]
    [InlineData(27, 5, 10)]
    [InlineData(29, 5, 11)]
    [InlineData(31, 5, 12)]
    public void Odd_stages_cost_what_the_literature_reaches(int degree, int depth, int products)
    {
        Cost cost = EvaluationPlan.Of(Dense(Parity.Odd, degree)).Cost;
        Assert.Equal((depth, depth, products, false), (cost.Depth, cost.Levels, cost.NonScalarMultiplications, cost.LeadingCoefficientFolded));
    }

    [Fact]
    public void Depth_and_levels_are_the_least_possible()
    {
        for (int degree = 3; degree <= 63; degree += 2)
        {
            Cost cost = EvaluationPlan.Of(Dense(Parity.Odd, degree)).Cost;
            Assert.Equal((CeilingLog2(degree), CeilingLog2(degree + 1)), (cost.Depth, cost.Levels));
        }

        for (int degree = 2; degree <= 256; degree += 2)
        {
            Cost cost = EvaluationPlan.Of(Dense(Parity.Even, degree)).Cost, folded = EvaluationPlan.Of(Dense(Parity.Even, degree), true).Cost;
            Assert.Equal((CeilingLog2(degree), CeilingLog2(degree + 1)), (cost.Depth, cost.Levels));
            Assert.Equal((CeilingLog2(degree), CeilingLog2(degree), true), (folded.Depth, folded.Levels, folded.LeadingCoefficientFolded));
        }
    }

    [Theory]
    [InlineData(Parity.Odd, 11)]
    [InlineData(Parity.Even, 16)]
    [InlineData(Parity.None, 10)]
    public void No_other_set_of_Chebyshev_polynomials_needs_fewer_products(Parity parity, int most)
    {
        for (int degree = 2; degree <= most; degree++)
        {
            if (parity != Parity.None && int.IsOddInteger(degree) != (parity == Parity.Odd)) continue;
            int[] candidates = [.. Enumerable.Range(2, degree - 1).Where(k => parity != Parity.Even || int.IsEvenInteger(k))];
            foreach (bool integerLead in (bool[])[false, true])
            {
                int best = int.MaxValue;
                for (int subset = 0; subset < 1 << candidates.Length; subset++)
                {
                    int[] powers = [.. candidates.Where((_, bit) => (subset >> bit & 1) == 1)];
                    best = Math.Min(best, ChebyshevSplitting.Using(powers, degree, parity, integerLead)?.Products ?? int.MaxValue);
                }

                Assert.Equal(best, ChebyshevSplitting.Find(degree, parity, integerLead).Products);
            }
        }
    }

    // Literature: 4, 8, 8, 11, 14, 17, 18, 21, 24, 27, 30. A stage after the first with leading coefficient 1 saves a product for some degrees; the first one too, if folded.
    [Theory]
    [InlineData(4, 4, 4, 4)]
    [InlineData(5, 5, 8, 8)]
    [InlineData(6, 6, 7, 7)]
    [InlineData(7, 7, 10, 9)]
    [InlineData(8, 8, 13, 12)]
    [InlineData(9, 9, 16, 15)]
    [InlineData(10, 11, 17, 16)]
    [InlineData(11, 12, 20, 19)]
    [InlineData(12, 13, 23, 22)]
    [InlineData(13, 14, 26, 25)]
    [InlineData(14, 15, 29, 28)]
    public void Composites_cost_their_stages_and_the_product_with_the_input(int alpha, int depth, int products, int foldedProducts)
    {
        ReluPolynomial r = ActivationSpec.Parse($"composite:alpha={alpha}").Build();
        Cost cost = EvaluationPlan.Of(r).Cost, folded = EvaluationPlan.Of(r, true).Cost;
        Assert.Equal((depth, depth, products, false), (cost.Depth, cost.Levels, cost.NonScalarMultiplications, cost.LeadingCoefficientFolded));
        Assert.Equal((depth, depth, foldedProducts, foldedProducts < products), (folded.Depth, folded.Levels, folded.NonScalarMultiplications, folded.LeadingCoefficientFolded));
    }

    [Theory]
    [InlineData(2, 1, 2, 1)]
    [InlineData(4, 2, 3, 2)]
    [InlineData(8, 3, 4, 3)]
    [InlineData(64, 6, 7, 6)]
    public void Direct_polynomials_save_a_level_by_folding(int degree, int depth, int levels, int foldedLevels)
    {
        ReluPolynomial r = ReluPolynomial.Direct(degree);
        Assert.Equal((depth, levels, false), Figures(EvaluationPlan.Of(r).Cost));
        Assert.Equal((depth, foldedLevels, true), Figures(EvaluationPlan.Of(r, true).Cost));

        static (int, int, bool) Figures(Cost cost) => (cost.Depth, cost.Levels, cost.LeadingCoefficientFolded);
    }

    [Fact]
    public void Folding_saves_a_product_for_a_few_even_degrees_and_costs_some_only_at_powers_of_two()
    {
        List<int> saves = [], costs = [];
        for (int degree = 2; degree <= 256; degree += 2)
        {
            int plain = EvaluationPlan.Of(Dense(Parity.Even, degree)).Cost.NonScalarMultiplications, folded = EvaluationPlan.Of(Dense(Parity.Even, degree), true).Cost.NonScalarMultiplications;
            if (folded == plain - 1) saves.Add(degree);
            else if (folded > plain) costs.Add(degree);
            else Assert.Equal(plain, folded);
        }

        Assert.Equal([12, 14, 20, 30, 58, 62, 122, 126, 242, 250, 254], saves);
        Assert.Equal([16, 32, 64, 128, 256], costs);
    }

    [Fact]
    public void Small_polynomials_cost_what_one_counts_by_hand()
    {
        // x^2: one square. x^2/8 + x/2 + 1/4 = (x/8) x + x/2 + 1/4; with 1/8 in the next weights (x + 4) x + 2 or x x + 4 x + 2.
        Assert.Equal(new Cost(1, 1, 1, 0, 0, false), Of(0.5, 0, 0.5));
        Assert.Equal(new Cost(1, 2, 1, 2, 2, false), Of(0.25 + (1.0 / 16), 0.5, 1.0 / 16));
        Assert.Equal(new Cost(0, 0, 0, 0, 0, false), Of(0, 1));
        Assert.Equal(new Cost(0, 1, 0, 1, 1, false), Of(3, 0.3));
        Assert.Equal(7, EvaluationPlan.Of(new Polynomial(Parity.None, 1, [7.0])).Evaluate(0.3));
        Assert.Equal(0, EvaluationPlan.Of(new Polynomial(Parity.None, 1, [0.0]), true).Evaluate(0.3));

        static Cost Of(params double[] c) => EvaluationPlan.Of(new Polynomial(Parity.None, 1, c)).Cost;
    }

    [Fact]
    public void A_basis_of_another_interval_costs_a_level_unless_it_is_folded()
    {
        Polynomial narrow = Dense(Parity.Odd, 7), wide = new(Parity.Odd, 1.7, narrow.Coefficients.ToArray());
        var shifted = new Polynomial(Parity.None, 1.7, [0.3, 0.2, 0.4, -0.1], 0.6);
        EvaluationPlan plan = EvaluationPlan.Of(wide), folded = EvaluationPlan.Of(wide, true);
        Assert.Equal((3, 4), (plan.Cost.Depth, plan.Cost.Levels));
        Assert.Equal((3, 3, 1 / 1.7), (folded.Cost.Depth, folded.Cost.Levels, folded.InputFactor));
        for (double t = -1.5; t < 1.5; t += 0.1)
        {
            // Sums of at most eight terms below 1: a hundred roundings.
            Assert.Equal(wide.Evaluate(t), plan.Evaluate(t), 1e-14);
            Assert.Equal(wide.Evaluate(t), folded.Evaluate(t), 1e-14);
            Assert.Equal(shifted.Evaluate(t), EvaluationPlan.Of(shifted).Evaluate(t), 1e-14);
            Assert.Equal(shifted.Evaluate(t), EvaluationPlan.Of(shifted, true).Evaluate(t), 1e-14);
        }
    }

    [Fact]
    public void A_series_that_is_even_but_for_one_term_is_evaluated_as_such()
    {
        ReluPolynomial direct = ReluPolynomial.Direct(64);
        double[] dense = new double[65];
        for (int k = 0; k <= 32; k++) dense[2 * k] = direct.Stages[0].Coefficients[k] / 2;
        dense[1] = 0.5;
        Assert.Equal(EvaluationPlan.Of(direct).Cost, EvaluationPlan.Of(new Polynomial(Parity.None, 1, dense)).Cost);
    }

    [Theory]
    [InlineData("composite:alpha=14")]
    [InlineData("direct:100")]
    public void The_cost_is_that_of_the_instructions_and_none_is_wasted(string spec)
    {
        EvaluationPlan plan = EvaluationPlan.Of(ActivationSpec.Parse(spec).Build());
        int Count(params PlanOperation[] operations) => plan.Steps.Count(step => operations.Contains(step.Operation));
        Assert.Equal(Count(PlanOperation.Multiply), plan.Cost.NonScalarMultiplications);
        Assert.Equal(Count(PlanOperation.MultiplyConstant), plan.Cost.ScalarMultiplications);
        Assert.Equal(Count(PlanOperation.Add, PlanOperation.Subtract, PlanOperation.AddConstant), plan.Cost.Additions);

        HashSet<int> used = [plan.Output, .. plan.Steps.SelectMany(step => (int[])[step.X, step.Y])];
        Assert.All(Enumerable.Range(0, plan.Steps.Count + 1), value => Assert.Contains(value, used));
        Assert.Equal(plan.Steps.Count, plan.Steps.Distinct().Count());
        Assert.All(plan.Steps.Select((step, i) => (step, i)), pair => Assert.True(pair.step.X <= pair.i && pair.step.Y <= pair.i));
    }

    private static int CeilingLog2(int n) => (int)Math.Ceiling(Math.Log2(n));

    private static Polynomial Dense(Parity parity, int degree)
        => new(parity, 1, Array.ConvertAll(Numerators(parity, degree), n => Math.ScaleB(n, -20)));

    // Coefficients n / 2^20 in [-1, 1], exact in double and in decimal, the leading one above 0.1.
    private static long[] Numerators(Parity parity, int degree)
    {
        var random = new CounterRandom(degree, RandomStream.Weights, (int)parity);
        int count = parity == Parity.None ? degree + 1 : (degree / 2) + 1;
        long[] numerators = [.. Enumerable.Range(0, count).Select(k => (long)((2 * random.Uniform(k) - 1) * (1 << 20)) | 1)];
        if (Math.Abs(numerators[^1]) < 1 << 17) numerators[^1] += 1 << 19;
        return numerators;
    }

    // The three-term recurrence in decimal, 28 digits: off by less than 1e-22 here.
    private static double Exact(Parity parity, long[] numerators, double t)
    {
        decimal s = (decimal)t, previous = 1, current = s, sum = 0;
        for (int k = 0, degree = 0; k < numerators.Length; degree++)
        {
            if (parity == Parity.None || int.IsOddInteger(degree) == (parity == Parity.Odd))
                sum += numerators[k++] / 1048576m * previous;
            (previous, current) = (current, (2 * s * current) - previous);
        }

        return (double)sum;
    }

    /// <summary>The value, and a bound of its distance from exact arithmetic that follows every rounding through the plan.</summary>
    private static (double Value, double Bound) Bounded(EvaluationPlan plan, double t, double sum)
    {
        // A constant is a sum of at most 2^8 coefficients over the output factor: off by 16 roundings of the largest it can be.
        var arithmetic = new RunningError(16 * UnitRoundoff * sum / Math.Abs(plan.OutputFactor));
        (double value, double bound) = plan.Run(arithmetic, (t * plan.InputFactor, 0.0));
        return (plan.OutputFactor * value, Math.Abs(plan.OutputFactor) * bound * (1 + 1e-9) + (UnitRoundoff * Math.Abs(plan.OutputFactor * value)) + double.Epsilon);
    }

    private sealed class RunningError(double constant) : IPlanArithmetic<(double Value, double Bound)>
    {
        public (double Value, double Bound) Add((double Value, double Bound) x, (double Value, double Bound) y)
            => Rounded(x.Value + y.Value, x.Bound + y.Bound);

        public (double Value, double Bound) Subtract((double Value, double Bound) x, (double Value, double Bound) y)
            => Rounded(x.Value - y.Value, x.Bound + y.Bound);

        public (double Value, double Bound) AddConstant((double Value, double Bound) x, double c)
            => Rounded(x.Value + c, x.Bound + constant);

        public (double Value, double Bound) MultiplyConstant((double Value, double Bound) x, double c)
            => Rounded(x.Value * c, (x.Bound * (Math.Abs(c) + constant)) + (Math.Abs(x.Value) * constant));

        public (double Value, double Bound) Multiply((double Value, double Bound) x, (double Value, double Bound) y)
            => Rounded(x.Value * y.Value, (x.Bound * (Math.Abs(y.Value) + y.Bound)) + (Math.Abs(x.Value) * y.Bound));

        private static (double, double) Rounded(double value, double bound) => (value, bound + (UnitRoundoff * Math.Abs(value)));
    }
}
