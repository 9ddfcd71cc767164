using System.CommandLine;
using System.Diagnostics;
using PannCore.Approximation;
using PannCore.Reports;

namespace PannCore.Cli;

/// <summary>The verb <c>pann approx</c>: one polynomial with its proof and its price, or the frontier of error against price.</summary>
internal static class ApproxCommand
{
    private const string DefaultDensity = "16";

    private static readonly string[] UsualDensities = ["8", "16", "64"];

    public static Command Create()
    {
        Argument<string?> spec = new("SPEC") { HelpName = "SPEC", Description = "The polynomial: as for --activation, or minimax:FUNCTION,degree=N[,range=B] with FUNCTION one of " + Target.KnownNames + ".", Arity = ArgumentArity.ZeroOrOne };
        Option<bool> frontier = new("--frontier") { Description = "Instead of one polynomial: error against price for composite and direct polynomials, with the Pareto sets." };
        Option<string> density = new("--density")
        {
            HelpName = "DENSITY",
            Description = "Density of the inputs: R for N(0, B/R), or a histogram written by pann eval --histogram: FILE, or FILE#LAYER for one activation.",
            DefaultValueFactory = _ => DefaultDensity,
        };
        Option<int?> levels = CommonOptions.AtLeast(new Option<int?>("--budget-levels") { HelpName = "N", Description = "With --frontier: recommend within N CKKS levels." }, 1);
        Option<int?> multiplications = CommonOptions.AtLeast(new Option<int?>("--budget-multiplications") { HelpName = "N", Description = "With --frontier: recommend within N multiplications of ciphertexts." }, 1);
        Option<string?> plot = new("--plot") { HelpName = "FILE", Description = "Also draw the polynomial's error over the range, near 0, and what it does beyond the range (SVG)." };
        Option<string?> output = new("--out") { HelpName = "FILE", Description = "Also write the polynomial with its certificate (JSON); with --frontier: the drawing (SVG)." }, json = CommonOptions.Json();
        var command = new Command("approx", "A polynomial that stands for ReLU: its proof and its price.\n\nExample: pann approx composite:alpha=9\nExample: pann approx minimax:gelu,degree=8,range=5\nExample: pann approx --frontier --density 16 --budget-levels 10 --out frontier.svg")
        {
            spec, frontier, density, levels, multiplications, output, plot, json, ApproxVerifyCommand.Create(),
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(frontier) == (result.GetValue(spec) is not null)) result.AddError("approx: expected a SPEC or --frontier, one of both");
            if (result.GetValue(plot) is not null && (result.GetValue(frontier) || result.GetValue(spec)?.StartsWith("minimax:", StringComparison.Ordinal) == true)) result.AddError("--plot: only with a polynomial that stands for ReLU; the drawing of --frontier goes to --out");
            if (!result.GetValue(frontier) && (result.GetResult(levels) is not null || result.GetResult(multiplications) is not null)) result.AddError("--budget-levels and --budget-multiplications: only with --frontier");
        });
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            CommonOptions.CheckWritable(parsed, parsed.GetValue(output), parsed.GetValue(plot), parsed.GetValue(json));
            return parsed.GetValue(spec) is string text
                ? Polynomial(text, parsed.GetValue(density)!, parsed.GetValue(output), parsed.GetValue(plot), parsed.GetValue(json), cancellation)
                : Frontier(parsed.GetValue(density)!, parsed.GetValue(levels), parsed.GetValue(multiplications), parsed.GetValue(output), parsed.GetValue(json), cancellation);
        }, cancellation));
        return command;
    }

    private static int Function(string text, string density, string? json)
    {
        InputDensity[] densities = Densities(density);
        var function = MinimaxFunction.Parse(text);
        ErrorStatistics[] errors = Array.ConvertAll(densities, d => ErrorStatistics.Of(function, d));
        foreach (string line in FunctionReport.Summary(function)) Console.WriteLine(line);
        Terminal.Write(PolynomialReport.Densities(errors));
        Terminal.Write(FunctionReport.OutOfRange(function));
        CommonOptions.WriteJson(json, FunctionRecord.Of(function, errors));
        return function.Certificate.Passed || function.IsAtRounding ? 0 : 1;
    }

    private static int Polynomial(string text, string density, string? output, string? plot, string? json, CancellationToken cancellation)
    {
        if (text.StartsWith("minimax:", StringComparison.Ordinal))
        {
            return output is null ? Function(text, density, json)
                : throw new BadInputException($"--out: a polynomial file holds a polynomial that stands for ReLU, {text} is none; give --json");
        }

        InputDensity[] densities = Densities(density);
        long start = Stopwatch.GetTimestamp();
        ReluPolynomial polynomial = ActivationSpec.Parse(text).Build(cancellation);
        Certificate certificate = polynomial.Certificate;
        Cost cost = EvaluationPlan.Of(polynomial).Cost, folded = EvaluationPlan.Of(polynomial, foldLeadingCoefficient: true).Cost;
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        ErrorStatistics[] errors = Array.ConvertAll(densities, d => ErrorStatistics.Of(polynomial, d));

        foreach (string line in PolynomialReport.Summary(polynomial, cost, folded)) Console.WriteLine(line);
        Terminal.Write(PolynomialReport.Stages(polynomial));
        Terminal.Write(PolynomialReport.Densities(errors));
        Terminal.Write(PolynomialReport.Evaluation(certificate));
        Terminal.Write(PolynomialReport.OutOfRange(certificate.OutOfRange));
        Console.WriteLine(FormattableString.Invariant($"generated, certified and priced in {1000 * seconds:F0} ms"));
        if (output is not null) PolynomialFile.Write(output, polynomial);
        CommonOptions.WriteText(plot, writer => PolynomialPlot.Write(writer, polynomial));
        CommonOptions.WriteJson(json, ApproxRecord.Of(polynomial, cost, folded, errors));
        return certificate.Passed ? 0 : 1;
    }

    /// <summary>The usual densities and, where it is another, the one asked for; says what of a histogram is not in it.</summary>
    private static InputDensity[] Densities(string density)
    {
        var asked = InputDensity.Parse(density);
        if (asked.Outside > 0) Console.WriteLine(FormattableString.Invariant($"{DensityText.Of(asked.Name)}: {100 * asked.Outside:G3} % of its inputs lie outside [-B, B]; means and RMS are of the others"));
        return [.. UsualDensities.Select(InputDensity.Parse).Append(asked).DistinctBy(d => d.Name)];
    }

    private static int Frontier(string density, int? levels, int? multiplications, string? output, string? json, CancellationToken cancellation)
    {
        InputDensity[] densities = Densities(density);
        int chosen = Array.FindIndex(densities, d => d.Name == InputDensity.Parse(density).Name);
        long start = Stopwatch.GetTimestamp();
        IReadOnlyList<ActivationSpec> specs = Approximation.Frontier.Candidates(cancellation);
        Frontier frontier = ProgressBar.Run("polynomials", specs.Count, progress => Approximation.Frontier.Of(specs, densities, chosen, progress, cancellation));
        Terminal.Write(FrontierReport.Rows(frontier));
        Terminal.Write(FrontierReport.Densities(frontier));
        foreach (string line in FrontierReport.Recommendation(frontier, levels, multiplications)) Console.WriteLine(line);
        Console.WriteLine(FormattableString.Invariant($"{frontier.Rows.Count} polynomials in {Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s"));
        CommonOptions.WriteText(output, writer => FrontierPlot.Write(writer, frontier));
        CommonOptions.WriteJson(json, FrontierRecord.Of(frontier, levels, multiplications));
        return 0;
    }
}
