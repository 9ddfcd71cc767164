namespace PannCore.Training;

/// <summary>
/// Learning rate: linear warm-up to the peak over the first steps, then half a cosine that would reach 0 one step after the last.
/// </summary>
/// <param name="Peak">Largest rate.</param>
/// <param name="WarmupSteps">Steps of warm-up.</param>
/// <param name="TotalSteps">All steps.</param>
public sealed record Schedule(double Peak, long WarmupSteps, long TotalSteps)
{
    /// <summary>The rate of step 0, 1, ...</summary>
    public double Rate(long step)
        => step < WarmupSteps
            ? Peak * (step + 1) / (WarmupSteps + 1)
            : Peak * 0.5 * (1 + Math.Cos(Math.PI * (step - WarmupSteps) / Math.Max(1, TotalSteps - WarmupSteps)));
}
