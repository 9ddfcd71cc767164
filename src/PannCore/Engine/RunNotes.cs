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

    /// <summary>The gradients found.</summary>
    public Dictionary<Parameter, Memory<float>> Gradients { get; } = [];

    /// <summary>The modules being called, the innermost on top.</summary>
    public Stack<(string Path, bool Leaf)> Modules { get; } = [];

    /// <summary>How often each path has been met.</summary>
    public Dictionary<string, int> Paths { get; } = [];

    /// <summary>Gives back what operations saved, but for the first <paramref name="kept"/> buffers.</summary>
    public void ReturnSaved(int kept, BufferPool pool)
    {
        for (int i = kept; i < Saved.Count; i++) pool.Return(Saved[i]);
        Saved.RemoveRange(kept, Saved.Count - kept);
    }

    /// <summary>Gives all memory back and forgets everything.</summary>
    public void Clear(BufferPool pool)
    {
        foreach (Tensor tensor in Live) tensor.Release(pool);
        ReturnSaved(0, pool);
        foreach (Memory<float> gradient in Gradients.Values) pool.Return(gradient);
        Live.Clear();
        Tape.Clear();
        Gradients.Clear();
        Modules.Clear();
        Paths.Clear();
    }
}
