using PannCore.Diagnostics;

namespace PannCore.Reports;

/// <summary>A <see cref="NetworkCost"/> as lines and a table of plain text.</summary>
public static class CostReport
{
    /// <summary>The price of one image in a few lines, and what is not in it.</summary>
    /// <param name="name">Network and activation.</param>
    /// <param name="cost">The price.</param>
    /// <param name="folded">The same with the leading coefficients folded into the weights next to the activations.</param>
    public static IReadOnlyList<string> Summary(string name, NetworkCost cost, NetworkCost folded)
    {
        ArgumentNullException.ThrowIfNull(cost);
        ArgumentNullException.ThrowIfNull(folded);
        List<string> lines =
        [
            $"{PlainText.OneLine(name)}, one image. In brackets: leading coefficients of the polynomials folded into neighbouring weights.",
            $"non-scalar depth    {Both(cost.Depth, folded.Depth)}: multiplications of ciphertexts one after the other; as many rounds of a multiparty protocol, where additions and products with public constants are local",
            $"CKKS levels         {Both(cost.Levels, folded.Levels)}: every rescale on the longest path; convolution and linear 1, batch-norm and pooling folded into them",
            $"multiplications     {Both(cost.NonScalarMultiplications, folded.NonScalarMultiplications)} of ciphertexts, {Both(cost.ScalarMultiplications, folded.ScalarMultiplications)} with constants, counted in elements",
            "                    (packed into slots, a vector of elements costs one; rotations are left out: they depend on the packing)",
        ];
        lines.Add(cost.UsableLevels is int levels
            ? $"bootstraps          {Both(cost.Bootstraps!.Value, folded.Bootstraps!.Value)} tensors, {Both(cost.BootstrappedElements!.Value, folded.BootstrappedElements!.Value)} elements, with {Figures.Count(levels)} usable levels: an input is refreshed before an operation that does not fit;\n                    the branches of an addition go to the lower of their levels"
            : $"bootstraps          give --levels L, L at least {Both(cost.LeastUsableLevels, folded.LeastUsableLevels)}");
        return lines;
    }

    /// <summary>One row an operation and a row for all.</summary>
    public static ReportTable Operations(NetworkCost cost, NetworkCost folded)
    {
        ArgumentNullException.ThrowIfNull(cost);
        ArgumentNullException.ThrowIfNull(folded);
        bool bootstraps = cost.UsableLevels is not null;
        IEnumerable<string[]> rows = cost.Operations.Zip(folded.Operations, (o, f) => (string[])
        [
            Figures.Name(o.Path), o.Op, Figures.Count(o.Elements), Figures.Count(o.Depth), Both(o.Levels, f.Levels), Both(o.LevelsAfter, f.LevelsAfter),
            Both(o.NonScalarMultiplications, f.NonScalarMultiplications), Both(o.ScalarMultiplications, f.ScalarMultiplications),
            .. bootstraps ? [Both(o.Bootstraps, f.Bootstraps)] : Array.Empty<string>(),
        ]);
        string[] total =
        [
            "all", "", "", Figures.Count(cost.Depth), Both(cost.Levels, folded.Levels), Both(cost.Levels, folded.Levels),
            Both(cost.NonScalarMultiplications, folded.NonScalarMultiplications), Both(cost.ScalarMultiplications, folded.ScalarMultiplications),
            .. bootstraps ? [Both(cost.Bootstraps!.Value, folded.Bootstraps!.Value)] : Array.Empty<string>(),
        ];
        return new ReportTable(
            "Operations in the order of execution; multiplications for one element of the output, in the last row for all of them (in brackets: folded, where it differs;\n"
            + "so far: levels of the longest path up to here)",
            ["operation", "kind", "elements", "depth", "levels", "so far", "ciphertext x ciphertext", "x constant", .. bootstraps ? ["bootstraps before"] : Array.Empty<string>()],
            [.. rows, total]);
    }

    private static string Both(long plain, long folded) => plain == folded ? Figures.Count(plain) : $"{Figures.Count(plain)} ({Figures.Count(folded)})";
}
