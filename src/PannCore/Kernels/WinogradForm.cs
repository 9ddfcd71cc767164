namespace PannCore.Kernels;

/// <summary>
/// The matrices of a minimal filtering algorithm F(m x m, 3 x 3), y = A' [(G g G') * (B' d B)] A, from its points of evaluation by Toom and Cook's construction
/// (Lavin and Gray 2015; Barabasz et al. 2020 on the choice of points). Here is G, which transforms kernels; B and A are written out in the transforms.
/// </summary>
internal sealed class WinogradForm
{
    private WinogradForm(int output, double largestInput, double largestOutput, int roundings, double[] kernel)
    {
        Output = output;
        LargestInput = largestInput;
        LargestOutput = largestOutput;
        Roundings = roundings;
        Kernel = kernel;
        int n = output + 2;
        KernelTransposed = [.. Enumerable.Range(0, kernel.Length).Select(i => (float)kernel[(i % n * 3) + (i / n)])];
    }

    /// <summary>F(2x2, 3x3) on the points 0, 1, -1 and infinity: 4 products an output instead of 9, and fewer roundings than the direct sum.</summary>
    public static WinogradForm Two { get; } = new(2, 1, 3, 8, [1, 0, 0, 0.5, 0.5, 0.5, 0.5, -0.5, 0.5, 0, 0, 1]);

    /// <summary>
    /// F(4x4, 3x3) on the points 0, +-sqrt(2), +-sqrt(1/2) and infinity: 2.25 products an output. Reciprocal pairs keep the matrices balanced,
    /// and the error smaller than with the usual points 0, +-1, +-2, whose matrices are larger.
    /// </summary>
    public static WinogradForm Four { get; } = new(4, 2.5, 1 + (4.5 * Math.Sqrt(2)), 20,
    [
        1, 0, 0,
        1 / 6.0, Math.Sqrt(2) / 6, 1 / 3.0,
        1 / 6.0, -Math.Sqrt(2) / 6, 1 / 3.0,
        -2 / 3.0, -Math.Sqrt(2) / 3, -1 / 3.0,
        -2 / 3.0, Math.Sqrt(2) / 3, -1 / 3.0,
        0, 0, 1,
    ]);

    /// <summary>m: rows and columns of a tile of outputs. Patches have two more.</summary>
    public int Output { get; }

    /// <summary>The largest |B|: an element of a transformed patch is at most its square times the sum over the patch's |d|.</summary>
    public double LargestInput { get; }

    /// <summary>The largest sum over a column of |A|: an output is at most its square times the largest product.</summary>
    public double LargestOutput { get; }

    /// <summary>
    /// Roundings an output passes through beside one for each of the C channels that are added up: 1 in the product, 1 in the transformed weight, 2 + 4 in the
    /// transforms of patch and output by F(2x2), 8 + 10 by F(4x4), where rounded square roots count as well.
    /// </summary>
    public int Roundings { get; }

    /// <summary>G, (m + 2) x 3; no element is larger than 1.</summary>
    public double[] Kernel { get; }

    /// <summary>G', 3 x (m + 2).</summary>
    public float[] KernelTransposed { get; }
}
