using System.Text.Json;
using System.Xml.Linq;
using PannCore.Approximation;
using PannCore.Diagnostics;
using Xunit;

namespace PannCore.Tests.Cli;

/// <summary>What <c>pann approx</c> and <c>pann eval --histogram</c> print and write.</summary>
public sealed class ApproxTests(CliFiles files) : IClassFixture<CliFiles>
{
    [Fact]
    public void A_polynomial_comes_with_its_proof_and_its_price()
    {
        string json = files.At("alpha7.json"), file = files.At("alpha7-polynomial.json");
        Outcome outcome = PannProcess.Run(files.Root, "approx", "composite:alpha=7", "--json", json, "--out", file, "--density", "32");
        Assert.Equal((0, ""), (outcome.Code, outcome.Error));
        ReluPolynomial expected = ActivationSpec.Parse("composite:alpha=7").Build();
        string[] lines = outcome.Out.Split('\n');
        Assert.Equal("activation      composite:alpha=7", lines[0]);
        Assert.Equal("polynomial      r(t) = t (1 + p2(p1(t))) / 2, odd polynomials of degree 7, 7", lines[1]);
        Assert.StartsWith(FormattableString.Invariant($"maximum error   2^{Math.Ceiling(100 * Math.Log2(expected.MaxError)) / 100:0.##} = "), lines[3], StringComparison.Ordinal);
        Assert.Contains("at 0            r(0) = 0", lines);
        Assert.Contains("certificate     passed: each stage is the best polynomial of its degree on its interval", lines);
        Assert.Contains("price           7 CKKS levels, depth 7", lines);
        foreach (string density in new[] { "N(0, B/8)", "N(0, B/16)", "N(0, B/64)", "N(0, B/32)" }) Assert.Contains(lines, line => line.StartsWith($"  {density} ", StringComparison.Ordinal));
        foreach (string arithmetic in new[] { "double", "float32", "fixed point, 16 fraction bits, truncated" }) Assert.Contains(lines, line => line.StartsWith($"  {arithmetic} ", StringComparison.Ordinal));
        foreach (string x in new[] { "1.001 B", "1.01 B", "1.05 B" }) Assert.Contains(lines, line => line.StartsWith($"  {x} ", StringComparison.Ordinal));

        using var document = JsonDocument.Parse(File.ReadAllBytes(json));
        JsonElement root = document.RootElement;
        Assert.Equal(
            ("composite:alpha=7", Math.Log2(expected.MaxError), 7, 7, EvaluationPlan.Of(expected).Cost.NonScalarMultiplications),
            (root.GetProperty("spec").GetString(), root.GetProperty("log2MaxError").GetDouble(), root.GetProperty("depth").GetInt32(), root.GetProperty("levels").GetInt32(), root.GetProperty("multiplications").GetInt32()));
        Assert.Equal([7, 7], root.GetProperty("degrees").EnumerateArray().Select(d => d.GetInt32()));
        JsonElement[] stages = [.. root.GetProperty("stages").EnumerateArray()];
        Assert.Equal(expected.Stages.Select(stage => stage.Coefficients), stages.Select(stage => stage.GetProperty("coefficients").EnumerateArray().Select(c => c.GetDouble()).ToArray()));
        Assert.All(stages, stage => Assert.Equal((7, "chebyshev", 2), (stage.GetProperty("degree").GetInt32(), stage.GetProperty("basis").GetString(), stage.GetProperty("interval").GetArrayLength())));
        JsonElement certificate = root.GetProperty("certificate");
        Assert.Equal((true, 10, expected.Certificate.ScannedError), (certificate.GetProperty("passed").GetBoolean(), certificate.GetProperty("points").GetInt32(), certificate.GetProperty("scannedError").GetDouble()));
        Assert.Equal(expected.Certificate.Stages.Select(stage => stage.LevelledError), certificate.GetProperty("levelledError").EnumerateArray().Select(e => e.GetDouble()));
        Assert.Equal(JsonValueKind.Null, certificate.GetProperty("objection").ValueKind);
        foreach ((string name, ErrorBound part) in new[] { ("withinGap", expected.Certificate.WithinGap!), ("beyondGap", expected.Certificate.BeyondGap!) })
        {
            JsonElement found = certificate.GetProperty(name);
            Assert.Equal([part.Lo, part.Hi], found.GetProperty("interval").EnumerateArray().Select(end => end.GetDouble()));
            Assert.Equal(new[] { part.Bound, part.Found, part.At }, new[] { "maxError", "scannedError", "at" }.Select(figure => found.GetProperty(figure).GetDouble()));
        }
        Assert.Equal(["8", "16", "64", "32"], root.GetProperty("errors").EnumerateArray().Select(e => e.GetProperty("density").GetString()));

        Assert.Equal(expected.Stages.Select(stage => stage.Coefficients), PolynomialFile.Read(file).Stages.Select(stage => stage.Coefficients));
        Assert.Equal(0, PannProcess.Run(files.Root, "approx", "verify", file).Code);
    }

