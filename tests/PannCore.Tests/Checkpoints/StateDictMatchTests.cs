using PannCore.Checkpoints;
using Xunit;

namespace PannCore.Tests.Checkpoints;

public sealed class StateDictMatchTests
{
    private static readonly (string, int[])[] Expected = [("conv1.weight", [16, 3, 3, 3]), ("bn1.weight", [16]), ("linear.bias", [10])];

    [Fact]
    public void A_state_dict_that_fits_passes_in_any_order()
        => StateDictMatch.Check("f", "resnet20", Expected, Found(("linear.bias", [10]), ("conv1.weight", [16, 3, 3, 3]), ("bn1.weight", [16])));

    [Fact]
    public void Optional_names_may_be_there_or_not()
    {
        var optional = new HashSet<string> { "num_batches_tracked", "linear.bias" };
        StateDictMatch.Check("f", "resnet20", Expected, Found(("conv1.weight", [16, 3, 3, 3]), ("bn1.weight", [16]), ("bn1.num_batches_tracked", [])), optional);

        // Absent is allowed, another shape is not; and the last part counts, not any ending.
        BadInputException error = Assert.Throws<BadInputException>(() => StateDictMatch.Check(
            "f", "resnet20", Expected, Found(("conv1.weight", [16, 3, 3, 3]), ("bn1.weight", [16]), ("linear.bias", [9]), ("my_num_batches_tracked", [])), optional));
        Assert.Equal("f: does not fit resnet20: 1 key surplus: 'my_num_batches_tracked'; 1 key of another shape: 'linear.bias' expected [10] found [9]", error.Message);
    }

    [Fact]
    public void An_optional_array_that_nobody_expects_is_one_number()
    {
        var optional = new HashSet<string> { "num_batches_tracked" };
        BadInputException error = Assert.Throws<BadInputException>(() => StateDictMatch.Check(
            "f", "net", [], Found(("a.num_batches_tracked", []), ("b.num_batches_tracked", [1]), ("c.num_batches_tracked", [500_000_000])), optional));
        Assert.Equal("f: does not fit net: 1 key surplus: 'c.num_batches_tracked'", error.Message);
    }

    [Fact]
    public void Everything_that_differs_is_said_at_once()
    {
        BadInputException error = Assert.Throws<BadInputException>(() => StateDictMatch.Check(
            "models/a.th", "resnet20", Expected, Found(("conv1.weight", [16, 3, 3]), ("fc.weight", [10, 64]), ("fc.bias", [10]), ("bn1.weight", [16]))));
        Assert.Equal(
            "models/a.th: does not fit resnet20: 1 key missing: 'linear.bias'; 2 keys surplus: 'fc.weight', 'fc.bias'; "
            + "1 key of another shape: 'conv1.weight' expected [16,3,3,3] found [16,3,3]", error.Message);
    }

    [Fact]
    public void Long_lists_are_cut_after_twenty_and_counted()
    {
        (string, int[])[] expected = [.. Enumerable.Range(0, 25).Select(i => ($"k{i}", new[] { 1 }))];
        BadInputException error = Assert.Throws<BadInputException>(() => StateDictMatch.Check("f", "net", expected, Found()));
        Assert.Equal($"f: does not fit net: 25 keys missing: {string.Join(", ", Enumerable.Range(0, 20).Select(i => $"'k{i}'"))} and 5 more", error.Message);
    }

    private static Dictionary<string, int[]> Found(params (string Name, int[] Shape)[] arrays) => arrays.ToDictionary(a => a.Name, a => a.Shape);
}
