namespace PannCore.Training;

/// <summary>
/// Learning from another network's answers beside the labels: the loss is (1 - w) cross-entropy + w T^2 KL(softmax(t / T), softmax(z / T)), t the teacher's logits for the same images, augmented and mixed alike,
/// by its running statistics. The teacher is needed in training only, and on images that are not encrypted: it costs an evaluation a step, no level and no multiplication.
/// </summary>
/// <param name="Teacher">SHA-256 of the teacher's weights.</param>
/// <param name="Weight">w: more than 0, at most 1.</param>
/// <param name="Temperature">T: positive. The higher, the more the classes that are wrong count.</param>
public sealed record Distillation(string Teacher, double Weight, double Temperature)
{
    /// <summary>w where nothing is said, chosen on training images held out.</summary>
    public const double DefaultWeight = 0.9;

    /// <summary>T where nothing is said, likewise.</summary>
    public const double DefaultTemperature = 4;
}
