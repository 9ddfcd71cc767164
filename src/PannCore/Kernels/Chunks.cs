namespace PannCore.Kernels;

/// <summary>Cuts a length into chunks of a fixed size: boundaries depend on the length only.</summary>
internal static class Chunks
{
    /// <summary>Elements of an elementwise chunk: 64 KiB of float32, small enough for the second-level cache, long enough to hide the dispatch.</summary>
    public const int Elements = 16 * 1024;

    /// <summary>Up to so many elements a pass takes a tenth of a millisecond or so: see <see cref="Workers.Run"/>.</summary>
    public const int SmallLength = 1 << 20;

    public static int Count(int length, int size = Elements) => (int)(((long)length + size - 1) / size);

    public static Range Of(int chunk, int length, int size = Elements) => (chunk * size)..(int)Math.Min((long)(chunk + 1) * size, length);
}
