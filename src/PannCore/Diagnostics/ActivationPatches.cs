using System.IO.Enumeration;
using System.Text.Json;
using PannCore.Approximation;
using PannCore.Nn;

namespace PannCore.Diagnostics;

/// <summary>What if single activations of a PANN were other functions: their paths and specifications.</summary>
/// <remarks>
/// As text, <c>PATH=SPEC</c>, PATH being an activation's path, or several with <c>*</c> and <c>?</c>, such as <c>layer3.*</c>; or <c>file:F</c>, F being a JSON file with an object
/// of paths and specifications, or with such an object under the name <c>patches</c>, as advice and inspection records have it. Where two patches meet, the later one holds.
/// </remarks>
public static class ActivationPatches
{
    private const int MaxFileBytes = 1 << 26, MostNear = 3;

    /// <summary>Reads patches.</summary>
    /// <param name="texts">The texts, in order.</param>
    /// <param name="model">The network whose activations they name.</param>
    /// <param name="activation">What its other activations are: a patch must stand for the same function, or ideal and measured network would differ in more than precision.</param>
    /// <exception cref="BadInputException">A text of another form, a path that is no activation's, a specification that is none or of another function, or a file that cannot be used.</exception>
    public static IReadOnlyDictionary<string, ActivationSpec> Parse(IEnumerable<string> texts, ResNet model, ActivationSpec activation)
    {
        ArgumentNullException.ThrowIfNull(texts);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(activation);
        string[] paths = [.. model.Activations.Select(a => a.Path)];
        var found = new Dictionary<string, ActivationSpec>();
        var known = new Dictionary<string, ActivationSpec>(); // one instance a text: its polynomial is built once
        foreach ((string patch, string pattern, string text) in texts.SelectMany(Pairs))
        {
            string[] named = [.. paths.Where(path => FileSystemName.MatchesSimpleExpression(pattern, path, ignoreCase: false))];
            if (named.Length == 0) throw new BadInputException($"patch '{patch}': {model.Name} has no activation '{pattern}'; {Near(pattern, paths)}");
            if (!known.TryGetValue(text, out ActivationSpec? spec)) known[text] = spec = ActivationSpec.Parse(text);
            if (spec.Leak != activation.Leak)
                throw new BadInputException(FormattableString.Invariant($"patch '{patch}': stands for a ReLU with leak {spec.Leak}: expected leak {activation.Leak}, as {activation} at the other activations"));
            foreach (string path in named) found[path] = spec;
        }
        return paths.Where(found.ContainsKey).ToDictionary(path => path, path => found[path]);
    }

    /// <summary>The network with patches. The range of a patched activation stays; a shift that a repair has measured for its old polynomial does not.</summary>
    /// <param name="model">The network; it is not changed, and the result shares its weights.</param>
    /// <param name="patches">Path and specification.</param>
    /// <param name="ranges">B of each activation; may be null where no patch is a polynomial.</param>
    /// <exception cref="ArgumentNullException">A polynomial without ranges.</exception>
    /// <exception cref="BadInputException">A file of a polynomial that is missing or wrong.</exception>
    public static ResNet With(this ResNet model, IReadOnlyDictionary<string, ActivationSpec> patches, ActivationRanges? ranges)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(patches);
        if (patches.Count == 0) return model;
        var functions = model.Activations.ToDictionary(activation => activation.Path, activation => activation.Function);
        foreach ((string path, ActivationSpec spec) in patches)
        {
            functions[path] = !spec.IsPolynomial ? new ActivationFunction.Relu((float)spec.Leak)
                : new ActivationFunction.Polynomial(spec.Build(), (ranges ?? throw new ArgumentNullException(nameof(ranges), $"patch '{path}={spec}' needs ranges"))[path]);
        }
        return model.With(path => functions[path]);
    }

    private static IEnumerable<(string Patch, string Pattern, string Spec)> Pairs(string text)
    {
        if (text.StartsWith("file:", StringComparison.Ordinal)) return FromFile(text["file:".Length..]);
        int end = text.IndexOf('=', StringComparison.Ordinal);
        if (end <= 0 || end == text.Length - 1) throw new BadInputException($"patch '{text}': expected PATH=SPEC or file:FILE");
        return [(text, text[..end], text[(end + 1)..])];
    }

    private static List<(string Patch, string Pattern, string Spec)> FromFile(string file)
        => InputFile.ReadJson<List<(string Patch, string Pattern, string Spec)>>(file, file, MaxFileBytes, root =>
        {
            if (root.ValueKind == JsonValueKind.Object && root.TryGetProperty("patches", out JsonElement inside)) root = inside;
            if (root.ValueKind != JsonValueKind.Object) throw BadInputException.At(file, "the root", "an object of path: specification, or one under the name patches", root.ValueKind.ToString());
            return [.. root.EnumerateObject().Select(property => property.Value.ValueKind == JsonValueKind.String
                ? ($"{file}: {property.Name}", property.Name, property.Value.GetString()!)
                : throw BadInputException.At(file, $"key {property.Name}", "a specification text", property.Value.ValueKind.ToString()))];
        });

    private static string Near(string pattern, string[] paths)
    {
        // Half the characters wrong is another word; a pattern without its stars is compared as a beginning.
        string bare = pattern.Replace("*", "", StringComparison.Ordinal);
        string[] near = [.. paths.Select(path => (Path: path, Steps: Distance(bare, pattern.EndsWith('*') && path.Length > bare.Length ? path[..bare.Length] : path)))
            .Where(p => p.Steps <= bare.Length / 2).OrderBy(p => p.Steps).Take(MostNear).Select(p => p.Path)];
        return near.Length > 0 ? $"near it: {string.Join(", ", near)}" : $"it has {string.Join(", ", paths)}";
    }

    /// <summary>Insertions, deletions and exchanges of characters that lead from one text to the other (V. Levenshtein, 1966).</summary>
    private static int Distance(string from, string to)
    {
        int[] row = [.. Enumerable.Range(0, to.Length + 1)];
        for (int i = 1; i <= from.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= to.Length; j++)
            {
                int exchanged = diagonal + (from[i - 1] == to[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(exchanged, 1 + Math.Min(row[j], row[j - 1]));
            }
        }
        return row[^1];
    }
}
