using PannCore.Ops;

namespace PannCore.Training;

/// <summary>What the size of training noise is measured in.</summary>
public enum NoiseUnit
{
    /// <summary>The units of the activation.</summary>
    Absolute,

    /// <summary>The RMS of the activation's output over the batch.</summary>
    Rms,
}

/// <summary>Noise, uniform in [-c, c), on the output of every activation while training.</summary>
/// <param name="Size">c; 0 for none.</param>
/// <param name="Side">The inputs whose outputs get it.</param>
/// <param name="Unit">What c is measured in.</param>
public sealed record Noise(double Size, PerturbedSide Side = PerturbedSide.Negative, NoiseUnit Unit = NoiseUnit.Absolute);
