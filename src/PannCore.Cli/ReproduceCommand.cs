using System.CommandLine;

namespace PannCore.Cli;

/// <summary>The verb <c>pann reproduce</c>: tables of README and of data/results, from training to figures, in pieces that can be stopped at any moment.</summary>
internal static class ReproduceCommand
{
    public static Command Create() => new("reproduce", "Tables of README and data/results/README.md from scratch, resumable: the same command goes on where it was stopped.\n\nExample: pann reproduce precision --epochs 40 --seeds 11..11 --recipe baseline --control plain")
    {
        ReproducePrecision.Create(),
        ReproduceLoop.Create(),
        ReproducePerturbation.Create(),
        ReproduceDecay.Create(),
        ReproduceNetwork.Create(),
    };
}
