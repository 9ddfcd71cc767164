using System.Text.Json.Serialization;

namespace PannCore.Approximation;

/// <summary>How a fixed-point product loses its surplus bits.</summary>
public enum FixedPointRounding
{
    /// <summary>To the nearest multiple of 2^-F, halves up.</summary>
    [JsonStringEnumMemberName("nearest")]
    Nearest,

    /// <summary>To the next multiple of 2^-F below: an arithmetic shift, as protocols with local truncation do.</summary>
    [JsonStringEnumMemberName("truncate")]
    Truncate,
}
