namespace PannCore.Training;

/// <summary>
/// Learning from another network's answers beside the labels: the loss is (1 - w) cross-entropy + w T^2 KL(softmax(t / T), softmax(z / T)), t the teacher's logits for the same images, augmented and mixed alike,
/// by its running statistics. The teacher is needed in training only, on images that are not encrypted: it costs an evaluation a step, no level and no multiplication.
/// </summary>
/// <remarks>The gradient of a penalty on inputs keeps its size, so that weight and temperature also change how much it counts beside the loss.</remarks>
/// <param name="Teacher">SHA-256 of the weights of the teacher, whose activations are ReLUs.</param>
/// <param name="Weight">w: more than 0, at most 1.</param>
/// <param name="Temperature">T: 0.1 to 100. The higher, the more the classes that are wrong count.</param>
public sealed record Distillation(string Teacher, double Weight, double Temperature)
{
    /// <summary>w where nothing is said: the first that was tried. On images held out w = 1, and w = 0.9 with T = 8, are within 0.08 points of it after 3 epochs of degree 2 (<c>data/results/choices-distillation.json</c>).</summary>
    public const double DefaultWeight = 0.9;

    /// <summary>T where nothing is said, likewise; T = 2 had 1.1 points less.</summary>
    public const double DefaultTemperature = 4;
}
