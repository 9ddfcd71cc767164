using System.Text.Json.Serialization;

namespace PannCore.Diagnostics;

/// <summary>What exchanging the ideal function for the polynomial at one activation does to the logits, in one setting of all the others.</summary>
/// <param name="Margin">Mean over images of the change of the ideal prediction's margin, in logit units; negative hurts.</param>
/// <param name="LogitRms">RMS change over all logits.</param>
/// <param name="Accuracy">
/// Percent right with the polynomial at this activation, in that setting. For <see cref="LayerCause.LeaveOneOut"/>, where that is the PANN itself whatever the activation,
/// with the ideal function at this activation: what a perfect polynomial here alone would give.
/// </param>
public sealed record SwitchShare(double Margin, double LogitRms, double Accuracy);

/// <summary>One activation's part in the change of the logits, measured in four settings and predicted to first order.</summary>
/// <param name="Path">The activation.</param>
/// <param name="Forward">All earlier activations polynomial, all later ideal.</param>
/// <param name="Backward">All later activations polynomial, all earlier ideal.</param>
/// <param name="Alone">All others ideal.</param>
/// <param name="LeaveOneOut">All others polynomial.</param>
/// <param name="Interaction">Largest less least of the four margins: how much this activation's part depends on the others.</param>
/// <param name="FirstOrder">Mean over images of (injected error) . (gradient of the margin with respect to the activation's output), in the ideal network.</param>
/// <param name="FirstFlips">Images whose prediction changes for good when this activation is switched, first to last: those of <see cref="CauseRecord.FlippedAt"/>.</param>
public sealed record LayerCause(string Path, SwitchShare Forward, SwitchShare Backward, SwitchShare Alone, SwitchShare LeaveOneOut, double Interaction, double FirstOrder, int FirstFlips);

/// <summary>The change of the logits, attributed to the activations.</summary>
/// <param name="Images">
/// Images that every mean and percentage is taken over: those in which, in every setting, no polynomial explodes and the logits stay finite. All figures are 0 where there is none.
/// </param>
/// <param name="Margin">Mean over those images of the change of the margin from ideal network to PANN: what the forward shares, and the backward ones, sum to.</param>
/// <param name="ForwardResidual">Largest |sum of the forward shares - change| over all logits, the change being that of the two networks run as wholes.</param>
/// <param name="BackwardResidual">The same for the backward shares.</param>
/// <param name="Layers">One line an activation, in the order of execution.</param>
public sealed record CauseRecord(int Images, double Margin, double ForwardResidual, double BackwardResidual, IReadOnlyList<LayerCause> Layers)
{
    /// <summary>
    /// Where each changed prediction changes for good as activations are switched first to last: image index and activation. Holds images whose logits are not finite, too:
    /// they predict no class. In the JSON each flip says it.
    /// </summary>
    [JsonIgnore]
    public IReadOnlyDictionary<int, string> FlippedAt { get; init; } = new Dictionary<int, string>();

    /// <summary>The forward shares alone. In the JSON they stand beside the causes.</summary>
    [JsonIgnore]
    public IReadOnlyList<LayerShare> FirstToLast => [.. Layers.Select(layer => new LayerShare(layer.Path, layer.Forward.Margin, layer.Forward.LogitRms, layer.Forward.Accuracy))];
}
