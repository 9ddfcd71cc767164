using PannCore.Engine;
using PannCore.Kernels;

namespace PannCore.Training;

/// <summary>
/// Stochastic gradient descent as PyTorch defines it, for each trainable parameter w with gradient g:
/// g := scale g + decay w, with scale = min(1, largest norm / norm of all gradients); v := momentum v + g; w := w - rate v.
/// </summary>
public sealed class Sgd
{
    private readonly Dictionary<Parameter, float[]> _velocity = [];
    private readonly double _momentum;
    private readonly double _decay;
    private readonly DecayScope _scope;
    private readonly double _maxNorm;

    /// <summary>An optimiser of the trainable parameters among these, at rest.</summary>
    /// <param name="parameters">Parameters; those that are not trainable are left alone.</param>
    /// <param name="momentum">As in the formula.</param>
    /// <param name="decay">As in the formula.</param>
    /// <param name="scope">The parameters that decay.</param>
    /// <param name="maxNorm">Gradients of a larger norm, over all parameters, are scaled down to it.</param>
    public Sgd(IEnumerable<Parameter> parameters, double momentum, double decay, DecayScope scope = DecayScope.All, double maxNorm = double.PositiveInfinity)
    {
        Parameters = [.. parameters.Where(p => p.Trainable)];
        _momentum = momentum;
        _decay = decay;
        _scope = scope;
        _maxNorm = maxNorm;
        foreach (Parameter parameter in Parameters) _velocity[parameter] = new float[parameter.Shape.Length];
    }

    /// <summary>What it changes.</summary>
    public IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>v of a parameter: state to save and restore.</summary>
    /// <exception cref="KeyNotFoundException">It is none of <see cref="Parameters"/>.</exception>
    public Span<float> Velocity(Parameter parameter) => _velocity[parameter];

    /// <summary>One step of all parameters, or of none.</summary>
    /// <exception cref="KeyNotFoundException">A parameter has no gradient.</exception>
    public void Step(Gradients gradients, double rate)
    {
        foreach (Parameter parameter in Parameters) _ = gradients[parameter];
        float momentum = (float)_momentum, step = (float)rate, scale = Scale(gradients);
        foreach (Parameter parameter in Parameters)
        {
            float decay = Decays(parameter) ? (float)_decay : 0;
            MomentumStep.Run(parameter.Overwrite(), _velocity[parameter], gradients[parameter], scale, momentum, decay, step);
        }
    }

    /// <summary>1, or less where the gradient's norm is too large.</summary>
    private float Scale(Gradients gradients)
    {
        if (double.IsPositiveInfinity(_maxNorm)) return 1;
        double squares = 0;
        foreach (Parameter parameter in Parameters)
        {
            foreach (float g in gradients[parameter]) squares += (double)g * g;
        }
        double norm = Math.Sqrt(squares);
        return norm > _maxNorm ? (float)(_maxNorm / norm) : 1;
    }

    private bool Decays(Parameter parameter) => _scope switch
    {
        DecayScope.Convolutions => parameter.Shape.Rank == 4,
        DecayScope.Others => parameter.Shape.Rank != 4,
        _ => true,
    };
}
