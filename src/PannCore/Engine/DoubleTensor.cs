namespace PannCore.Engine;

/// <summary>A float64 array with a shape: what references, ideals and the error ledger compute with.</summary>
public sealed class DoubleTensor
{
    /// <summary>Zeros of a shape.</summary>
    public DoubleTensor(Shape shape) : this(shape, new double[shape.Length]) { }

    /// <summary>Values of a shape; the array is kept, not copied.</summary>
    /// <exception cref="ShapeException">Another number of values.</exception>
    public DoubleTensor(Shape shape, double[] values)
    {
        if (values.Length != shape.Length) throw new ShapeException($"tensor: shape {shape} has {shape.Length} values, found {values.Length}");
        Shape = shape;
        Values = values;
    }

    /// <summary>The shape.</summary>
    public Shape Shape { get; }

    /// <summary>The values, row-major.</summary>
    public double[] Values { get; }

    /// <summary>Exact copy of float32 values.</summary>
    /// <exception cref="ShapeException">Another number of values.</exception>
    public static DoubleTensor From(Shape shape, ReadOnlySpan<float> values)
    {
        if (values.Length != shape.Length) throw new ShapeException($"tensor: shape {shape} has {shape.Length} values, found {values.Length}");
        var result = new DoubleTensor(shape);
        System.Numerics.Tensors.TensorPrimitives.ConvertChecked(values, result.Values);
        return result;
    }
}
