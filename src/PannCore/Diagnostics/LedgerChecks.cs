namespace PannCore.Diagnostics;

/// <summary>The independent checks of the ledger, by what they look at.</summary>
internal enum LedgerCheck
{
    /// <summary>The injected approximation error against its certified bound.</summary>
    Approximation,

    /// <summary>The injected arithmetic error against the rounding bound.</summary>
    Arithmetic,

    /// <summary>What affine operations pass on.</summary>
    Affine,

    /// <summary>What activations pass on.</summary>
    Activation,
}

/// <summary>
/// The independent checks of the ledger. Its identity telescopes for any polynomial and so proves bookkeeping only; these do not:
/// a doctored coefficient, a badly evaluated polynomial or a wrong kernel keeps the identity and fails here.
/// </summary>
internal sealed class LedgerChecks
{
    /// <summary>Number of checks beside the identity.</summary>
    public const int Count = 4;

    // The ledger's sum telescopes exactly; only the rounding of double arithmetic is left.
    private const double LargestResidual = 1e-12;

    private static readonly (string Name, string Limit)[] Texts =
    [
        ("approximation: at most its certified bound inside the range: B E, and of a repaired one its largest shift", "the bound"),
        ("arithmetic: at most the rounding bound of the operation (polynomials: twice the scanned evaluation error)", "the bound"),
        ("inherited, affine operations: the map without its constant, applied to the input error", "the tolerance"),
        ("inherited, activations: at most the input error, times the ideal function's Lipschitz constant", "the input error"),
    ];

    private readonly CheckTally[] _tallies = [new(), new(), new(), new()];
    private readonly string[] _where = new string[Count];

    /// <summary>Adds what was found in one image at one operation.</summary>
    public void Add(ReadOnlySpan<CheckTally> found, Place place)
    {
        for (int check = 0; check < Count; check++)
        {
            if (_tallies[check].Merge(found[check])) _where[check] = place.Of(found[check].Element);
        }
    }

    /// <summary>The checks that had anything to compare, the identity among them if there was an image to look at.</summary>
    public IReadOnlyList<CheckRecord> Records(double? identityResidual)
    {
        if (_tallies.All(tally => tally.Compared == 0)) return [];
        List<CheckRecord> records = [];
        if (identityResidual is double residual)
            records.Add(new(FormattableString.Invariant($"identity: total = arithmetic + approximation + inherited, to {LargestResidual:0e-00}"), residual <= LargestResidual, FormattableString.Invariant($"largest residual {residual:G3} of the largest term")));
        for (int check = 0; check < Count; check++)
        {
            CheckTally tally = _tallies[check];
            if (tally.Compared == 0) continue;
            records.Add(new(Texts[check].Name, tally.Failures == 0, tally.Failures == 0 && string.IsNullOrEmpty(_where[check]) ? "nothing differs" : FormattableString.Invariant(
                $"{(tally.Failures == 0 ? "tightest" : $"FAILED at {tally.Failures} of {tally.Compared} elements, worst")}: {_where[check]}: {tally.Value:G3} against {Texts[check].Limit} {tally.Limit:G3}")));
        }
        return records;
    }
}

/// <summary>Where an image's elements come from, to say where one of them lies.</summary>
/// <param name="Path">The operation.</param>
/// <param name="Image">Index of the image in its data set; null where it comes from none.</param>
/// <param name="FirstElement">Where it comes from none, the elements of the batch before it.</param>
internal readonly record struct Place(string Path, int? Image, int FirstElement)
{
    public string Of(int element) => Image is int image
        ? FormattableString.Invariant($"{Path}, image {image}, element {element}")
        : FormattableString.Invariant($"{Path}, element {FirstElement + element}");
}
