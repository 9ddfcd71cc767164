using PannCore.Diagnostics;
using PannCore.Reports;
using Xunit;

namespace PannCore.Tests.Reports;

public class FindingsTests
{
    // Signal 2, range 4, largest input 3.9: unused range stays below a bit.
    private static readonly OperationRecord Activation = new(
        "a", "activation", new ErrorSize(1, 0.5, 0), new ErrorSize(1, 0.2, -0.18), new ErrorSize(1e-6, 1e-7, 0), new ErrorSize(1, 0.4, 0),
        2, 12, 0.9, 0.5, 0.5, -0.1, -0.1, 0, 3.9, 4, 0, 1e-16);

    [Fact]
    public void Headline_counts()
    {
        Findings findings = new(SampleRecord.Create());
        Assert.Equal("From 92.1 % right to 61.3 %: 309 of 1,000 predictions changed", findings.Headline);
        Assert.Equal(
            "composite:alpha=8 with one range for all layers: resnet20 (resnet20.safetensors) gets 92.1 % of 1,000 images right with its ideal activations and 61.3 % with polynomials in their place.",
            findings.Setting);
        Assert.Empty(findings.Warnings);
    }

    [Fact]
    public void Another_ideal_and_patches_are_said()
    {
        Findings self = new(SampleRecord.Create() with { Ideal = "self" });
        Assert.EndsWith("gets 61.3 % of 1,000 images right in float32; it is compared with itself in exact arithmetic.", self.Setting, StringComparison.Ordinal);
        Assert.Equal(["Compared with: the same polynomials in exact arithmetic (self), so that only rounding is error."], self.Variations);

        Findings other = new(SampleRecord.Create() with { Ideal = "model:a.safetensors", Ranges = "stored" });
        Assert.Equal(
            "composite:alpha=8 with the ranges in its file: resnet20 (resnet20.safetensors) gets 61.3 % of 1,000 images right; the network that it is compared with gets 92.1 %.", other.Setting);

        RunRecord patched = SampleRecord.Relu() with { Patches = new Dictionary<string, string> { ["a"] = "direct:4", ["b"] = "direct:4", ["c"] = "direct:8" } };
        Assert.Contains(", 3 activations patched, with ", new Findings(patched).Setting, StringComparison.Ordinal);
        Assert.DoesNotContain("no polynomial", new Findings(patched).Setting, StringComparison.Ordinal);
        Assert.Equal(["Patched with direct:4: a and b.", "Patched with direct:8: c."], new Findings(patched).Variations);
        Assert.Subset(ConsoleReport.Summary(patched).ToHashSet(), new Findings(patched).Variations.ToHashSet());
    }

