using System.Buffers.Binary;
using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace PannCore.Checkpoints;

/// <summary>
/// One array of a file: a name, a shape and its numbers in row-major order (the last dimension varies fastest).
/// Plain data in the file's own layout; turning it into a network's weights is the reader's business.
/// A shape without dimensions is a scalar: one number.
/// </summary>
public sealed class NamedArray
{
    /// <summary>Most dimensions that are read or written: PyTorch's own limit. Without one, a file could name a shape as long as itself again and again.</summary>
    internal const int MostDimensions = 64;

    private readonly Array _values;

    /// <summary>An array of float32 numbers; <paramref name="values"/> is taken over, not copied.</summary>
    /// <exception cref="ArgumentException">The shape has a negative dimension or more than 64, or does not hold as many numbers as there are values.</exception>
    public NamedArray(string name, int[] shape, float[] values) : this(name, shape, values, ElementType.Float32) { }

    /// <summary>An array of float64 numbers; <paramref name="values"/> is taken over, not copied.</summary>
    /// <exception cref="ArgumentException">The shape has a negative dimension or more than 64, or does not hold as many numbers as there are values.</exception>
    public NamedArray(string name, int[] shape, double[] values) : this(name, shape, values, ElementType.Float64) { }

    /// <summary>An array of int32 numbers; <paramref name="values"/> is taken over, not copied.</summary>
    /// <exception cref="ArgumentException">The shape has a negative dimension or more than 64, or does not hold as many numbers as there are values.</exception>
    public NamedArray(string name, int[] shape, int[] values) : this(name, shape, values, ElementType.Int32) { }

    /// <summary>An array of int64 numbers; <paramref name="values"/> is taken over, not copied.</summary>
    /// <exception cref="ArgumentException">The shape has a negative dimension or more than 64, or does not hold as many numbers as there are values.</exception>
    public NamedArray(string name, int[] shape, long[] values) : this(name, shape, values, ElementType.Int64) { }

    private NamedArray(string name, int[] shape, Array values, ElementType type)
    {
        if (shape.Length > MostDimensions)
            throw new ArgumentException($"array {MessageText.Quote(name)}: expected at most {MostDimensions} dimensions, found {shape.Length}", nameof(shape));
        if (!TryCount(shape, type, out int count) || count != values.Length)
            throw new ArgumentException($"array {MessageText.Quote(name)}: shape {MessageText.Shape(shape)} does not hold {values.Length} values", nameof(shape));
        (Name, Shape, Type, _values) = (name, [.. shape], type, values);
    }

    /// <summary>The array's name, for instance <c>layer1.0.conv1.weight</c>.</summary>
    public string Name { get; }

    /// <summary>The dimensions, slowest first; empty for a scalar.</summary>
    public int[] Shape { get; }

    /// <summary>How the numbers are stored.</summary>
    public ElementType Type { get; }

    /// <summary>Number of elements: the product of the dimensions.</summary>
    public int Count => _values.Length;

    /// <summary>The numbers as they lie in memory; reading a file fills them.</summary>
    internal Span<byte> Bytes => _values switch
    {
        float[] values => MemoryMarshal.AsBytes(values.AsSpan()),
        double[] values => MemoryMarshal.AsBytes(values.AsSpan()),
        int[] values => MemoryMarshal.AsBytes(values.AsSpan()),
        _ => MemoryMarshal.AsBytes(((long[])_values).AsSpan()),
    };

    /// <summary>A copy of the numbers in float32: float64 and integers are rounded to nearest.</summary>
    public float[] ToSingle() => Copy<float>();

    /// <summary>A copy of the numbers in float64: exact, except for int64 beyond 2^53, which is rounded to nearest.</summary>
    public double[] ToDouble() => Copy<double>();

    /// <summary>An array of zeros for a reader to fill through <see cref="Bytes"/>. The shape has been checked by <see cref="TryCount"/>.</summary>
    internal static NamedArray Zeros(string name, int[] shape, ElementType type)
    {
        if (!TryCount(shape, type, out int count)) throw new ArgumentException("the shape does not fit in memory", nameof(shape));
        return type switch
        {
            ElementType.Float32 => new NamedArray(name, shape, new float[count]),
            ElementType.Float64 => new NamedArray(name, shape, new double[count]),
            ElementType.Int32 => new NamedArray(name, shape, new int[count]),
            _ => new NamedArray(name, shape, new long[count]),
        };
    }

    /// <summary>Number of elements of a shape; false for a negative dimension or where the bytes do not fit in one array (just below 2 GiB).</summary>
    internal static bool TryCount(ReadOnlySpan<int> shape, ElementType type, out int count)
    {
        long product = 1;
        foreach (int dimension in shape)
        {
            // Before this multiplication the product is below 2^31, so that it stays below 2^62.
            product *= dimension;
            if (dimension < 0 || product > Array.MaxLength / type.Size())
            {
                count = 0;
                return false;
            }
        }
        count = (int)product;
        return true;
    }

    /// <summary>Turns little-endian numbers, just read into <see cref="Bytes"/>, into the machine's order; nothing to do on nearly every machine.</summary>
    internal void FromLittleEndian()
    {
        if (BitConverter.IsLittleEndian) return;
        if (Type.Size() == 4)
        {
            Span<int> words = MemoryMarshal.Cast<byte, int>(Bytes);
            BinaryPrimitives.ReverseEndianness(words, words);
        }
        else
        {
            Span<long> words = MemoryMarshal.Cast<byte, long>(Bytes);
            BinaryPrimitives.ReverseEndianness(words, words);
        }
    }

    /// <summary>Writes the numbers in little-endian order.</summary>
    internal void WriteLittleEndian(Stream stream)
    {
        NamedArray ordered = this;
        if (!BitConverter.IsLittleEndian)
        {
            ordered = Zeros(Name, Shape, Type);
            Bytes.CopyTo(ordered.Bytes);
            ordered.FromLittleEndian();
        }
        stream.Write(ordered.Bytes);
    }

    private T[] Copy<T>() where T : struct, INumberBase<T>
    {
        var copy = new T[Count];
        switch (_values)
        {
            case float[] values: TensorPrimitives.ConvertTruncating<float, T>(values, copy); break;
            case double[] values: TensorPrimitives.ConvertTruncating<double, T>(values, copy); break;
            case int[] values: TensorPrimitives.ConvertTruncating<int, T>(values, copy); break;
            case long[] values: TensorPrimitives.ConvertTruncating<long, T>(values, copy); break;
        }
        return copy;
    }
}
