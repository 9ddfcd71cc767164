using PannCore.Approximation;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Ops;
using Xunit;
using Conv2d = PannCore.Nn.Conv2d;
using Linear = PannCore.Nn.Linear;

namespace PannCore.Tests.Diagnostics;

/// <summary>Prices against totals added up by hand from the rules that <see cref="NetworkCost"/> states.</summary>
public sealed class NetworkCostTests : IDisposable
{
    private static readonly Shape TinyImage = new(1, 4, 4, 1), Image = new(1, 32, 32, 3);

    private readonly Workspace _workspace = new(1);

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public void Every_operation_of_a_tiny_network_has_the_price_worked_out_by_hand()
    {
        NetworkCost cost = NetworkCost.Of(new Tiny("direct:2"), TinyImage, _workspace);

        // direct:2 is one square, one constant for it, one for the linear term: 2 levels. 3x3 kernels over 1 and 2 channels: 9 and 18 products.
        Assert.Equal(
            [
                ("conv1", 32, 0, 1, 0, 9, 1), ("bn1", 32, 0, 0, 0, 0, 1), ("relu1", 32, 1, 2, 1, 2, 3),
                ("conv2", 32, 0, 1, 0, 18, 4), ("add", 32, 0, 0, 0, 1, 4), ("relu2", 32, 1, 2, 1, 2, 6),
                ("pool", 2, 0, 0, 0, 0, 6), ("linear", 3, 0, 1, 0, 2, 7),
            ],
            cost.Operations.Select(o => (o.Path, o.Elements, o.Depth, o.Levels, o.NonScalarMultiplications, o.ScalarMultiplications, o.LevelsAfter)));
        Assert.Equal((2, 7, 2, 64, (32 * 9) + (32 * 2) + (32 * 18) + 32 + (32 * 2) + (3 * 2)), (cost.Depth, cost.Levels, cost.Rounds, cost.NonScalarMultiplications, cost.ScalarMultiplications));
        Assert.Equal((null, null, 2), (cost.Bootstraps, cost.BootstrappedElements, cost.LeastUsableLevels));
    }

    [Fact]
    public void Folded_coefficients_save_a_level_for_each_square()
    {
        // x^2 + 2 x is left of the polynomial: a square, a doubling, no constant.
        NetworkCost cost = NetworkCost.Of(new Tiny("direct:2"), TinyImage, _workspace, foldLeadingCoefficient: true);
        Assert.Equal((2, 5, 64, (32 * 9) + (32 * 18) + 32 + (3 * 2)), (cost.Depth, cost.Levels, cost.NonScalarMultiplications, cost.ScalarMultiplications));
        Assert.True(cost.LeadingCoefficientFolded);
    }

    [Theory]
    [InlineData(7, "", 0)]
    [InlineData(6, "linear", 2)] // conv1 5, relu1 3, conv2 2, relu2 0 left
    [InlineData(4, "relu2", 32)] // conv1 3, relu1 1, conv2 0; the other branch of the addition spends its last level; relu2 2, linear 1
    [InlineData(3, "conv2 linear", 34)] // conv1 2, relu1 0; refreshed for conv2 and for the addition: 2; relu2 0
    [InlineData(2, "relu1 conv2 relu2 linear", 98)] // conv1 1; refreshed, relu1 0; refreshed, conv2 1, addition 1; refreshed, relu2 0
    public void A_bootstrap_is_placed_before_an_operation_that_does_not_fit(int levels, string before, long elements)
    {
        NetworkCost cost = NetworkCost.Of(new Tiny("direct:2"), TinyImage, _workspace, levels);
        Assert.Equal(before.Split(' ', StringSplitOptions.RemoveEmptyEntries), cost.Operations.Where(o => o.Bootstraps > 0).Select(o => o.Path));
        Assert.All(cost.Operations, o => Assert.InRange(o.Bootstraps, 0, 1));
        Assert.Equal((before.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length, elements, 7), (cost.Bootstraps, cost.BootstrappedElements, cost.Levels));
    }

    [Fact]
    public void Branches_that_have_consumed_equally_much_need_no_product()
    {
        NetworkCost cost = NetworkCost.Of(new Twins(), TinyImage, _workspace, usableLevels: 1);
        Assert.Equal([9, 9, 0], cost.Operations.Select(o => o.ScalarMultiplications));
        Assert.Equal((1, 0), (cost.Levels, cost.Bootstraps));
    }

