using System.Globalization;

namespace PannCore.Checkpoints;

/// <summary>Names and shapes from a file as they appear in a one-line message.</summary>
internal static class MessageText
{
    private const int LongestName = 120, LongestShape = 8;

    /// <summary>The name in single quotes, cut after 120 characters, with control characters and lone surrogates as <c>\u000A</c>: a file cannot forge lines.</summary>
    internal static string Quote(string name) => $"'{BadInputException.OneLine(name.AsSpan(0, Math.Min(name.Length, LongestName)))}{(name.Length > LongestName ? "…" : "")}'";

    /// <summary>The dimensions in brackets, cut after 8.</summary>
    internal static string Shape<T>(IReadOnlyCollection<T> dimensions) where T : IFormattable
        => $"[{string.Join(',', dimensions.Take(LongestShape).Select(d => d.ToString(null, CultureInfo.InvariantCulture)))}{(dimensions.Count > LongestShape ? ",…" : "")}]";
}
