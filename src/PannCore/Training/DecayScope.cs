namespace PannCore.Training;

/// <summary>Which parameters weight decay acts on. Before batch-norm a convolution's scale has no effect on the function, only on the size of its steps.</summary>
public enum DecayScope
{
    /// <summary>All that are trained.</summary>
    All,

    /// <summary>The kernels of convolutions.</summary>
    Convolutions,

    /// <summary>All but those: scales and shifts of batch-norm, weights and bias of the linear layer, logarithms of learnt ranges.</summary>
    Others,
}
