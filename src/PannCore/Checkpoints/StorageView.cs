namespace PannCore.Checkpoints;

/// <summary>A tensor whose every element has been found to lie within its storage, so that it can be read.</summary>
internal sealed class StorageView
{
    /// <summary>Reading takes the memory of everything from the first element to the last: as many times that of the elements at most.</summary>
    private const int MostSpread = 16;

    private readonly string _name;
    private readonly long _start;
    private readonly long[] _stride;
    private readonly ElementType _type;
    private readonly int _span;

    private StorageView(string name, ElementType type, int[] shape, long[] stride, long start, int span)
        => (_name, _type, Shape, _stride, _start, _span) = (name, type, shape, stride, start, span);

    /// <summary>The dimensions, slowest first.</summary>
    internal int[] Shape { get; }

    /// <summary>Memory that reading takes at most: the elements, and what lies between them in the storage.</summary>
    internal long ByteLength => (long)_span * _type.Size();

    /// <exception cref="BadInputException">The element type is not read, or the storage is absent, not as long as declared, or too short for the tensor.</exception>
    internal static StorageView Of(string name, TorchTensor tensor, IReadOnlyDictionary<string, FileRange> storages, string path)
    {
        TorchStorage storage = tensor.Storage;
        string where = $"tensor {MessageText.Quote(name)}";
        if (storage.Type.Type is not { } type)
            throw BadInputException.At(path, where, "storage of FloatStorage, DoubleStorage, IntStorage or LongStorage", storage.Type.Name);

        if (!storages.TryGetValue(storage.Key, out FileRange bytes))
            throw BadInputException.At(path, where, $"storage {MessageText.Quote(storage.Key)}", "none of that name");
        if (bytes.Length % type.Size() != 0 || bytes.Length / type.Size() != storage.Count)
            throw BadInputException.At(path, where, $"storage {MessageText.Quote(storage.Key)} of {storage.Count} x {type.Size()} bytes", $"{bytes.Length} bytes");

        long[] size = [.. tensor.Size.Cast<long>()], strides = [.. tensor.Stride.Cast<long>()];
        if (size.Any(d => d is < 0 or > int.MaxValue))
            throw BadInputException.At(path, where, $"dimensions from 0 to {int.MaxValue}", MessageText.Shape(size));
        int[] shape = [.. size.Select(d => (int)d)];
        if (!NamedArray.TryCount(shape, type, out int count))
            throw BadInputException.At(path, where, "a shape of less than 2 GiB", MessageText.Shape(shape));

        long span = 0;
        if (count > 0)
        {
            span = 1;
            for (int d = 0; d < shape.Length; d++)
            {
                if (shape[d] == 1) continue;
                // Both factors are at most 2^31 here, or the view is refused: no overflow.
                long stride = strides[d];
                if (stride < 0 || stride > storage.Count || stride > int.MaxValue) throw Outside();
                span += (shape[d] - 1L) * stride;
                if (span > storage.Count) throw Outside();
            }
        }
        if (tensor.Offset < 0 || tensor.Offset > storage.Count - span) throw Outside();
        // A stride of 0 or overlapping rows would make many numbers from few.
        if (count > span) throw BadInputException.At(path, where, "elements of its own", $"shape {MessageText.Shape(shape)} with stride {MessageText.Shape(strides)} over {span} elements");
        if (span > Array.MaxLength / type.Size()) throw BadInputException.At(path, where, "a part of the storage of less than 2 GiB", $"{span} elements of it");
        if (span > (long)MostSpread * count) throw BadInputException.At(path, where, $"elements within {MostSpread} times their own length", $"shape {MessageText.Shape(shape)} with stride {MessageText.Shape(strides)} over {span} elements");
        return new StorageView(name, type, shape, strides, bytes.Start + tensor.Offset * type.Size(), (int)span);

        BadInputException Outside() => BadInputException.At(path, where,
            $"elements within the {storage.Count} of storage {MessageText.Quote(storage.Key)}",
            FormattableString.Invariant($"shape {MessageText.Shape(shape)} with stride {MessageText.Shape(strides)} from element {tensor.Offset}"));
    }

    internal NamedArray Read(Stream stream)
    {
        var array = NamedArray.Zeros(_name, Shape, _type);
        stream.Position = _start;
        if (IsRowMajor())
        {
            stream.ReadExactly(array.Bytes);
        }
        else
        {
            var span = new byte[ByteLength];
            stream.ReadExactly(span);
            Gather(span, _type.Size(), array.Bytes);
        }
        array.FromLittleEndian();
        return array;
    }

    /// <summary>Whether memory order is row-major order; dimensions of 1 may have any stride.</summary>
    private bool IsRowMajor()
    {
        long stride = 1;
        for (int d = Shape.Length - 1; d >= 0; d--)
        {
            if (Shape[d] != 1 && _stride[d] != stride) return false;
            stride *= Shape[d];
        }
        return true;
    }

    private void Gather(ReadOnlySpan<byte> from, int size, Span<byte> into)
    {
        var index = new int[Shape.Length];
        long position = 0;
        for (int at = 0; at < into.Length; at += size)
        {
            from.Slice((int)position * size, size).CopyTo(into[at..]);
            for (int d = Shape.Length - 1; d >= 0; d--)
            {
                if (Shape[d] == 1) continue;
                position += _stride[d];
                if (++index[d] < Shape[d]) break;
                position -= Shape[d] * _stride[d];
                index[d] = 0;
            }
        }
    }
}
