using PannCore.Engine;

namespace PannCore.Nn;

/// <summary>A part of a model: a function with parameters and a path such as <c>layer2.0.conv1</c>.</summary>
/// <param name="path">The path; empty for the model itself.</param>
public abstract class Module(string path)
{
    private readonly List<Module> _children = [];
    private Func<Tensor, Tensor>? _forward;

    /// <summary>Where it is in the model; empty for the model itself.</summary>
    public string Path { get; } = path;

    /// <summary>Its parts, in the order of their making.</summary>
    public IReadOnlyList<Module> Children => _children;

    /// <summary>This module and all below it.</summary>
    public IEnumerable<Module> Tree => _children.SelectMany(child => child.Tree).Prepend(this);

    /// <summary>Applies the module. Operations inside are observed under its path.</summary>
    public Tensor Call(Tensor x) => x.Run.Call(Path, _children.Count == 0, x, _forward ??= Forward);

    /// <summary>The module's function.</summary>
    protected abstract Tensor Forward(Tensor x);

    /// <summary>Registers a part and returns it.</summary>
    protected T Part<T>(T child) where T : Module
    {
        _children.Add(child);
        return child;
    }
}
