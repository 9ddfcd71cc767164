namespace PannCore.Diagnostics;

/// <summary>One operation's error at one precision, as shares of its signal.</summary>
/// <param name="Path">The operation.</param>
/// <param name="Injected">RMS of what is injected there, polynomial and rounding, over the RMS of the ideal output.</param>
/// <param name="Inherited">RMS of what is inherited over the same.</param>
/// <param name="Total">RMS of the total error over the same.</param>
/// <param name="OutOfRange">Inputs outside the range, in all images of the sweep.</param>
public sealed record SweepOperation(string Path, double Injected, double Inherited, double Total, long OutOfRange);

/// <summary>The network with one polynomial.</summary>
/// <param name="Activation">The polynomial's specification text.</param>
/// <param name="Log2MaxError">log2 of its certified maximum error on [-1, 1].</param>
/// <param name="Levels">CKKS levels of one activation.</param>
/// <param name="Accuracy">Percent right.</param>
/// <param name="Changed">Predictions other than the ideal network's.</param>
/// <param name="ExplodedImages">Images in which a polynomial answered beyond twice its range, or whose logits are not finite; left out of the operations' errors.</param>
/// <param name="Operations">One line an operation, in the order of execution; where every image explodes, errors are NaN. Empty where they were not measured.</param>
public sealed record SweepStep(string Activation, double Log2MaxError, int Levels, double Accuracy, int Changed, int ExplodedImages, IReadOnlyList<SweepOperation> Operations);

/// <summary>The same network and images with polynomials of one family at several precisions.</summary>
/// <param name="Images">Images at each precision.</param>
/// <param name="Steps">From coarse to fine.</param>
public sealed record SweepRecord(int Images, IReadOnlyList<SweepStep> Steps)
{
    /// <summary>How many of these images the operations' errors are measured on, at most: the first that do not explode at that precision.</summary>
    public int LedgerImages { get; init; }

    /// <summary>The ideal network's accuracy on the images of the steps, in percent; null where it was not recorded.</summary>
    public double? IdealAccuracy { get; init; }
}
