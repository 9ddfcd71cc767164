using PannCore.Engine;
using PannCore.Kernels;

namespace PannCore.Ops;

/// <summary>Float64 work on the parts of an array, shared among the workers of a workspace. The parts depend on lengths only.</summary>
internal static class Parts
{
    private const int LineLength = 1024;

    /// <summary>Works on parts of whole granules, of some 16,384 elements each.</summary>
    public static void Run(Workspace workspace, int length, int granule, Action<Range> work)
    {
        int size = Math.Max(1, Chunks.Elements / granule) * granule;
        workspace.Workers.Run(new Job(chunk => work(Chunks.Of(chunk, length, size))), Chunks.Count(length, size));
    }

    /// <summary>Works on each image of a batch.</summary>
    public static void Each(Workspace workspace, int images, Action<int> work) => workspace.Workers.Run(new Job(work), images);

    /// <summary>The value of each channel, repeated for some pixels: work on long lines instead of single pixels.</summary>
    public static double[] Line(int channels, Func<int, double> value)
    {
        double[] line = new double[Math.Max(1, LineLength / channels) * channels];
        for (int c = 0; c < channels; c++) line[c] = value(c);
        for (int i = channels; i < line.Length; i++) line[i] = line[i - channels];
        return line;
    }

    private readonly struct Job(Action<int> work) : IJob
    {
        public void Run(int chunk, Scratch scratch) => work(chunk);
    }
}
