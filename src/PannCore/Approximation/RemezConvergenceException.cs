namespace PannCore.Approximation;

/// <summary>
/// The exchange did not reach a levelled error that equals the maximum error: no polynomial is returned rather than one that only looks minimax.
/// </summary>
public sealed class RemezConvergenceException : InvalidOperationException
{
    /// <summary>An error whose one-line message names the problem, the iteration and both errors.</summary>
    public RemezConvergenceException(string message) : base(message) { }
}
