using System.Text.Json;
using Xunit;

namespace PannCore.Tests.Cli;

/// <summary>The verb <c>pann cost</c>; the figures themselves are those of NetworkCostTests.</summary>
public sealed class CostTests(CliFiles files) : IClassFixture<CliFiles>
{
    [Fact]
    public void Cost_prints_and_writes_the_price_without_a_model_file()
    {
        string json = files.At("cost.json");
        Outcome outcome = PannProcess.Run(files.Root, "cost", "--arch", "resnet20", "--activation", "direct:2", "--levels", "2", "--json", json);
        Assert.Equal((0, ""), (outcome.Code, outcome.Error));
        Assert.StartsWith(
            "resnet20, direct:2, one image. In brackets: leading coefficients of the polynomials folded into neighbouring weights.\nnon-scalar depth    19: ", outcome.Out, StringComparison.Ordinal);
        Assert.Contains("\nCKKS levels         58 (39): ", outcome.Out, StringComparison.Ordinal);
        Assert.Contains("\nmultiplications     188,416 of ciphertexts, 41,013,888 (40,637,056) with constants, counted in elements\n", outcome.Out, StringComparison.Ordinal);
        Assert.Contains("rotations are left out", outcome.Out, StringComparison.Ordinal);
        Assert.Matches(@"\n  layer1\.0\.relu1 +polynomialRelu +16,384 +1 +2 \(1\) +6 \(4\) +1 +2 \(0\) ", outcome.Out);

        using var document = JsonDocument.Parse(File.ReadAllBytes(json));
        JsonElement root = document.RootElement, cost = root.GetProperty("cost");
        Assert.Equal(["model", "activation", "input", "cost", "folded"], root.EnumerateObject().Select(p => p.Name));
        Assert.Equal(
            (19, 58, 188_416L, 41_013_888L, 38, 19),
            (cost.GetProperty("depth").GetInt32(), cost.GetProperty("levels").GetInt32(), cost.GetProperty("nonScalarMultiplications").GetInt64(),
                cost.GetProperty("scalarMultiplications").GetInt64(), cost.GetProperty("bootstraps").GetInt32(), cost.GetProperty("rounds").GetInt32()));
        Assert.Equal(39, root.GetProperty("folded").GetProperty("levels").GetInt32());
        Assert.Equal(70, cost.GetProperty("operations").GetArrayLength());
    }

    [Fact]
    public void A_model_file_may_be_given_by_position_or_by_option_with_the_same_price()
    {
        Outcome position = PannProcess.Run(files.Root, "cost", files.Model), option = PannProcess.Run(files.Root, "cost", "--model", files.Model);
        Assert.Equal((0, "", position.Out), (position.Code, position.Error, option.Out));
        Assert.StartsWith("model.safetensors, composite:alpha=9, one image.", position.Out, StringComparison.Ordinal);
        Assert.Contains("\nbootstraps          give --levels L, L at least 9\n", position.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("cost --arch resnet20 --activation relu", "error: cost: relu is relu: expected a polynomial, such as composite:alpha=9; encrypted values are only added and multiplied\n")]
    [InlineData("cost --arch resnet21", "error: architecture 'resnet21': unknown; known: resnet20, resnet32, resnet44, resnet56, resnet110\n")]
    [InlineData("cost --arch resnet20 --levels 8", "error: cost: relu (polynomialRelu) consumes 9 levels and bootstraps are placed between operations: expected at least as many usable levels, found 8\n")]
    public void What_has_no_price_ends_with_1(string line, string error)
    {
        Outcome outcome = PannProcess.Run(files.Root, line.Split(' '));
        Assert.Equal((1, "", error), (outcome.Code, outcome.Out, outcome.Error));
    }
}