    [Fact]
    public void Diagnoses_are_the_first_warnings()
    {
        RunRecord record = SampleRecord.Create() with { Diagnoses = ["first", "second"], NonFiniteImages = 3 };
        Assert.Equal(["first", "second", "3 of 1,000 images end in logits that are not finite; they count as wrong."], new Findings(record).Warnings);
        Assert.StartsWith("WARNING: first", ConsoleReport.Summary(record)[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Bias_is_named_with_its_direction() =>
        Cause(Activation, "The most error enters at a (10.0 % of the signal): it is mostly bias, a steady shift downwards that does not average out (|mean| is 0.900 of the RMS); float32 rounding is 2,000,000 times smaller.");

    [Fact]
    public void Scatter_is_not_called_bias() =>
        Cause(
            Activation with { Approximation = new ErrorSize(1, 0.2, 0.02) },
            "The most error enters at a (10.0 % of the signal): it is mostly scatter around a small mean (|mean| is 0.100 of the RMS); float32 rounding is 2,000,000 times smaller.");

    [Fact]
    public void Overflow_is_named_where_the_range_cannot_explain_the_error()
    {
        // Inside the range no error exceeds 4 * 2^-6 = 1/16; RMS 0.2 needs at least 1 - (1/16/0.2)^2 = 0.90234 of its squares from outside.
        OperationRecord outside = Activation with { OutOfRange = 7, ApproximationBound = 0.0625 };
        Assert.Equal(0.90234375, outside.OverflowShare, 12);
        Assert.Equal(0, (outside with { ApproximationBound = 0.5 }).OverflowShare);
        Assert.Equal(0, (outside with { OutOfRange = 0 }).OverflowShare);
        // Against an ideal that the polynomial does not stand for nothing bounds the error inside, and a repair's shift is part of it.
        foreach (double? bound in new double?[] { null, 0.0625 + 0.2 })
            Assert.DoesNotContain("inputs outside the range make", new Findings(Record(outside with { ApproximationBound = bound }) with { OutOfRangeImages = 2 }).Causes[0], StringComparison.Ordinal);
        Findings findings = new(Record(outside) with { Log2MaxError = -6, OutOfRangeImages = 2 });
        Assert.Equal(
            [
                "The most error enters at a (10.0 % of the signal): inputs outside the range make at least 90.2 % of the squared error injected at a, since inside [-B, B] it could not be as large.",
                "2 images had an activation input outside its range, first at a; 7 inputs in all.",
            ],
            findings.Causes);
    }

    [Fact]
    public void Rounding_is_named_where_it_is_the_largest() =>
        Cause(
            Activation with { Arithmetic = new ErrorSize(1, 0.3, 0) },
            "The error is arithmetic: float32 rounding injects more than any polynomial, most at a (15.0 % of the signal).");

    [Fact]
    public void No_error_has_no_cause() =>
        Cause(Activation with { Approximation = new ErrorSize(0, 0, 0), Arithmetic = new ErrorSize(0, 0, 0) }, "No operation injects any error.");

    [Fact]
    public void Wide_ranges_are_priced_in_bits()
    {
        // log2(4 / 0.5) = 3 bits; 0.5 is 12.5 % of 4.
        OperationRecord narrow = Activation with { LargestInput = 0.5 };
        Assert.Equal(3, narrow.UnusedBits);
        Assert.Equal(
            "The ranges are wide: at the median activation the largest input fills only 12.5 % of [-B, B], which costs 3.00 bits of precision there.",
            new Findings(Record(narrow)).Causes[1]);
    }

    [Theory]
    [InlineData(0.5, 0.3125)] // 0.25 = 0.04 + 0.16 + 2 r 0.08
    [InlineData(0.6, 1.0)] // 0.2 + 0.4: in step
    [InlineData(0.2, -1.0)] // 0.4 - 0.2: against each other
    public void Alignment_is_the_correlation_of_the_two_terms(double total, double expected)
        => Assert.Equal(expected, (Activation with { Total = new ErrorSize(1, total, 0) }).Alignment!.Value, 12);

    [Fact]
    public void Alignment_is_not_told_where_rounding_could_change_it()
        => Assert.Null((Activation with { Arithmetic = new ErrorSize(1, 0.003, 0) }).Alignment);

    [Theory]
    [InlineData(0.0, 0.0, 0.0, 0.0, "No error here: the same values as in the ideal network.")]
    [InlineData(1e-7, 0.0, 1e-7, 0.0, "Adds only rounding, no less than it passes on.")]
    [InlineData(0.4, 0.0, 1e-7, 0.4, "Adds only rounding and passes the arriving error on 0.900 times as large.")]
    [InlineData(0.5, 0.2, 1e-7, 0.4, "The polynomial injects error, 50.0 % of what is passed on from above, and the two reinforce each other (correlation 0.312).")]
    [InlineData(0.41, 0.4, 1e-7, 0.1, "The polynomial injects more error than is passed on from above.")]
    public void Meaning_fits_the_figures(double total, double approximation, double arithmetic, double inherited, string expected)
    {
        OperationRecord operation = Activation with
        {
            Total = new ErrorSize(1, total, 0),
            Approximation = new ErrorSize(1, approximation, 0),
            Arithmetic = new ErrorSize(1, arithmetic, 0),
            Inherited = new ErrorSize(1, inherited, 0),
        };
        Assert.Equal(expected, Findings.Meaning(operation));
    }

    [Fact]
    public void Flips_are_counted_by_outcome_and_class()
    {
        RunRecord record = Record(Activation) with
        {
            ClassNames = ["cat", "dog", "frog"],
            Flips = [new Flip(0, 0, 0, 1), new Flip(1, 1, 0, 1), new Flip(2, 2, 0, 1), new Flip(3, 0, 0, -1)],
        };
        Findings findings = new(record);
        Assert.Equal(
            "Of 4 changed predictions, 2 went from right to wrong, 1 from wrong to right and 1 from one wrong class to another; 1 of them ended in logits that are not finite.",
            findings.FlipsInWords);
        Assert.Equal([new ClassFlips("cat", 4, 0), new ClassFlips("dog", 0, 3)], findings.Flips.Classes);
        Assert.Equal("not finite", FlipSummary.NameOf(record, -1));
        Assert.Equal("class 12", FlipSummary.NameOf(record, 12));
    }

    private static RunRecord Record(OperationRecord operation) => SampleRecord.Empty() with { Operations = [operation], OutOfRangeImages = 0, Log2MaxError = -1 };

    private static void Cause(OperationRecord operation, string expected) => Assert.Equal(expected, Assert.Single(new Findings(Record(operation)).Causes));
}
