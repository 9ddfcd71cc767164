namespace PannCore.Checkpoints;

/// <summary>Compares the arrays of a file with those a network needs, and says everything that differs at once.</summary>
public static class StateDictMatch
{
    private const int MostListed = 20;

    /// <summary>Passes where every expected array is there in its shape and no other one is.</summary>
    /// <param name="file">The file's name, for the message.</param>
    /// <param name="architecture">The network's name, for the message.</param>
    /// <param name="expected">Names and shapes the network needs.</param>
    /// <param name="found">Names and shapes the file holds.</param>
    /// <param name="optional">
    /// Names that may be absent, and are ignored where nobody expects them and they are one number: whole names, or last parts such as <c>num_batches_tracked</c>.
    /// </param>
    /// <exception cref="BadInputException">
    /// Keys are missing, surplus or have another shape: all of them are counted, the first 20 of each kind listed.
    /// </exception>
    public static void Check(
        string file,
        string architecture,
        IReadOnlyList<(string Name, int[] Shape)> expected,
        IReadOnlyDictionary<string, int[]> found,
        IReadOnlySet<string>? optional = null)
    {
        bool IsOptional(string name) => optional is not null && (optional.Contains(name) || optional.Contains(name[(name.LastIndexOf('.') + 1)..]));

        var missing = new List<string>();
        var misshaped = new List<string>();
        foreach ((string name, int[] shape) in expected)
        {
            if (!found.TryGetValue(name, out int[]? other))
            {
                if (!IsOptional(name)) missing.Add(MessageText.Quote(name));
            }
            else if (!other.AsSpan().SequenceEqual(shape))
            {
                misshaped.Add($"{MessageText.Quote(name)} expected {MessageText.Shape(shape)} found {MessageText.Shape(other)}");
            }
        }
        var needed = expected.Select(e => e.Name).ToHashSet(StringComparer.Ordinal);
        List<string> surplus = [.. found.Where(pair => !needed.Contains(pair.Key) && !(IsOptional(pair.Key) && pair.Value.All(d => d == 1))).Select(pair => MessageText.Quote(pair.Key))];

        if (Differences(missing, surplus, misshaped) is { } differences)
            throw new BadInputException($"{file}: does not fit {architecture}: {differences}");
    }

    /// <summary>All of them counted, the first 20 of each kind listed; null where there are none.</summary>
    internal static string? Differences(IReadOnlyList<string> missing, IReadOnlyList<string> surplus, IReadOnlyList<string>? misshaped = null)
    {
        string[] differences = [.. Listing("missing", missing), .. Listing("surplus", surplus), .. Listing("of another shape", misshaped ?? [])];
        return differences.Length == 0 ? null : string.Join("; ", differences);
    }

    private static IEnumerable<string> Listing(string kind, IReadOnlyList<string> keys)
    {
        if (keys.Count == 0) yield break;
        string more = keys.Count > MostListed ? $" and {keys.Count - MostListed} more" : "";
        yield return $"{keys.Count} {(keys.Count == 1 ? "key" : "keys")} {kind}: {string.Join(", ", keys.Take(MostListed))}{more}";
    }
}
