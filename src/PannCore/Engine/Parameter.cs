using PannCore.Kernels;

namespace PannCore.Engine;

/// <summary>
/// A named array of a model that outlives every run: a weight, or a running statistic (not <see cref="Trainable"/>).
/// Values are float32 in PyTorch's order. Kernels keep packed copies of them by <see cref="Version"/>.
/// </summary>
public sealed class Parameter
{
    private readonly float[] _values;
    private readonly object _packing = new();
    private readonly List<object> _packed = [];

    /// <summary>A parameter of zeros.</summary>
    public Parameter(string name, Shape shape, bool trainable = true)
    {
        Name = name;
        Shape = shape;
        Trainable = trainable;
        _values = new float[shape.Length];
    }

    /// <summary>The name in checkpoints, for instance <c>layer1.0.conv1.weight</c>.</summary>
    public string Name { get; }

    /// <summary>The shape, in PyTorch's order.</summary>
    public Shape Shape { get; }

    /// <summary>Whether the optimiser changes it; running statistics are kept by batch-norm itself.</summary>
    public bool Trainable { get; }

    /// <summary>Changes with every write, so that forms derived from the values know when they are stale.</summary>
    public int Version { get; private set; }

    /// <summary>The values, row-major in <see cref="Shape"/>.</summary>
    public ReadOnlySpan<float> Values => _values;

    /// <summary>Changes the values in place. Not to be called while another run uses the model.</summary>
    public void Update(Action<Span<float>> change)
    {
        try
        {
            change(_values);
        }
        finally
        {
            Version++;
        }
    }

    /// <summary>The values, to be changed before anything asks for a packed form. Not to be called while another run uses the model.</summary>
    internal Span<float> Overwrite()
    {
        Version++;
        return _values;
    }

    /// <summary>Replaces all values. Not to be called while another run uses the model.</summary>
    /// <exception cref="ShapeException">Another number of values.</exception>
    public void Set(ReadOnlySpan<float> values)
    {
        if (values.Length != _values.Length) throw new ShapeException($"parameter {Name}: shape {Shape} has {_values.Length} values, found {values.Length}");
        values.CopyTo(_values);
        Version++;
    }

    /// <summary>
    /// A form derived from the values, made once for each version; several runs may ask at the same time. The packing is given
    /// the form of the version before, whose memory it may use again: weights change only while no other run uses the model.
    /// </summary>
    internal TForm Packed<TPacking, TForm>(in TPacking packing, Workers workers) where TPacking : struct, IPacking<TForm>, IEquatable<TPacking>
    {
        lock (_packing)
        {
            PackedForm<TPacking, TForm>? packed = null;
            foreach (object known in _packed)
            {
                if (known is PackedForm<TPacking, TForm> candidate && candidate.Packing.Equals(packing)) packed = candidate;
            }
            if (packed is null) _packed.Add(packed = new(packing));
            if (packed.Version != Version) packed.Form = packing.Pack(_values, packed.Form, workers);
            packed.Version = Version;
            return packed.Form!;
        }
    }

    private sealed class PackedForm<TPacking, TForm>(TPacking packing)
    {
        public TPacking Packing { get; } = packing;

        public int? Version { get; set; }

        public TForm? Form { get; set; }
    }
}

/// <summary>How a form is derived from a parameter's values; equal packings give the same form.</summary>
internal interface IPacking<TForm>
{
    /// <param name="values">The parameter's values.</param>
    /// <param name="old">The form of other values, null or default at first, whose memory may be used again.</param>
    /// <param name="workers">The threads to use.</param>
    TForm Pack(float[] values, TForm? old, Workers workers);
}
