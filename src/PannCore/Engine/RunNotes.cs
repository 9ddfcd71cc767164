using PannCore.Kernels;

namespace PannCore.Engine;

/// <summary>
/// What a run writes down as it goes. The workspace keeps it for the next run: lists that grow anew in every step would be garbage of several times the size of all else.
/// </summary>
internal sealed class RunNotes
{
    /// <summary>Tensors whose memory the run has to give back.</summary>
    public List<Tensor> Live { get; } = [];

    /// <summary>Outputs that the backward pass has to visit, in the order of their making.</summary>
    public List<Tensor> Tape { get; } = [];

    /// <summary>Memory that operations keep for their backward pass.</summary>
    public List<Memory<float>> Saved { get; } = [];

    /// <summary>Elementwise work that has been put off.</summary>
    public List<ElementwiseChain> PutOff { get; } = [];

    /// <summary>Objects for work that is put off, kept from run to run.</summary>
    public Spares<ElementwiseChain> SpareChains { get; } = new();

    /// <summary>Objects for gradients on their way back, kept from run to run.</summary>
    public Spares<GradientBuffer> SpareGradients { get; } = new();

    /// <summary>The gradients found.</summary>
    public Dictionary<Parameter, Memory<float>> Gradients { get; } = [];

    /// <summary>Those of inputs; their memory is among <see cref="Saved"/>.</summary>
    public Dictionary<Tensor, Memory<float>> InputGradients { get; } = [];

    /// <summary>The modules being called, the innermost on top.</summary>
    public Stack<(string Path, bool Leaf)> Modules { get; } = [];

    /// <summary>How often each path has been met.</summary>
    public Dictionary<string, int> Paths { get; } = [];

    /// <summary>Gives all memory back but that of live tensors, which have been released before, and forgets everything.</summary>
    public void Clear(BufferPool pool)
    {
        foreach (Memory<float> buffer in Saved) pool.Return(buffer);
        foreach (Memory<float> gradient in Gradients.Values) pool.Return(gradient);
        Live.Clear();
        Tape.Clear();
        Saved.Clear();
        SpareChains.TakeBack();
        SpareGradients.TakeBack();
        Gradients.Clear();
        InputGradients.Clear();
        Modules.Clear();
        Paths.Clear();
    }
}
