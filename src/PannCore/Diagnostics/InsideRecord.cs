namespace PannCore.Diagnostics;

/// <summary>The error of a composition's running value against the sign it stands for, before and after one stage, over the inputs that arrived in range.</summary>
/// <param name="Stage">1 for the first.</param>
/// <param name="Degree">Its degree.</param>
/// <param name="EnteringRms">RMS of (value that enters - sign).</param>
/// <param name="LeavingRms">RMS of (value that leaves - sign).</param>
/// <param name="LeavingMax">Largest |value that leaves - sign|.</param>
/// <param name="ReluRms">RMS error of x (1 + value that leaves) / 2 against ReLU, over the RMS of the ReLU: what the activation's error would be if the composition ended here.</param>
public sealed record StageError(int Stage, int Degree, double EnteringRms, double LeavingRms, double LeavingMax, double ReluRms);

/// <summary>One channel of an activation: what its polynomial injects there.</summary>
/// <param name="Mean">Mean injected error: the bias.</param>
/// <param name="Fluctuation">Standard deviation of the injected error about that mean.</param>
public sealed record ChannelError(double Mean, double Fluctuation);

/// <summary>Inside one polynomial activation: where its inputs lie on the polynomial's error curve, and what each stage makes of it.</summary>
/// <param name="Path">The activation.</param>
/// <param name="Activation">Its polynomial's specification text.</param>
/// <param name="Range">B.</param>
/// <param name="Edges">Edges of the bins over x/B, ascending from -1 to 1, finer towards 0 on both sides.</param>
/// <param name="Counts">Inputs in each bin: one less than edges.</param>
/// <param name="Below">Inputs below -B.</param>
/// <param name="Above">Inputs above B.</param>
/// <param name="MeanErrors">Mean injected error in each bin, in units of B; 0 in an empty bin.</param>
/// <param name="Curve">The polynomial's error in units of B over x/B, sampled finely where it ripples finely.</param>
/// <param name="Stages">The stages of a composition; empty for other polynomials.</param>
/// <param name="Channels">Bias and fluctuation of each channel.</param>
/// <param name="BiasShare">Share of the injected squared error that is each channel's mean: 1 if it were all a shift of channels.</param>
public sealed record InsideRecord(
    string Path, string Activation, double Range, IReadOnlyList<double> Edges, IReadOnlyList<long> Counts, long Below, long Above, IReadOnlyList<double> MeanErrors,
    IReadOnlyList<CurvePoint> Curve, IReadOnlyList<StageError> Stages, IReadOnlyList<ChannelError> Channels, double BiasShare);
