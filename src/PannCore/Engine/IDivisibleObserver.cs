namespace PannCore.Engine;

/// <summary>
/// An observer of several runs whose findings do not depend on how the images are divided among runs, to the bit: counts and largest values, but no sums of floating-point numbers.
/// Runs on different threads can then each have a part of it.
/// </summary>
public interface IDivisibleObserver : IRunObserver
{
    /// <summary>An observer of the same kind that has seen nothing.</summary>
    IDivisibleObserver Part();

    /// <summary>Takes over what a part has seen, as if this one had seen those runs itself, after its own. The part is of no use any more.</summary>
    /// <exception cref="ArgumentException">It is an observer of another kind.</exception>
    void Add(IDivisibleObserver part);
}
