using PannCore.Engine;
using PannCore.Experiments;
using Xunit;

namespace PannCore.Tests.Experiments;

public sealed class RightAnswersTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(500)]
    public void What_was_written_is_read(int images)
    {
        var random = new CounterRandom(1, RandomStream.Weights, images);
        bool[] right = [.. Enumerable.Range(0, images).Select(i => random.Below(i, 2) == 1)];
        Assert.Equal(right, RightAnswers.Read(RightAnswers.Write(right), images));
    }

    [Fact]
    public void The_first_image_is_the_lowest_bit() => Assert.Equal("BQE", RightAnswers.Write([true, false, true, false, false, false, false, false, true]));

    [Theory]
    [InlineData("BQE", 17, "right answers: expected 3 bytes in base 64, found 3 characters")]
    [InlineData("no text", 9, "right answers: expected 2 bytes in base 64, found 7 characters")]
    public void Other_texts_are_refused(string text, int images, string message) => Assert.Equal(message, Assert.Throws<BadInputException>(() => RightAnswers.Read(text, images)).Message);
}
