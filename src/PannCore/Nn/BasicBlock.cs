using PannCore.Engine;
using PannCore.Ops;

namespace PannCore.Nn;

/// <summary>The residual block of CIFAR ResNets: relu2(bn2(conv2(relu1(bn1(conv1(x))))) + shortcut(x)).</summary>
public sealed class BasicBlock : Module
{
    private readonly Conv2d _conv1, _conv2;
    private readonly BatchNorm2d _bn1, _bn2;
    private readonly Activation _relu1, _relu2;
    private readonly int _channels, _stride;
    private readonly bool _identity;

    /// <summary>A block from <paramref name="inputs"/> to <paramref name="channels"/> channels; the first convolution has the stride.</summary>
    public BasicBlock(string path, ParameterSet parameters, Func<string, ActivationFunction> activations, int inputs, int channels, int stride) : base(path)
    {
        _channels = channels;
        _stride = stride;
        _identity = stride == 1 && inputs == channels;
        _conv1 = Part(new Conv2d($"{path}.conv1", parameters, inputs, channels, 3, stride, 1));
        _bn1 = Part(new BatchNorm2d($"{path}.bn1", parameters, channels));
        _relu1 = Part(new Activation($"{path}.relu1", activations, channels));
        _conv2 = Part(new Conv2d($"{path}.conv2", parameters, channels, channels, 3, 1, 1));
        _bn2 = Part(new BatchNorm2d($"{path}.bn2", parameters, channels));
        _relu2 = Part(new Activation($"{path}.relu2", activations, channels));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x)
    {
        Tensor main = _relu1.Call(_bn1.Call(_conv1.Call(x).LastUse()).LastUse());
        main = _bn2.Call(_conv2.Call(main).LastUse());
        return _relu2.Call(main.LastUse().Add(_identity ? x : x.Shortcut(_channels, _stride)).LastUse());
    }
}
