namespace PannCore.Kernels;

/// <summary>Work on the elements of arrays that can be done in any order and in ranges of any size, with the same bits.</summary>
internal interface IElementwise
{
    /// <summary>Number of elements.</summary>
    int Length { get; }

    /// <summary>Ranges begin and end at multiples of this: 1, or the number of channels.</summary>
    int Granule { get; }

    /// <summary>Whether the work reads this array.</summary>
    bool Reads(ReadOnlyMemory<float> array);

    /// <summary>Does a range of elements.</summary>
    void Run(Range range);
}