    [Theory]
    [InlineData("direct:2", false, 19, 58, 188_416, 41_013_888)]
    [InlineData("direct:2", true, 19, 39, 188_416, 40_637_056)]
    [InlineData("composite:alpha=9", false, 171, 191, 3_014_656, 43_651_712)]
    [InlineData("composite:alpha=9", true, 171, 191, 2_826_240, 43_651_712)]
    public void ResNet20_costs_what_its_published_shape_says(string spec, bool fold, int depth, int levels, long products, long scalarProducts)
    {
        // 19 activations: 7 of 32x32x16, 6 of 16x16x32, 6 of 8x8x64 elements.
        const long activations = (7 * 16_384) + (6 * 8_192) + (6 * 4_096);

        // Stem; 6 convolutions of 16 to 16 channels; 16 to 32 and 5 of 32 to 32; 32 to 64 and 5 of 64 to 64; linear: the 40.55 million multiply-adds of ResNet-20.
        const long weights = (27 * 16_384) + (6 * 144 * 16_384) + (144 * 8_192) + (5 * 288 * 8_192) + (288 * 4_096) + (5 * 576 * 4_096) + 640;

        // Nine additions, three of each size.
        const long additions = 3 * (16_384 + 8_192 + 4_096);

        // 15,15: two series of degree 15 with 8 products and 8 constants each (the last product by x included; folded, one less); direct:2: a square and two constants.
        (int each, int constants, int levelsEach) = (spec, fold) switch { ("direct:2", false) => (1, 2, 2), ("direct:2", true) => (1, 0, 1), (_, false) => (16, 16, 9), _ => (15, 16, 9) };
        Assert.Equal((products, scalarProducts, levels), (activations * each, weights + additions + (activations * constants), 20 + (19 * levelsEach)));

        ReluPolynomial polynomial = ActivationSpec.Parse(spec).Build();
        NetworkCost cost = NetworkCost.Of(new ResNet(20, activations: _ => new ActivationFunction.Polynomial(polynomial, 1)), Image, _workspace, foldLeadingCoefficient: fold);
        Assert.Equal((depth, levels, products, scalarProducts), (cost.Depth, cost.Levels, cost.NonScalarMultiplications, cost.ScalarMultiplications));
        Assert.Equal(70, cost.Operations.Count);
    }

    [Theory]
    [InlineData(10, 19)] // a convolution and an activation each: before every convolution but the first, and before linear
    [InlineData(9, 38)] // an activation uses up all: before each of 19, before 18 convolutions and before linear
    [InlineData(20, 10)] // two of each: inside the first block, where 20 levels are spent with the stem, before each of the other eight, before linear
    [InlineData(191, 0)]
    public void ResNet20_is_refreshed_as_often_as_its_blocks_demand(int levels, int bootstraps)
    {
        ReluPolynomial polynomial = ActivationSpec.Parse("composite:alpha=9").Build();
        var pann = new ResNet(20, activations: _ => new ActivationFunction.Polynomial(polynomial, 1));
        Assert.Equal(bootstraps, NetworkCost.Of(pann, Image, _workspace, levels).Bootstraps);
    }

    [Fact]
    public void What_has_no_price_is_refused_by_name()
    {
        Assert.Equal(
            "cost: relu is relu: expected a polynomial, such as composite:alpha=9; encrypted values are only added and multiplied",
            Assert.Throws<BadInputException>(() => NetworkCost.Of(new ResNet(20), Image, _workspace)).Message);
        Assert.Equal(
            "cost: strange is add, an operation without a known price",
            Assert.Throws<BadInputException>(() => NetworkCost.Of(new Strange(), TinyImage, _workspace)).Message);
        Assert.Equal(
            "cost: relu1 (polynomialRelu) consumes 2 levels and bootstraps are placed between operations: expected at least as many usable levels, found 1",
            Assert.Throws<BadInputException>(() => NetworkCost.Of(new Tiny("direct:2"), TinyImage, _workspace, 1)).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => NetworkCost.Of(new Tiny("direct:2"), TinyImage, _workspace, 0));
    }

    /// <summary>relu1(bn1(conv1(x))), conv2 of it plus itself, relu2, pool, linear.</summary>
    private sealed class Tiny : Module
    {
        private readonly Conv2d _conv1, _conv2;
        private readonly BatchNorm2d _bn1;
        private readonly Activation _relu1, _relu2;
        private readonly Linear _linear;

        public Tiny(string spec) : base("")
        {
            var parameters = new ParameterSet();
            var function = new ActivationFunction.Polynomial(ActivationSpec.Parse(spec).Build(), 1);
            _conv1 = Part(new Conv2d("conv1", parameters, 1, 2, 3, 1, 1));
            _bn1 = Part(new BatchNorm2d("bn1", parameters, 2));
            _relu1 = Part(new Activation("relu1", _ => function, 2));
            _conv2 = Part(new Conv2d("conv2", parameters, 2, 2, 3, 1, 1));
            _relu2 = Part(new Activation("relu2", _ => function, 2));
            _linear = Part(new Linear("linear", parameters, 2, 3));
        }

        protected override Tensor Forward(Tensor x)
        {
            x = _relu1.Call(_bn1.Call(_conv1.Call(x)));
            return _linear.Call(_relu2.Call(_conv2.Call(x).Add(x)).GlobalAveragePool());
        }
    }

    /// <summary>The sum of two convolutions of one input.</summary>
    private sealed class Twins : Module
    {
        private readonly Conv2d _left, _right;

        public Twins() : base("")
        {
            var parameters = new ParameterSet();
            _left = Part(new Conv2d("left", parameters, 1, 1, 3, 1, 1));
            _right = Part(new Conv2d("right", parameters, 1, 1, 3, 1, 1));
        }

        protected override Tensor Forward(Tensor x) => _left.Call(x).Add(_right.Call(x));
    }

    private sealed class Strange() : Module("strange")
    {
        protected override Tensor Forward(Tensor x) => new TamperedOp(new Add(), (_, _) => { }).Apply(x, x);
    }
}
