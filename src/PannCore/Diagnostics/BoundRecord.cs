namespace PannCore.Diagnostics;

/// <summary>Proved bounds on the total error of one operation's output, beside what was measured.</summary>
/// <param name="Path">The operation.</param>
/// <param name="Op">Its name.</param>
/// <param name="Measured">Largest |total error| over all images and elements.</param>
/// <param name="Bound">Largest a-posteriori bound over all images and elements: never below the measured error of the same element.</param>
/// <param name="Looseness">Median over images of (the image's largest bound / its largest error).</param>
/// <param name="APriori">The largest bound over all elements that holds for every image whose inputs stay in range, from weights, ranges and certificates alone; infinite from where it is vacuous on.</param>
public sealed record OperationBound(string Path, string Op, double Measured, double Bound, double Looseness, double APriori);

/// <summary>Sound bounds on the error of every operation.</summary>
/// <param name="Images">Images bounded; those in which a polynomial explodes, or whose logits are not finite, are left out.</param>
/// <param name="Operations">One line an operation, in the order of execution.</param>
/// <param name="VacuousAt">The first activation where the a-priori bound no longer says anything: where it exceeds the range, or is not finite; null if it never does.</param>
/// <param name="DecidedImages">Images whose prediction the a-posteriori bound of the logits proves to be the ideal network's.</param>
public sealed record BoundRecord(int Images, IReadOnlyList<OperationBound> Operations, string? VacuousAt, int DecidedImages);
