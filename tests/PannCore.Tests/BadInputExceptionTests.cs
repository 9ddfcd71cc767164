using Xunit;

namespace PannCore.Tests;

public sealed class BadInputExceptionTests
{
    /// <summary>Texts of a million characters, among them ones whose escapes are six times as long and ones of two UTF-16 units that a cut could split.</summary>
    [Theory]
    [InlineData("x")]
    [InlineData("\n")]
    [InlineData("😀")]
    public void No_part_hides_another_however_long_it_is(string character)
    {
        string endless = string.Concat("a", string.Concat(Enumerable.Repeat(character, 1_000_000)));
        string message = BadInputException.At(endless, endless, endless, endless).Message;
        string[] parts = message.Split([": at ", ": expected ", ", found "], StringSplitOptions.None);
        Assert.Equal(4, parts.Length);
        Assert.All(parts, part =>
        {
            Assert.InRange(part.Length, 900, 1_001);
            Assert.StartsWith(character == "\n" ? @"a\u000A\u000A" : "a" + character, part, StringComparison.Ordinal);
            Assert.EndsWith("…", part, StringComparison.Ordinal);
            Assert.DoesNotContain('\uFFFD', part);
        });
        Assert.InRange(new BadInputException(endless).Message.Length, 3_900, 4_001);
        Assert.Equal("f: at 1: expected a, found b", BadInputException.At("f", "1", "a", "b").Message);
    }
}
