using System.Diagnostics;

namespace PannCore.Cli;

/// <summary>Times work that can be done again and again.</summary>
internal static class BenchTimer
{
    /// <summary>On a slow machine runs are left out rather than the user kept waiting.</summary>
    private static readonly TimeSpan LongestWarmup = TimeSpan.FromSeconds(1), LongestMeasurement = TimeSpan.FromSeconds(3);

    /// <summary>Median seconds of so many runs, after as many to warm up: of at least three, where they would take longer than three seconds.</summary>
    public static double Median(string title, int runs, Action work) => ProgressBar.Run(title, 2L * runs, progress =>
    {
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < runs && (i < 2 || Stopwatch.GetElapsedTime(start) < LongestWarmup); i++) Once(i);
        var seconds = new List<double>();
        for (start = Stopwatch.GetTimestamp(); seconds.Count < runs && (seconds.Count < 3 || Stopwatch.GetElapsedTime(start) < LongestMeasurement);)
            seconds.Add(Once(runs + seconds.Count));
        return Diagnostics.Median.Of(seconds);

        double Once(int number)
        {
            double elapsed = Seconds(work);
            progress?.Report(number + 1);
            return elapsed;
        }
    });

    public static double Seconds(Action work)
    {
        long start = Stopwatch.GetTimestamp();
        work();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    /// <summary>Seconds of a difference of two readings of the clock, as the library's measurements ask for.</summary>
    public static double Seconds(long ticks) => Stopwatch.GetElapsedTime(0, ticks).TotalSeconds;
}
