namespace PannCore.Engine;

/// <summary>
/// Sizes of a tensor, at most four. Glossary of the whole project: N batch, H and W rows and columns, C channels,
/// K output channels, R x S kernel rows and columns. Images are N, H, W, C with C contiguous; weights keep PyTorch's order K, C, R, S.
/// </summary>
public readonly record struct Shape
{
    private readonly int _d0, _d1, _d2, _d3;

    /// <summary>A shape of one to four sizes.</summary>
    /// <exception cref="ShapeException">More than four sizes, a size below 1, or 2^31 elements or more.</exception>
    public Shape(params ReadOnlySpan<int> sizes)
    {
        if (sizes.Length is < 1 or > 4) throw new ShapeException($"shape: expected 1 to 4 sizes, found {sizes.Length}");
        Rank = sizes.Length;
        (_d0, _d1, _d2, _d3) = (sizes[0], Rank > 1 ? sizes[1] : 1, Rank > 2 ? sizes[2] : 1, Rank > 3 ? sizes[3] : 1);
        long length = 1;
        foreach (int size in sizes)
        {
            if (size < 1) throw new ShapeException($"shape: expected sizes of at least 1, found [{string.Join(',', sizes.ToArray())}]");
            length *= size;
            if (length > int.MaxValue) throw new ShapeException($"shape: [{string.Join(',', sizes.ToArray())}] has more than {int.MaxValue} elements");
        }
        Length = (int)length;
    }

    /// <summary>Number of sizes.</summary>
    public int Rank { get; }

    /// <summary>Number of elements.</summary>
    public int Length { get; }

    /// <summary>The size of one dimension, counted from the outermost.</summary>
    public int this[int dimension] => dimension switch
    {
        0 => _d0,
        1 => _d1,
        2 => _d2,
        3 => _d3,
        _ => throw new ArgumentOutOfRangeException(nameof(dimension)),
    };

    /// <summary>The sizes as an array.</summary>
    public int[] ToArray() => new[] { _d0, _d1, _d2, _d3 }[..Rank];

    /// <summary>The same shape with another first size: of images, another number of them.</summary>
    internal Shape WithFirst(int size)
    {
        int[] sizes = ToArray();
        sizes[0] = size;
        return new(sizes);
    }

    /// <summary>The form used in all messages, for instance <c>[8,32,32,3]</c>.</summary>
    public override string ToString() => $"[{string.Join(',', ToArray())}]";
}

/// <summary>Shapes that do not fit together. The message names the operation, the role, both shapes and the broken relation.</summary>
public sealed class ShapeException(string message) : ArgumentException(message);
