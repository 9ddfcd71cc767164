namespace PannCore.Diagnostics;

/// <summary>The error of a composition's running value against the sign it stands for, before and after one stage, in float64, over the inputs that arrived in range. The sign of 0 is 0.</summary>
/// <param name="Stage">1 for the first.</param>
/// <param name="Degree">Its degree.</param>
/// <param name="EnteringRms">RMS of (value that enters - sign).</param>
/// <param name="LeavingRms">RMS of (value that leaves - sign).</param>
/// <param name="LeavingMax">Largest |value that leaves - sign|.</param>
/// <param name="ReluRms">
/// RMS error of x ((1 + a) + (1 - a) value that leaves) / 2 against leaky ReLU of slope a, over the RMS of the leaky ReLU: what the activation's relative error would be if the composition
/// ended here.
/// </param>
public sealed record StageError(int Stage, int Degree, double EnteringRms, double LeavingRms, double LeavingMax, double ReluRms);

/// <summary>One channel of an activation: what its polynomial injects there.</summary>
/// <param name="Mean">Mean injected error: the bias.</param>
/// <param name="Fluctuation">Standard deviation of the injected error about that mean.</param>
public sealed record ChannelError(double Mean, double Fluctuation);

/// <summary>
/// Inside one polynomial activation: where its inputs lie on the polynomial's error curve, and what each stage makes of it. Images in which a polynomial explodes are no part of it.
/// The injected error is the activation's output, with rounding and with the shift of a repaired network, less the (leaky) ReLU that the polynomial stands for, of the input that really arrived.
/// </summary>
/// <param name="Path">The activation.</param>
/// <param name="Activation">Its polynomial's specification text.</param>
/// <param name="Range">B.</param>
/// <param name="Edges">Edges of the bins over x/B, ascending from -1 to 1, finer towards 0 on both sides.</param>
/// <param name="Counts">Inputs in each bin: one less than edges.</param>
/// <param name="Below">Inputs below -B.</param>
/// <param name="Above">Inputs above B.</param>
/// <param name="MeanErrors">Mean injected error in each bin, in units of B; 0 in an empty bin.</param>
/// <param name="Curve">
/// The polynomial's error in units of B over x/B, without rounding and shift, ascending: least and largest error in each of 16 bins an octave from 2^-15 to 1 on either side, and thus the envelope
/// where a bin holds many extrema. Activations of one polynomial share one list.
/// </param>
/// <param name="Stages">The stages of a composition; empty for other polynomials.</param>
/// <param name="Channels">Bias and fluctuation of each channel.</param>
/// <param name="BiasShare">Share of the injected squared error that is each channel's mean: 1 if it were all a shift of channels.</param>
public sealed record InsideRecord(
    string Path, string Activation, double Range, IReadOnlyList<double> Edges, IReadOnlyList<long> Counts, long Below, long Above, IReadOnlyList<double> MeanErrors,
    IReadOnlyList<CurvePoint> Curve, IReadOnlyList<StageError> Stages, IReadOnlyList<ChannelError> Channels, double BiasShare)
{
    /// <summary>Images that counts, means, channels and the bias share are taken over.</summary>
    public int Images { get; init; }

    /// <summary>Images that <see cref="Stages"/> is taken over: the first <see cref="InsideStudy.MostStageImages"/> of them.</summary>
    public int StageImages { get; init; }
}
