using PannCore.Engine;

namespace PannCore.Nn;

/// <summary>The parameters of a model by name. Two models built over one set share their weights: a PANN and its backbone do.</summary>
public sealed class ParameterSet
{
    private readonly Dictionary<string, Parameter> _byName = [];
    private readonly List<Parameter> _order = [];

    /// <summary>All parameters, in the order in which the model first asked for them.</summary>
    public IReadOnlyList<Parameter> All => _order;

    /// <summary>The parameter of this name; null where the set has none.</summary>
    public Parameter? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>The parameter of this name, made as zeros on the first call.</summary>
    /// <exception cref="ShapeException">It exists with another shape.</exception>
    public Parameter Get(string name, Shape shape, bool trainable = true)
    {
        if (_byName.TryGetValue(name, out Parameter? known))
            return known.Shape == shape ? known : throw new ShapeException($"parameter {name}: has shape {known.Shape}, the model asks for {shape}");
        var made = new Parameter(name, shape, trainable);
        _byName.Add(name, made);
        _order.Add(made);
        return made;
    }

    /// <summary>Sets every parameter of this set to the values of the one of its name in another.</summary>
    internal void CopyFrom(ParameterSet other)
    {
        foreach (Parameter parameter in _order) parameter.Set(other._byName[parameter.Name].Values);
    }
}