    [Fact]
    public void Another_function_is_approximated_too()
    {
        string json = files.At("gelu.json");
        Outcome outcome = PannProcess.Run(files.Root, "approx", "minimax:gelu,degree=8,range=5", "--json", json);
        Assert.Equal((0, ""), (outcome.Code, outcome.Error));
        Assert.StartsWith("polynomial      minimax:gelu,degree=8,range=5\nstands for      gelu on [-B, B], B = 5, as p(x/B); errors below are absolute\nmaximum error   2^-5.28 = 0.0258 proved; 2^-5.28 found at x = ", outcome.Out, StringComparison.Ordinal);
        Assert.Contains("\nprice           4 CKKS levels, depth 3\n", outcome.Out, StringComparison.Ordinal);
        using var document = JsonDocument.Parse(File.ReadAllBytes(json));
        Assert.Equal(MinimaxFunction.Parse("minimax:gelu,degree=8,range=5").Polynomial.Coefficients, document.RootElement.GetProperty("stages")[0].GetProperty("coefficients").EnumerateArray().Select(c => c.GetDouble()));
    }

    [Fact]
    public void The_frontier_is_printed_drawn_and_written()
    {
        string json = files.At("frontier.json"), drawing = files.At("frontier.svg");
        Outcome outcome = PannProcess.Run(files.Root, "approx", "--frontier", "--budget-levels", "10", "--json", json, "--out", drawing);
        Assert.Equal((0, ""), (outcome.Code, outcome.Error));
        using var document = JsonDocument.Parse(File.ReadAllBytes(json));
        JsonElement root = document.RootElement;
        Assert.Equal(["8", "16", "64"], root.GetProperty("densities").EnumerateArray().Select(d => d.GetString()));
        Assert.Equal("16", root.GetProperty("density").GetString());
        JsonElement[] rows = [.. root.GetProperty("rows").EnumerateArray()];
        string[] specs = [.. rows.Select(row => row.GetProperty("spec").GetString()!)], lines = outcome.Out.Split('\n');
        Assert.Superset(new HashSet<string> { "composite:alpha=4", "composite:alpha=14", "composite:15,31", "direct:2", "direct:254", "direct:256" }, specs.ToHashSet());
        Assert.All(specs, spec => Assert.Equal(2, lines.Count(line => line.StartsWith($"  {spec} ", StringComparison.Ordinal))));

        // The recommendation is the least RMS error that ten levels can buy, whatever a maximum says.
        JsonElement best = rows.Where(row => row.GetProperty("levels").GetInt32() <= 10).MinBy(row => row.GetProperty("errors")[1].GetProperty("rms").GetDouble());
        Assert.Equal(best.GetProperty("spec").GetString(), root.GetProperty("recommended").GetString());
        Assert.Contains(lines, line => line.StartsWith($"At most 10 levels, inputs N(0, B/16): take {root.GetProperty("recommended").GetString()}, the least RMS error", StringComparison.Ordinal));

        string text = string.Concat(XDocument.Load(drawing).Descendants().Where(e => e.Name.LocalName == "title").Select(e => e.Value));
        Assert.All(specs, spec => Assert.Contains($"{spec}, degrees ", text, StringComparison.Ordinal));
    }

    [Fact]
    public void A_measured_density_decides_where_it_is_given()
    {
        string histogram = files.At("histogram.json"), json = files.At("measured.json");
        Outcome outcome = PannProcess.Run(files.Root, "eval", "--model", files.Model, "--data", files.Images, "--ranges", "layer", "--margin", "1.25", "--histogram", histogram);
        Assert.Equal((0, ""), (outcome.Code, outcome.Error));
        Assert.EndsWith($"\nHistogram: {histogram}, from {files.Images}\n", outcome.Out, StringComparison.Ordinal);

        using var document = JsonDocument.Parse(File.ReadAllBytes(histogram));
        JsonElement root = document.RootElement;
        Assert.Equal(InputHistogram.Edges, root.GetProperty("edges").EnumerateArray().Select(e => e.GetDouble()));
        JsonElement[] layers = [.. root.GetProperty("layers").EnumerateArray()];
        // Eight images; the first activation has 32 x 32 x 16 inputs.
        Assert.Equal((19, "relu", 8 * 32 * 32 * 16), (layers.Length, layers[0].GetProperty("path").GetString(), layers[0].GetProperty("outside").GetInt64() + layers[0].GetProperty("counts").EnumerateArray().Sum(c => c.GetInt64())));
        Assert.Equal(1.25 * Diagnostics.RandomNetwork.Largest["relu"], layers[0].GetProperty("range").GetDouble());
        Assert.Equal(
            root.GetProperty("counts").EnumerateArray().Select(c => c.GetInt64()),
            Enumerable.Range(0, InputHistogram.Edges.Count - 1).Select(bin => layers.Sum(layer => layer.GetProperty("counts")[bin].GetInt64())));

        Outcome measured = PannProcess.Run(files.Root, "approx", "direct:8", "--density", histogram, "--json", json);
        Assert.Equal((0, ""), (measured.Code, measured.Error));
        using var result = JsonDocument.Parse(File.ReadAllBytes(json));
        ErrorStatistics expected = ErrorStatistics.Of(ReluPolynomial.Direct(8), InputDensity.Parse(histogram));
        JsonElement last = result.RootElement.GetProperty("errors").EnumerateArray().Last();
        Assert.Equal((histogram, expected.Mean, expected.Rms), (last.GetProperty("density").GetString(), last.GetProperty("mean").GetDouble(), last.GetProperty("rms").GetDouble()));
    }

