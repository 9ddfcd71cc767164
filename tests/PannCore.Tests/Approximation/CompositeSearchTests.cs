using PannCore.Approximation;
using Xunit;

namespace PannCore.Tests.Approximation;

public sealed class CompositeSearchTests(CompositeSearchTests.Shared shared) : IClassFixture<CompositeSearchTests.Shared>
{
    public sealed class Shared
    {
        internal CompositeSearch Search { get; } = new();
    }

    private static readonly int[] AllDegrees = [.. Enumerable.Range(3, 61).Where(int.IsOddInteger)];

    public static TheoryData<int> Alphas() => new(Enumerable.Range(CompositeSearch.SmallestAlpha, CompositeSearch.LargestAlpha - CompositeSearch.SmallestAlpha + 1));

    [Theory]
    [MemberData(nameof(Alphas))]
    public void What_is_found_reaches_alpha_and_is_no_dearer_than_the_degrees_of_the_literature(int alpha)
    {
        ReluPolynomial depth = ReluPolynomial.Composite(shared.Search.LeastDepth(alpha)), products = ReluPolynomial.Composite(shared.Search.LeastMultiplications(alpha));
        (int Depth, int Products) least = Price(depth), cheapest = Price(products);
        Assert.All([depth, products], r => Assert.True(r.MaxError <= Math.Pow(2, -alpha) && r.Certificate.Passed));
        Assert.True(least.Depth <= cheapest.Depth && cheapest.Products <= least.Products);
        if (alpha > ActivationSpec.LargestAlpha) return;

        ReluPolynomial literature = ActivationSpec.Parse($"composite:alpha={alpha}").Build();
        Assert.True(literature.MaxError <= Math.Pow(2, -alpha));
        Assert.True(least.CompareTo(Price(literature)) <= 0, $"{least} against {Price(literature)}");
    }

    [Theory]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public void No_sequence_of_less_depth_reaches_alpha(int alpha)
    {
        (int, int) found = Price(ReluPolynomial.Composite(shared.Search.LeastDepth(alpha)));
        Refute(alpha, (depth, products) => (depth, products).CompareTo(found) < 0, found.Item1, AllDegrees);
    }

    [Theory]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public void No_sequence_of_fewer_multiplications_reaches_alpha(int alpha)
    {
        (int depth, int products) = Price(ReluPolynomial.Composite(shared.Search.LeastMultiplications(alpha)));
        Refute(alpha, (otherDepth, otherProducts) => (otherProducts, otherDepth).CompareTo((products, depth)) < 0, products, AllDegrees);
    }

    [Theory]
    [InlineData(8)]
    [InlineData(9)]
    public void A_search_among_few_degrees_finds_the_best_of_all_their_sequences(int alpha)
    {
        var search = new CompositeSearch([3, 7, 15], 4);
        (int depth, int products) = Price(ReluPolynomial.Composite(search.LeastMultiplications(alpha)));
        (int, int) least = Price(ReluPolynomial.Composite(search.LeastDepth(alpha)));
        Refute(alpha, (otherDepth, otherProducts) => (otherProducts, otherDepth).CompareTo((products, depth)) < 0, products, 3, 7, 15);
        Refute(alpha, (otherDepth, otherProducts) => (otherDepth, otherProducts).CompareTo(least) < 0, least.Item1, 3, 7, 15);
    }

    [Theory]
    [InlineData(11)]
    [InlineData(15)]
    public void Keeping_more_sequences_finds_nothing_cheaper(int alpha)
    {
        var wide = new CompositeSearch(AllDegrees, 150);
        Assert.Equal(Price(ReluPolynomial.Composite(wide.LeastDepth(alpha))), Price(ReluPolynomial.Composite(shared.Search.LeastDepth(alpha))));
        Assert.Equal(Price(ReluPolynomial.Composite(wide.LeastMultiplications(alpha))), Price(ReluPolynomial.Composite(shared.Search.LeastMultiplications(alpha))));
    }

    [Fact]
    public void One_more_bit_than_the_largest_alpha_is_out_of_reach()
        => Assert.Null(shared.Search.Search(Math.Pow(2, -CompositeSearch.LargestAlpha - 1), CompositeSearch.ByDepth, CancellationToken.None));

    [Theory]
    [InlineData(40)]
    [InlineData(16)]
    [InlineData(3)]
    [InlineData(-1)]
    public void Another_alpha_gets_one_error_that_names_the_largest(int alpha)
    {
        string expected = $"search for a composite: alpha {alpha}, expected 4 to 15: certificates in double reach 2^-15, since they sample a polynomial whose degrees have a product of at most 32768";
        Assert.Equal(expected, Assert.Throws<BadInputException>(() => shared.Search.LeastDepth(alpha)).Message);
        Assert.Equal(expected, Assert.Throws<BadInputException>(() => shared.Search.LeastMultiplications(alpha)).Message);
    }

    [Fact]
    public void A_search_ends_when_it_is_cancelled()
        => Assert.Throws<OperationCanceledException>(() => shared.Search.LeastDepth(9, new CancellationToken(true)));

    private static (int Depth, int Products) Price(ReluPolynomial r)
    {
        Cost cost = EvaluationPlan.Of(r).Cost;
        return (cost.Depth, cost.NonScalarMultiplications);
    }

    /// <summary>Tunes every sequence of the degrees, of any length, that is cheaper, and finds none whose error is low enough.</summary>
    private static void Refute(int alpha, Func<int, int, bool> cheaper, int mostDepth, params int[] degrees)
    {
        Dictionary<int, (int Depth, int First, int Later)> prices = [];
        foreach (int degree in degrees)
        {
            ChebyshevSplitting first = ChebyshevSplitting.Find(degree, Parity.Odd, false), later = ChebyshevSplitting.Find(degree, Parity.Odd, true);
            prices[degree] = (first.Depth, first.Products, Math.Min(first.Products, later.Products));
        }

        int tuned = 0;
        Extend([], 1, 1);
        Assert.True(tuned > 0);

        void Extend(int[] sequence, int depth, int products)
        {
            foreach ((int degree, (int stageDepth, int first, int later)) in prices)
            {
                int[] longer = [.. sequence, degree];
                (int newDepth, int newProducts) = (depth + stageDepth, products + (sequence.Length == 0 ? first : later));
                if (newDepth > mostDepth) continue;
                if (cheaper(newDepth, newProducts))
                {
                    double target = Math.Pow(2, -alpha), error = CompositeSign.Tune(longer)[^1].LevelledError / 2;
                    Assert.True(error > target || ReluPolynomial.Composite(longer).MaxError > target, $"{string.Join(',', longer)}: {error}");
                    tuned++;
                }

                Extend(longer, newDepth, newProducts);
            }
        }
    }
}
