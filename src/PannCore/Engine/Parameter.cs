namespace PannCore.Engine;

/// <summary>
/// A named array of a model that outlives every run: a weight, or a running statistic (not <see cref="Trainable"/>).
/// Values are float32 in PyTorch's order. Kernels keep packed copies of them by <see cref="Version"/>.
/// </summary>
public sealed class Parameter
{
    private readonly float[] _values;
    private readonly object _packing = new();
    private readonly Dictionary<object, object> _packed = [];

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
    /// A form derived from the values, made once for each version; several runs may ask at the same time. <paramref name="pack"/> is given
    /// the form of the version before, whose memory it may use again: weights change only while no other run uses the model.
    /// </summary>
    internal TForm Packed<TForm>(object key, Func<float[], TForm?, TForm> pack) where TForm : notnull
    {
        lock (_packing)
        {
            if (_packed.TryGetValue(key, out object? known))
            {
                var packed = (PackedForm<TForm>)known;
                if (packed.Version != Version) packed.Form = pack(_values, packed.Form);
                packed.Version = Version;
                return packed.Form;
            }
            TForm form = pack(_values, default);
            _packed[key] = new PackedForm<TForm> { Version = Version, Form = form };
            return form;
        }
    }

    private sealed class PackedForm<TForm>
    {
        public required int Version { get; set; }

        public required TForm Form { get; set; }
    }
}
