using System.Numerics.Tensors;
using PannCore.Approximation;

namespace PannCore.Diagnostics;

/// <summary>
/// The error of a polynomial that stands for (leaky) ReLU, sampled so that a picture on a logarithmic axis shows every extremum that it has room for: a composition of high precision
/// has thousands of them, most of them next to 0 and next to 1.
/// </summary>
/// <remarks>
/// <para>
/// [-1, 1] is cut into bins, 16 an octave down to 2^-15 on either side and one bin below; of each the least and the largest error are kept, where they are. With one extremum or none in a bin
/// that is the curve; with many it is their envelope.
/// </para>
/// <para>
/// With |t| = sin^2(θ/2) the error on one side is a cosine polynomial in θ, of the polynomial's degree n. Samples at most π/(16n) apart miss at most 1 - cos(π/32), that is 0.5 %, of the largest
/// magnitude (H. Ehlich and K. Zeller 1964). The ends of the bins are samples, too.
/// </para>
/// </remarks>
internal static class ErrorCurve
{
    private const int SamplesPerDegree = 16, LeastSamples = 1024;

    private static readonly LogBins Bins = new(octaves: 15, log2Parts: 4);

    /// <summary>Polynomial minus ideal function over [-1, 1], ascending; both in units of the range. At most 967 points.</summary>
    public static IReadOnlyList<CurvePoint> Of(ReluPolynomial polynomial)
    {
        double[] edges = [.. Bins.Edges.Where(edge => edge >= 0)];
        int samples = Math.Max(LeastSamples, SamplesPerDegree * polynomial.Degree);
        double[] magnitudes = [.. Enumerable.Range(0, samples + 1).Select(j => Math.Pow(Math.Sin(Math.PI * j / (2.0 * samples)), 2)).Concat(edges).Order()];
        SortedDictionary<double, double> points = [];
        foreach (int sign in new[] { -1, 1 })
        {
            double slope = sign < 0 ? polynomial.Leak : 1;
            double Error(double magnitude) => polynomial.Evaluate(sign * magnitude) - (slope * sign * magnitude);
            double[] errors = Array.ConvertAll(magnitudes, Error);
            int first = 0;
            for (int bin = 1; bin < edges.Length; bin++)
            {
                int last = first;
                while (magnitudes[last] < edges[bin]) last++;
                ReadOnlySpan<double> inside = errors.AsSpan(first, last + 1 - first);
                Keep(first + TensorPrimitives.IndexOfMin(inside));
                Keep(first + TensorPrimitives.IndexOfMax(inside));
                first = last;
            }
            Keep(0);
            Keep(errors.Length - 1);

            // Adding 0 makes -0 and 0 one point.
            void Keep(int at) => points[(sign * magnitudes[at]) + 0.0] = errors[at];
        }
        return [.. points.Select(point => new CurvePoint(point.Key, point.Value))];
    }
}