    /// <summary>A polynomial is chosen by a histogram, and no choice may see test images.</summary>
    [Fact]
    public void Official_test_images_make_no_histogram()
    {
        string folder = Directory.CreateDirectory(files.At("official")).FullName;
        File.Copy(files.Images, Path.Combine(folder, "test_batch.bin"));
        foreach (string data in new[] { folder, Diagnostics.RandomNetwork.SamplePath })
        {
            Assert.Equal(
                new Outcome(1, "", "error: --histogram: expected --split train, because a polynomial may be chosen by training images only, found --split test\n"),
                PannProcess.Run(files.Root, "eval", "--model", files.Model, "--data", data, "--histogram", files.At("none.json")));
        }
        Assert.False(File.Exists(files.At("none.json")));
    }

    [Fact]
    public void One_layer_of_a_histogram_can_be_chosen()
    {
        double[] edges = [-1, -0.5, 0, 0.5, 1];
        string file = files.With("layers.json", """{"edges":[-1,-0.5,0,0.5,1],"counts":[1,1,1,1],"layers":[{"path":"relu","counts":[0,0,3,1],"outside":4},{"path":"layer1.0.relu1","counts":[1,0,0,0]}]}""");
        var density = InputDensity.Parse($"{file}#relu");
        Assert.Equal(($"{file}#relu", 0.5), (density.Name, density.Outside));
        Assert.Equal(InputDensity.Histogram(edges, [0, 0, 3, 1]).Integrate(t => t, 1), density.Integrate(t => t, 1), 1e-15);
        Assert.Equal(-0.75, InputDensity.Parse($"{file}#layer1.0.relu1").Integrate(t => t, 1), 1e-15);
        Assert.StartsWith("layers.json#relu: 50 % of its inputs lie outside [-B, B]; means and RMS are of the others\n", PannProcess.Run(files.Root, "approx", "direct:2", "--density", $"{file}#relu").Out, StringComparison.Ordinal);
        Assert.DoesNotContain("outside [-B, B]", PannProcess.Run(files.Root, "approx", "direct:2", "--density", $"{file}#layer1.0.relu1").Out, StringComparison.Ordinal);
        Assert.Equal(0, InputDensity.Parse(file).Integrate(t => t, 1), 1e-15);
        Assert.Equal(
            $"density '{file}#relu2': the file has no layer 'relu2'; it has relu, layer1.0.relu1",
            Assert.Throws<BadInputException>(() => InputDensity.Parse($"{file}#relu2")).Message);
        string plain = files.With("plain.json", """{"edges":[-1,1],"counts":[1]}""");
        Assert.Equal($"density '{plain}#relu': the file has no layer 'relu'; it has none", Assert.Throws<BadInputException>(() => InputDensity.Parse($"{plain}#relu")).Message);
    }

    [Theory]
    [InlineData("approx", "approx: expected a SPEC or --frontier, one of both")]
    [InlineData("approx direct:4 --frontier", "approx: expected a SPEC or --frontier, one of both")]
    [InlineData("approx direct:4 --budget-levels 8", "--budget-levels and --budget-multiplications: only with --frontier")]
    public void Wrong_usage_ends_with_2(string line, string error)
        => Assert.Equal(new Outcome(2, "", $"error: {error}\nsee: pann approx --help\n"), PannProcess.Run(files.Root, line.Split(' ')));

    [Theory]
    [InlineData("approx relu", "activation 'relu': not a polynomial, nothing to generate")]
    [InlineData("approx --frontier --density none.json", "density 'none.json': neither a ratio B/s nor a histogram: there is no such file")]
    [InlineData("approx minimax:gelu,degree=8 --out p.json", "--out: a polynomial file holds a polynomial that stands for ReLU, minimax:gelu,degree=8 is none; give --json")]
    [InlineData("approx minimax:sign,degree=7", "minimax polynomial of sign: interval [-1, 1] contains 0, where sign jumps: no polynomial is nearer than 1")]
    public void Bad_input_ends_with_1_and_writes_nothing(string line, string error)
    {
        string[] before = files.Listing;
        Assert.Equal(new Outcome(1, "", $"error: {error}\n"), PannProcess.Run(files.Root, line.Split(' ')));
        Assert.Equal(before, files.Listing);
    }
}
