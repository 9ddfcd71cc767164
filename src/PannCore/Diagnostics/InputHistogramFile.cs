using System.Text.Json;

namespace PannCore.Diagnostics;

/// <summary>
/// An <see cref="InputHistogram"/> as JSON: <c>about</c>, <c>edges</c>, <c>counts</c> and <c>outside</c> of all activations together, and <c>layers</c> with <c>path</c>,
/// <c>range</c>, <c>counts</c> and <c>outside</c> of each, all with the same edges.
/// </summary>
/// <remarks><see cref="Approximation.InputDensity.Parse"/> reads it: <c>FILE</c> for all activations together, <c>FILE#layer1.0.relu1</c> for one.</remarks>
public static class InputHistogramFile
{
    private static readonly JsonSerializerOptions Options = new JsonSerializerOptions { PropertyNamingPolicy = JsonNamingPolicy.CamelCase }.Fixed();

    /// <summary>Writes the file whole or not at all.</summary>
    /// <param name="path">The file.</param>
    /// <param name="histogram">What was counted.</param>
    /// <param name="about">Where it comes from, in words: model, ranges, images.</param>
    /// <exception cref="BadInputException">The file cannot be written.</exception>
    public static void Write(string path, InputHistogram histogram, string about)
    {
        ArgumentNullException.ThrowIfNull(histogram);
        var contents = new InputHistogramContents(
            about, InputHistogram.Edges, histogram.Counts, histogram.Outside,
            [.. histogram.ByPath.Select(pair => new InputHistogramLayer(pair.Key, pair.Value.Range, pair.Value.Counts, pair.Value.Outside))]);
        AtomicFile.Write(path, stream => JsonSerializer.Serialize(stream, contents, Options));
    }
}

internal sealed record InputHistogramContents(string About, IReadOnlyList<double> Edges, IReadOnlyList<long> Counts, long Outside, IReadOnlyList<InputHistogramLayer> Layers);

internal sealed record InputHistogramLayer(string Path, double Range, IReadOnlyList<long> Counts, long Outside);
