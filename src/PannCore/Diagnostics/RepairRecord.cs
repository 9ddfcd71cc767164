using System.Text.Json.Serialization;

namespace PannCore.Diagnostics;

/// <summary>Which error the shifts of a repair take away.</summary>
public enum RepairShift
{
    /// <summary>The mean error that the polynomial itself makes at the input that arrives.</summary>
    [JsonStringEnumMemberName("injected")]
    Injected,

    /// <summary>The mean difference from the ideal network's activation: what earlier layers have passed on is taken away too.</summary>
    [JsonStringEnumMemberName("accumulated")]
    Accumulated,
}

/// <summary>One way to repair, and how it does on training images that no error was measured on.</summary>
/// <param name="Name">What it consists of.</param>
/// <param name="Accuracy">Percent right on the held-out images; logits that are not finite count as wrong.</param>
/// <param name="OutOfRange">Activation inputs outside their range on the held-out images.</param>
/// <param name="OutOfRangeImages">Held-out images with at least one of them.</param>
/// <param name="NonFiniteImages">Held-out images whose logits are not finite.</param>
/// <param name="Chosen">Whether the repaired network is this one.</param>
public sealed record RepairCandidate(string Name, double Accuracy, long OutOfRange, int OutOfRangeImages, int NonFiniteImages, bool Chosen);

/// <summary>What was found and stored at one activation.</summary>
/// <param name="Path">The activation.</param>
/// <param name="Range">Its range B in the repaired network.</param>
/// <param name="MeanError">Mean over all channels of the error that the shifts take away, in the activation's units.</param>
/// <param name="RmsError">Root mean square over channels of each channel's mean error.</param>
/// <param name="LargestError">The mean error of largest magnitude of any channel.</param>
/// <param name="ImagesLeftOut">Calibration images left out here because a polynomial had exploded in them.</param>
public sealed record RepairedLayer(string Path, double Range, double MeanError, double RmsError, double LargestError, int ImagesLeftOut);

/// <summary>What a repair did and why, as plain data.</summary>
/// <param name="Shift">The kind of shift that was stored.</param>
/// <param name="BatchNorm">Whether batch-norm's running statistics were re-estimated.</param>
/// <param name="RangesMeasuredAgain">Whether the ranges were measured again, on the repaired network.</param>
/// <param name="Images">Training images the errors were measured on.</param>
/// <param name="HeldOut">Training images the choices were made by; none of the others.</param>
/// <param name="IdealAccuracy">Percent of the held-out images that the ideal network gets right.</param>
/// <param name="Candidates">Without repair first, then what was tried, in order.</param>
/// <param name="Layers">One line an activation.</param>
public sealed record RepairRecord(
    RepairShift Shift, bool BatchNorm, bool RangesMeasuredAgain, int Images, int HeldOut, double IdealAccuracy,
    IReadOnlyList<RepairCandidate> Candidates, IReadOnlyList<RepairedLayer> Layers);
