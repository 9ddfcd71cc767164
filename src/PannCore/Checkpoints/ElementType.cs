namespace PannCore.Checkpoints;

/// <summary>How the numbers of an array are stored.</summary>
public enum ElementType
{
    /// <summary>IEEE binary32, 4 bytes.</summary>
    Float32,

    /// <summary>IEEE binary64, 8 bytes.</summary>
    Float64,

    /// <summary>Two's complement, 4 bytes.</summary>
    Int32,

    /// <summary>Two's complement, 8 bytes.</summary>
    Int64,
}

internal static class ElementTypes
{
    internal static int Size(this ElementType type) => type is ElementType.Float32 or ElementType.Int32 ? 4 : 8;
}
