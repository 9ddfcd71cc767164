namespace PannCore.Engine;

/// <summary>
/// An observer of several runs whose findings do not depend on how the images are divided among runs, to the bit: counts and largest values, but no sums of floating-point numbers.
/// Runs on different threads can then each have a part of it. Where they do, <see cref="Part"/> and <see cref="Add"/> are called on the caller's thread, a part's <see cref="IRunObserver.Forward"/> on any one,
/// and the observer's own not at all; and where one of them fails or is stopped, the observer has seen all operations for some of the images, from the first on.
/// </summary>
public interface IDivisibleObserver : IRunObserver
{
    /// <summary>An observer of the same kind and settings that has seen nothing.</summary>
    IDivisibleObserver Part();

    /// <summary>Takes over what a part has seen, as if this one had seen those runs itself, after its own; parts come in the order of the images. The part is of no use any more.</summary>
    /// <exception cref="ArgumentException">It is an observer of another kind, or this one.</exception>
    void Add(IDivisibleObserver part);
}
