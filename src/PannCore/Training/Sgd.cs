using PannCore.Engine;
using PannCore.Kernels;

namespace PannCore.Training;

/// <summary>
/// Stochastic gradient descent as PyTorch defines it, for each trainable parameter w with gradient g:
/// g := g + decay w; v := momentum v + g; w := w - rate v.
/// </summary>
public sealed class Sgd
{
    private readonly Dictionary<Parameter, float[]> _velocity = [];
    private readonly double _momentum;
    private readonly double _decay;

    /// <summary>An optimiser of the trainable parameters among these, at rest.</summary>
    public Sgd(IEnumerable<Parameter> parameters, double momentum, double decay)
    {
        Parameters = [.. parameters.Where(p => p.Trainable)];
        _momentum = momentum;
        _decay = decay;
        foreach (Parameter parameter in Parameters) _velocity[parameter] = new float[parameter.Shape.Length];
    }

    /// <summary>What it changes.</summary>
    public IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>v of a parameter: state to save and restore.</summary>
    public Span<float> Velocity(Parameter parameter) => _velocity[parameter];

    /// <summary>One step of all parameters, or of none.</summary>
    /// <exception cref="KeyNotFoundException">A parameter has no gradient.</exception>
    public void Step(Gradients gradients, double rate)
    {
        foreach (Parameter parameter in Parameters) _ = gradients[parameter];
        float momentum = (float)_momentum, decay = (float)_decay, step = (float)rate;
        foreach (Parameter parameter in Parameters)
        {
            MomentumStep.Run(parameter.Overwrite(), _velocity[parameter], gradients[parameter], momentum, decay, step);
        }
    }
}
