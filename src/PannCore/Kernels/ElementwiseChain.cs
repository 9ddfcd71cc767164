namespace PannCore.Kernels;

/// <summary>
/// Elementwise work on one array that has been put off: batch-norm, then addition, then ReLU. Whoever reads the array next does all of it range by range just before
/// it reads a range, while that is in the nearest caches, instead of one pass through memory for each. The bits are those of separate passes.
/// </summary>
internal sealed class ElementwiseChain
{
    /// <summary>8 KiB: of the array, and of two that are read with it, a first-level cache of 32 KiB holds so much.</summary>
    private const int Nearest = 2048;

    private readonly List<Link> _links = [];
    private int _count;

    /// <summary>The array that is written.</summary>
    public Memory<float> Target { get; private set; }

    /// <summary>Ranges begin and end at multiples of this.</summary>
    public int Granule { get; private set; } = 1;

    /// <summary>Whether the work has been done, or is no longer needed.</summary>
    public bool IsDone { get; set; }

    /// <summary>Whether it has failed in the middle: work in place cannot be begun again.</summary>
    public bool IsBroken { get; set; }

    /// <exception cref="InvalidOperationException">It has failed in the middle.</exception>
    public void ThrowIfBroken()
    {
        if (IsBroken) throw new InvalidOperationException("these values could not be computed: the attempt before has failed in the middle");
    }

    /// <summary>Arrays to give back when the work has been done.</summary>
    public List<Memory<float>> Kept { get; } = [];

    /// <summary>Forgets everything, for work on another array.</summary>
    public void Begin(Memory<float> target)
    {
        Target = target;
        Granule = 1;
        IsDone = IsBroken = false;
        Kept.Clear();
        _count = 0;
    }

    public void Add<TWork>(in TWork work) where TWork : struct, IElementwise
    {
        if (work.Length != Target.Length) throw new ArgumentException("elementwise: arrays of different lengths");
        if (_count == _links.Count) _links.Add(new Link<TWork>());
        // Steps are alike: as a rule the chain did the same work in the step before, and nothing is allocated.
        if (_links[_count] is not Link<TWork> link) _links[_count] = link = new Link<TWork>();
        link.Work = work;
        _count++;
        Granule = Math.Max(Granule, work.Granule);
    }

    public bool Reads(ReadOnlyMemory<float> array)
    {
        for (int i = 0; i < _count; i++)
        {
            if (_links[i].Reads(array)) return true;
        }
        return false;
    }

    /// <summary>Does all work on a range, part by part where there are several links: what one has written the next still finds in the nearest cache.</summary>
    public void Run(int start, int length)
    {
        int end = start + length, part = _count == 1 ? length : Math.Max(Nearest / Granule, 1) * Granule;
        for (; start < end; start += part)
        {
            Range range = start..Math.Min(start + part, end);
            for (int i = 0; i < _count; i++) _links[i].Run(range);
        }
    }

    /// <summary>Does all work.</summary>
    public void Run(Workers workers)
    {
        int size = Chunks.Elements / Granule * Granule;
        size = Math.Max(size, Granule);
        workers.Run(new Job(this, size), Chunks.Count(Target.Length, size), small: Target.Length <= Chunks.SmallLength);
    }

    private abstract class Link
    {
        public abstract bool Reads(ReadOnlyMemory<float> array);

        public abstract void Run(Range range);
    }

    private sealed class Link<TWork> : Link where TWork : struct, IElementwise
    {
        public TWork Work { private get; set; }

        public override bool Reads(ReadOnlyMemory<float> array) => Work.Reads(array);

        public override void Run(Range range) => Work.Run(range);
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
