namespace PannCore.Diagnostics;

/// <summary>One operation's errors as shares of its signal: RMS over the RMS of the ideal output; 0 where there is neither.</summary>
/// <param name="Injected">Made here, by polynomial and rounding. Their squares are added as if they were uncorrelated; one of them is nearly always thousands of times the other.</param>
/// <param name="Inherited">Already in the input, and passed on.</param>
/// <param name="Total">Working output less ideal output.</param>
public sealed record RelativeError(double Injected, double Inherited, double Total)
{
    /// <summary>Those of a ledger line.</summary>
    public static RelativeError Of(OperationRecord line)
    {
        ArgumentNullException.ThrowIfNull(line);
        return new(OverSignal(line, double.Hypot(line.Approximation.Rms, line.Arithmetic.Rms)), OverSignal(line, line.Inherited.Rms), OverSignal(line, line.Total.Rms));
    }

    internal static double OverSignal(OperationRecord line, double rms) => rms == 0 ? 0 : rms / line.IdealRms;
}
