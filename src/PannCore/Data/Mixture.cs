namespace PannCore.Data;

/// <summary>Pairs of images to be loaded as one: w times the first plus 1 - w times the second, after normalisation.</summary>
/// <param name="Weight">w, in [0, 1].</param>
/// <param name="Partners">The second image of each place of the batch; augmented as an image of that index is.</param>
public sealed record Mixture(double Weight, ReadOnlyMemory<int> Partners);
