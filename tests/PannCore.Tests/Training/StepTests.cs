using System.Diagnostics;
using System.Globalization;
using Xunit;

namespace PannCore.Tests.Training;

/// <summary>What a ResNet-20 training step of 128 images costs besides its arithmetic, each time in a process of its own and with no other test beside it.</summary>
[CollectionDefinition(nameof(StepTests), DisableParallelization = true)]
[Collection(nameof(StepTests))]
public sealed class StepTests
{
    /// <summary>What is left are the tensors and operations themselves: 18 KB measured.</summary>
    [StepFact(cores: 1)]
    public void Fifty_steps_leave_nothing_to_collect()
    {
        const int steps = 50;
        StepFigures figures = StepProgram.Run("train", "2", "10", $"{steps}")[1];
        Assert.Equal((0, 0), (figures.Generation1, figures.Generation2));
        Assert.InRange(figures.Bytes / steps, 1, 20 * 1024);
    }

    /// <summary>
    /// A fresh process compiles everything, and the system gives it its memory, in the first step; measured are 167 to 202 ms on a Zen 4 machine.
    /// Of its 66,000 pages two threads wait for half each, there 10 ms; at 1.5 us a page 50 ms, which the limit still has room for. Where a page takes 11 us it is 360 ms, whatever the code does.
    /// </summary>
    [StepFact(cores: 2, MostMicrosecondsAPage = 1.5)]
    public void The_first_step_takes_at_most_250_ms_more_than_the_tenth()
    {
        double excess = LeastOfSome(250, () => Enumerable.Range(0, 3).Select(_ => Excess(StepProgram.Run("train", "2", "1", "8", "1"))).Order().ElementAt(1));
        Assert.InRange(excess, double.NegativeInfinity, 250);

        // The clock also counts time in which others had the core; the training thread's own processor time includes what it spins while it waits for the worker, up to some milliseconds, after which it blocks: compiling takes place on this thread, but for what the worker meets first.
        static double Excess(StepFigures[] rows)
            => Math.Min(rows[0].Milliseconds[0] - rows[2].Milliseconds[0], rows[0].ThreadMilliseconds - rows[2].ThreadMilliseconds);
    }

    /// <summary>With one of two cores shared with another process, a step that lost nothing to waiting would take 4/3 of its time; measured are 1.42 to 1.69 times.</summary>
    [StepFact(cores: 2)]
    public void A_core_kept_busy_by_another_process_costs_at_most_1_7_times()
    {
        double ratio = LeastOfSome(1.7, () =>
        {
            StepFigures[] figures = StepProgram.Run("busy", "2", "10", "15", "15");
            return figures[2].Median / figures[1].Median;
        });
        Assert.InRange(ratio, 0, 1.7);
    }

    /// <summary>What else the machine does only adds time: a try above the limit is repeated, and the least of at most five is the nearest to the truth.</summary>
    private static double LeastOfSome(double limit, Func<double> measure)
    {
        double least = double.PositiveInfinity;
        for (int attempt = 0; attempt < 5 && !(least <= limit); attempt++) least = Math.Min(least, measure());
        return least;
    }
}

/// <summary>A test on time or memory; skipped where the code is not compiled as users run it, and where the machine is none that it can be measured on.</summary>
internal sealed class StepFactAttribute : FactAttribute
{
    private static readonly Lazy<double> MicrosecondsAPage = new(MeasurePages);

    public StepFactAttribute(int cores)
    {
#if DEBUG
        Skip = "measures optimised code: run it in Release";
#endif
        if (Environment.ProcessorCount < cores) Skip = $"needs {cores} cores, this machine has {Environment.ProcessorCount}";
    }

    /// <summary>What the system may take for a page of fresh memory, at most. Bare machines take a few tenths; a guest whose every page its host has to enter takes more than ten.</summary>
    public double MostMicrosecondsAPage
    {
        get;
        init
        {
            field = value;
            if (Skip is null && MicrosecondsAPage.Value > value)
                Skip = string.Create(CultureInfo.InvariantCulture, $"needs a machine that gives out a fresh page of memory in {value} us, this one takes {MicrosecondsAPage.Value:F1}");
        }
    }

    /// <summary>The median of several blocks, all of them kept until the end: one that was given back would not be fresh.</summary>
    private static double MeasurePages()
    {
        const int blocks = 5, pages = 2048;
        byte[][] kept = new byte[blocks][];
        double[] microseconds = new double[blocks];
        for (int block = 0; block < blocks; block++)
        {
            byte[] bytes = kept[block] = GC.AllocateUninitializedArray<byte>(pages * Environment.SystemPageSize, pinned: true);
            long start = Stopwatch.GetTimestamp();
            for (int page = 0; page < pages; page++) bytes[page * Environment.SystemPageSize] = 1;
            microseconds[block] = Stopwatch.GetElapsedTime(start).TotalMicroseconds / pages;
        }
        GC.KeepAlive(kept);
        return microseconds.Order().ElementAt(blocks / 2);
    }
}
