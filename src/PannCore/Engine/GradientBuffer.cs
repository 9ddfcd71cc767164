using PannCore.Kernels;

namespace PannCore.Engine;

/// <summary>The memory of a gradient on its way back; an addition passes one and the same to both of its inputs.</summary>
internal sealed class GradientBuffer
{
    public Memory<float> Memory { get; private set; }

    /// <summary>How many tensors have it as their gradient; it may be written over by a sole owner only.</summary>
    public int Owners { get; set; }

    /// <summary>Elementwise work that has to be done before it is read.</summary>
    public ElementwiseChain? Pending { get => field is { IsDone: false } ? field : null; set; }

    /// <summary>Forgets everything, for another gradient of one owner.</summary>
    public void Begin(Memory<float> memory, ElementwiseChain? pending)
    {
        Memory = memory;
        Owners = 1;
        Pending = pending;
    }
}
