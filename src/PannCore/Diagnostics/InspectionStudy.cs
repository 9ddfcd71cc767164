using PannCore.Data;
using PannCore.Engine;
using PannCore.Nn;

namespace PannCore.Diagnostics;

/// <summary>What an inspection looks at: everything that a study needs.</summary>
/// <param name="Request">What was asked for.</param>
/// <param name="Pann">The network.</param>
/// <param name="Data">The data set.</param>
/// <param name="Images">Indices of the images.</param>
/// <param name="Sound">Those of them in which no polynomial explodes.</param>
/// <param name="Normalization">The normalisation the network was trained with.</param>
/// <param name="Workspace">Threads and memory.</param>
/// <param name="HasOwnIdeal">Whether the network is compared with what its activations stand for, and not with something else.</param>
public sealed record InspectionSubject(InspectionRequest Request, ResNet Pann, Cifar10 Data, int[] Images, int[] Sound, Normalization Normalization, Workspace Workspace, bool HasOwnIdeal)
{
    /// <summary>Whether there are polynomials to be compared with what they stand for, and images to do it on.</summary>
    public bool ComparesPolynomials => HasOwnIdeal && HasPolynomials;

    /// <summary>Whether there are polynomials, and images in which none explodes.</summary>
    public bool HasPolynomials => Sound.Length > 0 && Pann.Activations.Any(activation => activation.Function is ActivationFunction.Polynomial);
}

/// <summary>A part of an inspection that can be left out.</summary>
/// <param name="Name">What it does, for a progress display.</param>
/// <param name="Units">How many units of work it reports; 0 where there is nothing for it to do, and then it is not run.</param>
/// <param name="Add">Adds what it finds to the record.</param>
public sealed record InspectionStudy(
    string Name, Func<InspectionSubject, int> Units, Func<RunRecord, InspectionSubject, IProgress<int>?, CancellationToken, RunRecord> Add)
{
    private const int SweepImages = 250, SweepLedgerImages = 16, BoundImages = 32;

    /// <summary>All studies, in the order in which they run.</summary>
    public static IReadOnlyList<InspectionStudy> All { get; } =
    [
        new("inside the polynomials", subject => subject.ComparesPolynomials ? subject.Images.Length : 0, (record, subject, progress, cancellation) => record with
        {
            Inside = InsideStudy.Of(subject.Pann, subject.Data, subject.Images, subject.Normalization, subject.Workspace, progress, cancellation),
        }),
        new("ranges", subject => subject.HasPolynomials ? RangeStudy.Units : 0, (record, subject, progress, cancellation) => record with
        {
            Ranging = RangeStudy.Of(subject.Pann, subject.Data, subject.Images, subject.Normalization, subject.Workspace, progress, cancellation, scale: subject.HasOwnIdeal && !subject.Request.MadeForPolynomials),
        }),
        new("bounds", subject => subject.HasOwnIdeal ? Math.Min(BoundImages, subject.Sound.Length) : 0, (record, subject, progress, cancellation) => record with
        {
            Bounds = BoundStudy.Of(subject.Pann, subject.Data, subject.Sound[..Math.Min(BoundImages, subject.Sound.Length)], subject.Normalization, subject.Workspace, progress, cancellation),
        }),
        new("other precisions", subject => Steps(subject) * subject.Images.Length > 0 ? Steps(subject) : 0, (record, subject, progress, cancellation) => record with
        {
            Sweep = PrecisionSweep.Of(
                subject.Pann, PrecisionSweep.Family(subject.Request.Activation), subject.Request.Patches.Keys.ToHashSet(), subject.Data, subject.Images[..Math.Min(SweepImages, subject.Images.Length)],
                SweepLedgerImages, subject.Normalization, subject.Workspace, progress, cancellation),
        }),
    ];

    /// <summary>A repaired network is made for one precision: its shifts, statistics and ranges are wrong for another. So are weights that polynomials were trained or fitted with.</summary>
    private static int Steps(InspectionSubject subject)
        => !subject.HasOwnIdeal || subject.Request.MadeForPolynomials || subject.Pann.Activations.Any(activation => activation.Function is ActivationFunction.Polynomial { Shift: not null }) ? 0 : PrecisionSweep.Family(subject.Request.Activation).Count;
}
