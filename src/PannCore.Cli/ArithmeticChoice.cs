using System.CommandLine;
using PannCore.Diagnostics;

namespace PannCore.Cli;

/// <summary>The options that choose an arithmetic, and what is printed about it.</summary>
internal static class ArithmeticChoice
{
    private const int WrapArounds = 5;

    public static Option<string> Option() => new("--arithmetic")
    {
        HelpName = "NAME",
        Description = "float32, double, or fixed:F,L: F fraction bits in a ring of 2^L, as multiparty protocols use, with products truncated downwards, or fixed:F,L,stochastic: at random.",
        DefaultValueFactory = _ => ArithmeticModel.Engine,
    };

    public static Option<long> Seed() => new("--seed") { HelpName = "N", Description = "Random numbers of stochastic truncation.", DefaultValueFactory = _ => 1 };

    /// <summary>Whether an arithmetic draws random numbers.</summary>
    public static bool IsRandom(string arithmetic) => arithmetic.EndsWith(",stochastic", StringComparison.Ordinal);

    /// <summary>Refuses a seed where nothing draws random numbers.</summary>
    public static void RefuseIdleSeed(ParseResult parsed, Option<string> arithmetic, Option<long> seed)
    {
        if (!IsRandom(parsed.GetValue(arithmetic)!)) CommonOptions.RefuseIdle(parsed, $"--arithmetic fixed:F,L,stochastic, which draws random numbers, found {parsed.GetValue(arithmetic)}", seed);
    }

    public static void Print(ArithmeticRecord record, bool hasRing)
    {
        Console.WriteLine(FormattableString.Invariant($"in {record.Name}: {record.Accuracy:F2} %; in float32: {record.Float32Accuracy:F2} %; {record.ChangedPredictions} predictions differ"));
        if (hasRing) Console.WriteLine(FormattableString.Invariant($"left the ring: {record.WrapArounds.Sum(w => w.Elements)} values in {record.WrappedImages} images"));
        foreach (WrapAround wrap in record.WrapArounds.OrderByDescending(w => w.RootImages).ThenByDescending(w => w.Elements).Take(WrapArounds))
            Console.WriteLine(FormattableString.Invariant($"  at {wrap.Path} ({wrap.Op}): {wrap.Elements} values, first in {wrap.RootImages} of these images"));
    }
}
