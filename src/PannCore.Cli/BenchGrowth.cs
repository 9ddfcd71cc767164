using PannCore.Engine;
using PannCore.Kernels;
using Spectre.Console;

namespace PannCore.Cli;

/// <summary>How the time of a training step and of an evaluation grows with the batch, the depth and the number of threads, beside linear growth.</summary>
internal static class BenchGrowth
{
    private const int Batch = 128, DepthBatch = 64, Depth = 20, MostRounds = 7, WarmupRounds = 2;

    /// <summary>The first of each is what the others are compared with.</summary>
    private static readonly int[] Batches = [Batch, 16, 32, 64, 256, 512], Depths = [Depth, 32, 44, 56, 110];

    /// <summary>Measures on up to so many threads.</summary>
    public static GrowthRecord Measure(int threads, ConvAlgorithm convolution, int runs)
    {
        int rounds = Math.Min(runs, MostRounds);
        return new(threads, OuterProduct.VectorBits, CommonOptions.Name(convolution), [
            .. Group("batch", convolution, rounds, [.. Batches.Select(batch => new Setting(batch, Depth, batch, threads))]),
            .. Group("depth", convolution, rounds, [.. Depths.Select(depth => new Setting(depth, depth, DepthBatch, threads))]),
            .. Group("threads", convolution, rounds, [.. ThreadCounts(threads).Select(count => new Setting(count, Depth, Batch, count))]),
        ]);
    }

    /// <summary>1, 2, 4, ... and the number itself.</summary>
    internal static IEnumerable<int> ThreadCounts(int threads)
    {
        for (int count = 1; count < threads; count *= 2) yield return count;
        yield return threads;
    }

    /// <summary>In percent, how far a time is above the first one's, times what linear growth makes of it.</summary>
    internal static double Deviation(double time, double linear, double first, double firstLinear) => 100 * ((time / linear / (first / firstLinear)) - 1);

    public static Table Table(GrowthRecord record)
    {
        var table = new Table { Border = TableBorder.Simple };
        foreach (string header in (string[])["against", "", "training", "deviation", "evaluation", "deviation"]) table.AddColumn(new TableColumn(header).NoWrap().RightAligned());
        foreach (GrowthRow row in record.Rows)
        {
            table.AddRow([.. ((FormattableString[])[
                $"{row.Against}", $"{row.Value}", $"{row.TrainMsPerImage:F3}", $"{row.TrainDeviationPercent:+0.0;-0.0;0.0} %", $"{row.EvalMsPerImage:F3}", $"{row.EvalDeviationPercent:+0.0;-0.0;0.0} %",
            ]).Select(FormattableString.Invariant)]);
        }
        return table;
    }

    public static string Legend => FormattableString.Invariant(
        $"Milliseconds an image, and how far above linear growth. batch: ResNet-{Depth} against batch {Batch}; depth: batch {DepthBatch}, against ResNet-{Depth} by the operations of the convolutions; threads: batch {Batch}, against one thread. Evaluation: of as many images, eight a thread at a time.");

    /// <summary>The settings of a group take turns, so that a machine that changes its speed treats them alike.</summary>
    private static IEnumerable<GrowthRow> Group(string against, ConvAlgorithm convolution, int rounds, IReadOnlyList<Setting> settings)
    {
        var workspaces = settings.Select(setting => new Workspace(setting.Threads, convolution)).ToArray();
        try
        {
            var networks = settings.Select(s => s.Depth).Distinct().ToDictionary(depth => depth, depth => new BenchNetwork(depth, settings.Max(s => s.Batch)));
            List<double>[] training = [.. settings.Select(_ => new List<double>())], evaluation = [.. settings.Select(_ => new List<double>())];
            ProgressBar.Run($"growth with {against}", (long)(rounds + WarmupRounds) * settings.Count, progress =>
            {
                for (int round = 0; round < rounds + WarmupRounds; round++)
                {
                    for (int i = 0; i < settings.Count; i++)
                    {
                        (Setting setting, BenchNetwork network, Workspace workspace) = (settings[i], networks[settings[i].Depth], workspaces[i]);
                        training[i].Add(PerImage(setting.Batch, () => network.Step(workspace, setting.Batch)));
                        evaluation[i].Add(PerImage(setting.Batch, () => network.Evaluate(network.Model, workspace, setting.Batch)));
                        progress?.Report((round * settings.Count) + i + 1);
                    }
                }
                return 0;
            });
            double[] train = [.. training.Select(Median)], eval = [.. evaluation.Select(Median)];
            double Linear(int i) => (double)networks[settings[i].Depth].ForwardFlops / settings[i].Threads;
            return [.. settings.Select((setting, i) => new GrowthRow(
                against, setting.Value, train[i], Deviation(train[i], Linear(i), train[0], Linear(0)), eval[i], Deviation(eval[i], Linear(i), eval[0], Linear(0)))).OrderBy(row => row.Value)];
        }
        finally
        {
            foreach (Workspace workspace in workspaces) workspace.Dispose();
        }

        static double Median(List<double> rounds) => PannCore.Diagnostics.Median.Of(rounds.Skip(WarmupRounds));

        // Milliseconds; small batches are repeated until they are timed as long as a large one.
        static double PerImage(int batch, Action work)
        {
            int repetitions = Math.Max(1, Batch / batch);
            double seconds = BenchTimer.Seconds(() =>
            {
                for (int i = 0; i < repetitions; i++) work();
            });
            return 1000 * seconds / repetitions / batch;
        }
    }

    private sealed record Setting(int Value, int Depth, int Batch, int Threads);
}

/// <summary>One setting of <c>pann bench --growth</c>.</summary>
/// <param name="Against">What grows: batch, depth or threads.</param>
/// <param name="Value">How far.</param>
/// <param name="TrainMsPerImage">Training step, milliseconds an image.</param>
/// <param name="TrainDeviationPercent">How far that is above linear growth.</param>
/// <param name="EvalMsPerImage">Evaluation, milliseconds an image.</param>
/// <param name="EvalDeviationPercent">Likewise.</param>
internal sealed record GrowthRow(string Against, int Value, double TrainMsPerImage, double TrainDeviationPercent, double EvalMsPerImage, double EvalDeviationPercent);

/// <summary>What <c>pann bench --growth --json</c> writes.</summary>
internal sealed record GrowthRecord(int Threads, int VectorBits, string Convolution, IReadOnlyList<GrowthRow> Rows);
