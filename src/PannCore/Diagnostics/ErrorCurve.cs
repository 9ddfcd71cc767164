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
/// magnitude (H. Ehlich and K. Zeller 1964); a golden section search between the neighbours of the least and the largest sample of each bin finds the rest.
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
                Keep(errors[first..(last + 1)].Index().MinBy(pair => pair.Item).Index, -1);
                Keep(errors[first..(last + 1)].Index().MaxBy(pair => pair.Item).Index, 1);
                first = last;

                void Keep(int offset, int direction)
                {
                    int at = first + offset;
                    double from = magnitudes[Math.Max(first, at - 1)], to = magnitudes[Math.Min(last, at + 1)];
                    (double peak, double error) = Peak.Refine(magnitude => direction * Error(magnitude), from, magnitudes[at], to);
                    points[(sign * peak) + 0.0] = direction * error; // -0 and 0 are one point
                }
            }
            points[sign] = Error(1);
        }
        points[0.0] = polynomial.Evaluate(0);
        return [.. points.Select(point => new CurvePoint(point.Key, point.Value))];
    }
}
