namespace PannCore.Kernels;

/// <summary>A 2-D convolution: input H x W x C, kernel R x S, output K channels; NHWC images, weights in PyTorch's order K, C, R, S.</summary>
internal readonly record struct ConvGeometry(int H, int W, int C, int K, int R, int S, int Stride, int Padding)
{
    public int OutH => ((H + (2 * Padding) - R) / Stride) + 1;

    public int OutW => ((W + (2 * Padding) - S) / Stride) + 1;
}
