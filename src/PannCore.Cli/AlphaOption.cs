using System.CommandLine;
using System.Globalization;
using PannCore.Approximation;
using PannCore.Diagnostics;

namespace PannCore.Cli;

/// <summary>The options that name several polynomials: <c>--alphas 4..12</c> and any number of <c>--activation SPEC</c>.</summary>
internal static class AlphaOption
{
    public static Option<string?> Create()
    {
        Option<string?> alphas = new("--alphas") { HelpName = "A..B", Description = "composite:alpha=A to B, with the model's leak, or some of them: 6,8,10. Default: 4..14, unless --activation is given." };
        alphas.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: string text }] && Numbers(text) is null)
                result.AddError($"--alphas: expected A..B or A,B,... from {ActivationSpec.SmallestAlpha} to {ActivationSpec.LargestAlpha}, found '{text}'");
        });
        return alphas;
    }

    public static Option<string[]> Activations()
        => new("--activation") { HelpName = "SPEC", Description = "A polynomial to try as well, such as direct:16. May be given more than once.", Arity = ArgumentArity.OneOrMore, DefaultValueFactory = _ => [] };

    /// <summary>The polynomials named.</summary>
    /// <exception cref="BadInputException">One is no polynomial, or two stand for different functions.</exception>
    public static ActivationSpec[] Specs(ParseResult parsed, Option<string?> alphas, Option<string[]> activations, double leak)
    {
        ActivationSpec[] given = [.. parsed.GetValue(activations)!.Select(ActivationSpec.Parse)];
        int[] numbers = parsed.GetValue(alphas) is string text ? Numbers(text)! : given.Length > 0 ? [] : Range(ActivationSpec.SmallestAlpha, ActivationSpec.LargestAlpha);
        ActivationSpec[] specs = [.. numbers.SelectMany(n => PrecisionSweep.Alphas(n, n, leak)).Concat(given).Distinct()];
        if (specs.FirstOrDefault(spec => !spec.IsPolynomial) is { } none) throw new BadInputException($"--activation: expected a polynomial, found {none}; the ideal network is run in any case");
        if (specs.Select(spec => spec.Leak).Distinct().Count() > 1)
            throw new BadInputException($"--activation: expected polynomials that stand for the same function, found {string.Join(" and ", specs.DistinctBy(spec => spec.Leak))}");
        return specs;
    }

    /// <summary>The numbers of <c>4..12</c> or <c>4,6,8</c>; null where they are none, or have no degrees.</summary>
    private static int[]? Numbers(string text)
    {
        string[] parts = text.Split("..");
        bool range = parts.Length == 2;
        int[]? numbers = List(range ? string.Join(',', parts) : text);
        if (numbers is null || (range && (numbers.Length != 2 || numbers[0] > numbers[1]))) return null;
        return range ? Range(numbers[0], numbers[1]) : [.. numbers.Distinct()];
    }

    private static int[] Range(int first, int last) => [.. Enumerable.Range(first, last - first + 1)];

    private static int[]? List(string text)
    {
        var numbers = new List<int>();
        foreach (string part in text.Split(','))
        {
            if (!int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int number) || number < ActivationSpec.SmallestAlpha || number > ActivationSpec.LargestAlpha) return null;
            numbers.Add(number);
        }
        return [.. numbers];
    }
}
