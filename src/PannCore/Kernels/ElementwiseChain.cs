namespace PannCore.Kernels;

/// <summary>
/// Elementwise work on one array that has been put off: batch-norm, then addition, then ReLU. Whoever reads the array next does all of it range by range just before
/// it reads a range, while that is in the nearest caches, instead of one pass through memory for each. The bits are those of separate passes.
/// </summary>
internal sealed class ElementwiseChain(Memory<float> target)
{
    private readonly List<IElementwise> _work = [];

    /// <summary>The array that is written.</summary>
    public Memory<float> Target { get; } = target;

    /// <summary>Ranges begin and end at multiples of this.</summary>
    public int Granule { get; private set; } = 1;

    /// <summary>Whether the work has been done, or is no longer needed.</summary>
    public bool IsDone { get; set; }

    /// <summary>Whether it has failed in the middle: work in place cannot be begun again.</summary>
    public bool IsBroken { get; set; }

    /// <summary>Arrays to give back when the work has been done.</summary>
    public List<Memory<float>> Kept { get; } = [];

    public void Add(IElementwise work)
    {
        if (work.Length != Target.Length) throw new ArgumentException("elementwise: arrays of different lengths");
        _work.Add(work);
        Granule = Math.Max(Granule, work.Granule);
    }

    public bool Reads(ReadOnlyMemory<float> array)
    {
        foreach (IElementwise work in _work)
        {
            if (work.Reads(array)) return true;
        }
        return false;
    }

    /// <summary>Does all work on a range.</summary>
    public void Run(int start, int length)
    {
        foreach (IElementwise work in _work) work.Run(start..(start + length));
    }

    /// <summary>Does all work.</summary>
    public void Run(Workers workers)
    {
        int size = Chunks.Elements / Granule * Granule;
        size = Math.Max(size, Granule);
        workers.Run(new Job(this, size), Chunks.Count(Target.Length, size), small: Target.Length <= Chunks.SmallLength);
    }

    private readonly struct Job(ElementwiseChain chain, int size) : IJob
    {
        public void Run(int chunk, Scratch scratch)
        {
            int start = chunk * size;
            chain.Run(start, Math.Min(size, chain.Target.Length - start));
        }
    }
}
