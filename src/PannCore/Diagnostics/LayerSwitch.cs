using PannCore.Engine;
using PannCore.Nn;
using PannCore.Ops;
using Tensor = PannCore.Engine.Tensor;

namespace PannCore.Diagnostics;

/// <summary>What the other activations are while one is switched from its ideal function to its polynomial.</summary>
internal enum SwitchSetting
{
    /// <summary>All earlier ones polynomial, all later ideal.</summary>
    Forward,

    /// <summary>All later ones polynomial, all earlier ideal.</summary>
    Backward,

    /// <summary>All ideal.</summary>
    Alone,

    /// <summary>All polynomial.</summary>
    LeaveOneOut,
}

/// <summary>Runs a network with some of its activations ideal and the others polynomial: each activation in every setting.</summary>
/// <remarks>
/// Before the part that holds the switched activation, every setting is the PANN or the ideal network: what enters each part is computed once for these two, and only the rest is run
/// for each setting, once where two settings are the same network, as with the first activation switched alone and forward. The 4 x 19 settings of ResNet-20 then cost about as much as
/// 37 passes.
/// </remarks>
internal sealed class LayerSwitch
{
    /// <summary>All settings.</summary>
    public static IReadOnlyList<SwitchSetting> Settings { get; } = Enum.GetValues<SwitchSetting>();

    private readonly Module[] _pann, _ideal;
    private readonly Tail?[,] _tails;

    /// <summary>Of a setting and an activation that make the same network as another does, with no more left to run: that other.</summary>
    private readonly Dictionary<(int Setting, int Activation), (int Setting, int Activation)> _sameAs = [];

    private readonly int[] _activations;

    public LayerSwitch(ResNet pann, ResNet ideal)
    {
        (_pann, _ideal) = ([.. pann.Trunk], [.. ideal.Trunk]);
        _activations = [.. _pann.Select(part => part.Tree.Count(module => module is Activation))];
        int[] parts = [.. _activations.SelectMany((count, part) => Enumerable.Repeat(part, count))];
        var indices = pann.Activations.Index().ToDictionary(pair => pair.Item.Path, pair => pair.Index);
        ActivationFunction[] polynomials = [.. pann.Activations.Select(a => a.Function)], ideals = [.. ideal.Activations.Select(a => a.Function)];
        _tails = new Tail[Settings.Count, parts.Length];
        var networks = new Dictionary<string, (int, int)>();
        for (int k = parts.Length - 1; k >= 0; k--)
        {
            foreach (SwitchSetting setting in Settings)
            {
                string network = string.Concat(parts.Select((_, i) => IsPolynomial(setting, k, i) ? 'p' : 'i'));
                if (networks.TryGetValue(network, out (int, int) same)) _sameAs[((int)setting, k)] = same;
                else _tails[(int)setting, k] = new(pann.With(path => IsPolynomial(setting, k, indices[path]) ? polynomials[indices[path]] : ideals[indices[path]]), parts[k]);
                networks.TryAdd(network, ((int)setting, k));
            }
        }
    }

    /// <summary>The logits of each setting and activation. Several threads may ask at once, each with a workspace of its own.</summary>
    /// <param name="workspace">Threads and memory.</param>
    /// <param name="images">Shape of the pixels.</param>
    /// <param name="pixels">The batch.</param>
    /// <param name="exploded">Receives the images of the batch in which a polynomial explodes in any setting: with the logits of one such image, finite as they may be, no mean means anything.</param>
    /// <param name="cancellation">Stops between activations.</param>
    public float[][][] Logits(Workspace workspace, Shape images, ReadOnlySpan<float> pixels, ISet<int> exploded, CancellationToken cancellation)
    {
        float[][][] logits = [.. Settings.Select(_ => new float[_tails.GetLength(1)][])];
        // All settings are passes over one batch in one run: of the probe's figures only which images explode is theirs in common.
        var probe = new RangeProbe();
        using var run = new Run(workspace, observers: [probe]);
        Tensor pann = run.Input(images, pixels), ideal = pann;
        int k = 0;
        for (int part = 0; part < _pann.Length; part++)
        {
            for (int end = k + _activations[part]; k < end; k++)
            {
                cancellation.ThrowIfCancellationRequested();
                foreach (SwitchSetting setting in Settings)
                {
                    if (_tails[(int)setting, k] is { } tail) logits[(int)setting][k] = tail.Call(setting is SwitchSetting.Forward or SwitchSetting.LeaveOneOut ? pann : ideal).Values.ToArray();
                }
            }
            if (k == _tails.GetLength(1)) break;
            (pann, ideal) = (_pann[part].Call(pann), _ideal[part].Call(ideal));
        }
        foreach (((int setting, int activation), (int Setting, int Activation) same) in _sameAs) logits[setting][activation] = logits[same.Setting][same.Activation];
        exploded.UnionWith(probe.Exploded);
        return logits;
    }

    private static bool IsPolynomial(SwitchSetting setting, int switched, int index) => setting switch
    {
        SwitchSetting.Forward => index <= switched,
        SwitchSetting.Backward => index >= switched,
        SwitchSetting.Alone => index == switched,
        _ => index != switched,
    };

    /// <summary>A network from one part of its trunk to the logits.</summary>
    private sealed class Tail(ResNet network, int from) : Module("")
    {
        private readonly Module[] _parts = [.. network.Trunk.Skip(from)];
        private readonly Module _head = network.Children[^1];

        protected override Tensor Forward(Tensor x)
        {
            foreach (Module part in _parts) x = part.Call(x);
            return _head.Call(x.GlobalAveragePool());
        }
    }
}
